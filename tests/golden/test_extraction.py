"""The extraction of `lift_can` from pixels: a scripted film of 49 small pictures becomes a clip.

Guards tracking of the object's points, its poses, the human's inverse kinematics, alignment, contact labels, the grip
and the files between the stages. The landmarks, which networks of others would see, lie in the fixture beside the film.
"""

import zipfile

import numpy as np
import pytest

from tests.golden import entry, ledger

pytest.importorskip("cv2")
pytest.importorskip("torch")


@pytest.mark.gl
@pytest.mark.slow
def test_the_extraction_is_the_one_recorded(tmp_path):
    """All arrays of the clip; elsewhere metres, quaternions and contact of each 6th frame, and pixels of the tracks."""
    if not entry.can_render():
        pytest.skip("no offscreen OpenGL (EGL or OSMesa) on this machine")
    with zipfile.ZipFile(entry.DATA / "film.zip") as file:
        file.extractall(tmp_path)
    out = tmp_path / "clip.npz"
    entry.command(
        "extract", tmp_path / "film", f"--out={out}", f"--work={tmp_path / 'stages'}", "--align.iterations=20"
    )
    found = {name: array for name, array in entry.clip_arrays(out).items() if np.issubdtype(array.dtype, np.number)}
    kept = {name: array[::6] if len(array) == 49 else array for name, array in found.items()}
    ledger.check("extraction", found, kept, dict.fromkeys(kept, 1.0))
