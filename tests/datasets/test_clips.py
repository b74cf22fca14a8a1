import json

import numpy as np
import pytest

from devi_jax import clips
from devi_jax.core.clip_io import load_clip, save_clip
from devi_jax.core.errors import ClipError
from devi_jax.datasets import load as resolving
from devi_jax.datasets.grounding import foot_float_m
from devi_jax.datasets.load import bundled, resolve


@pytest.fixture
def source(tmp_path, torch_files, physhoi_data):
    return torch_files.save_matrix(tmp_path / "walk.pt", physhoi_data)


@pytest.fixture
def shelf(tmp_path, monkeypatch, known):
    """Two bundled clips."""
    files = {name: save_clip(known, tmp_path / "shelf" / f"{name}.npz") for name in ("lift_can", "lift_box")}
    monkeypatch.setattr(resolving, "bundled", lambda: files)
    monkeypatch.setattr(clips, "bundled", lambda: files)


def fails(capsys, *args: str) -> str:
    with pytest.raises(SystemExit) as caught:
        clips.main(list(args))
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_bundled_clips_are_named_by_their_files():
    assert all(path.suffix == ".npz" and path.stem == name for name, path in bundled().items())


def test_a_bundled_name_resolves_and_an_unknown_one_names_close_matches(shelf):
    assert resolve("lift_can").frames == 12
    with pytest.raises(ClipError, match="did you mean lift_can") as caught:
        resolve("lift_cam")
    assert "clips list" in caught.value.fix and "lift_box" in caught.value.valid


def test_a_clip_file_resolves(tmp_path, known):
    path = save_clip(known, tmp_path / "a.npz")
    np.testing.assert_allclose(resolve(str(path)).joint_positions, known.joint_positions, atol=1e-6)
    with pytest.raises(ClipError, match="own object"):
        resolve(str(path), mesh="a.obj")


@pytest.mark.parametrize(("columns", "word"), [(415, "two objects"), (100, "100 columns")])
def test_other_layouts_are_named_with_what_is_readable(tmp_path, torch_files, columns, word):
    path = torch_files.save_matrix(tmp_path / "a.pt", np.zeros((5, columns)))
    with pytest.raises(ClipError, match=word) as caught:
        resolve(str(path))
    assert (
        all(columns in caught.value.valid for columns in ("591", "409", "331", "337"))
        and str(path) in caught.value.where
    )
    assert "save_clip" in caught.value.fix


@pytest.mark.parametrize("name", ["absent.pt", "absent.npz", "absent", "a.pkl", "", "."])
def test_what_is_not_there_is_an_error_with_a_fix(name):
    with pytest.raises(ClipError) as caught:
        resolve(name)
    assert "clips list" in caught.value.fix and caught.value.where and caught.value.valid


def test_list_has_a_row_for_each_clip(shelf, capsys):
    clips.main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "frames", "seconds", "object", "contact"]
    assert len([line for line in lines if line.startswith("known")]) == 2 and "0.2 x 0.3 x 0.4 m" in lines[1]


def test_show_tells_scene_and_provenance_and_draws(source, tmp_path, capsys):
    picture = tmp_path / "pictures" / "overview.png"
    clips.main(["show", str(source), f"--plot={picture}"])
    out = capsys.readouterr().out
    assert "12 at 25 fps" in out and "sphere 0.12 m, 0.60 kg" in out and '"sha256"' in out
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_convert_writes_a_part_at_another_rate_on_the_ground(source, tmp_path, capsys):
    out = tmp_path / "new" / "clip.npz"
    clips.main(["convert", str(source), f"--out={out}", "--start=1", "--stop=11", "--fps=50", "--ground", "--mass=0.5"])
    clip = load_clip(out)
    assert clip.fps == 50 and clip.frames == 1 + int(9 / 25 * 50) and clip.scene.object.mass_kg == 0.5
    np.testing.assert_allclose(clip.joint_positions[0, 0, :2], 0, atol=1e-6)
    assert foot_float_m(clip) == pytest.approx(0, abs=1e-6)
    assert "lowered by" in capsys.readouterr().out and list(out.parent.iterdir()) == [out]


def test_convert_refuses_to_replace_unless_told(source, tmp_path, capsys):
    out = tmp_path / "clip.npz"
    out.write_bytes(b"precious")
    message = fails(capsys, "convert", str(source), f"--out={out}")
    assert str(out) in message and "--overwrite" in message and out.read_bytes() == b"precious"
    clips.main(["convert", str(source), f"--out={out}", "--overwrite"])
    assert load_clip(out).frames == 12


@pytest.mark.parametrize(
    ("flag", "word"),
    [("--stop=99", "0:99"), ("--start=-1", "-1:12"), ("--fps=0", "--fps"), ("--mass=-1", "mass"), ("--mass=0", "mass")],
)
def test_bad_flags_leave_nothing_behind(source, tmp_path, capsys, flag, word):
    out = tmp_path / "out" / "clip.npz"
    assert word in fails(capsys, "convert", str(source), f"--out={out}", flag)
    assert not out.parent.exists()


def test_a_clip_file_is_named_npz(source, tmp_path, capsys):
    assert ".npz" in fails(capsys, "convert", str(source), f"--out={tmp_path / 'a.txt'}")
    assert not (tmp_path / "a.txt").exists()


def test_convert_to_a_place_that_cannot_be_written_says_so(source, tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    assert "--out" in fails(capsys, "convert", str(source), f"--out={tmp_path / 'file' / 'clip.npz'}")


def test_check_prints_findings_as_table_and_json(source, capsys):
    clips.main(["check", str(source), "--no-simulate"])
    table = capsys.readouterr().out
    assert "foot float" in table and "half a second at least" in table  # 12 frames are too few
    clips.main(["check", str(source), "--no-simulate", "--json"])
    out = json.loads(capsys.readouterr().out)
    values = {f["name"]: f for f in out["findings"]}
    assert out["clip"] == "walk" and values["frames"]["value"] == 12 and values["frames"]["verdict"] == "warn"
    assert set(values["foot float"]) == {"name", "value", "unit", "low", "high", "advice", "verdict"}


def test_bad_input_is_one_message_and_exit_code_2(tmp_path, capsys):
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"nonsense")
    message = fails(capsys, "check", str(bad))
    assert message.startswith("error: ") and "where:" in message and str(bad) in message and "Traceback" not in message
