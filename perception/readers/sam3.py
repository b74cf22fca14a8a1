"""SAM 3 (Meta 2025): masks of things over time, from what its video predictor yields.

Layout: a row for each thing in each frame, `frame_index` (D,) from 0, `out_obj_ids` (D,), `out_probs` (D,) and
`out_binary_masks` (D, H, W) bool; `tools/scripts/sam3_masks.py` writes it, with `object_ids` (K,) and `labels` (K,)
for the prompts. Settled from SAM 3's documentation: it writes no file.
"""

from pathlib import Path

import numpy as np

from perception.contracts import EstimateError, Masks, Origin
from perception.readers import foreign
from perception.readers.shot import Shot

LICENCE = "SAM 3: SAM License"


def read_sam3(path: Path, shot: Shot) -> Masks:
    """Masks in the whole picture, things in the order of their ids; empty where a thing was not seen.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what are no masks.
        ClipError: it is damaged or wants to run code.
    """
    where = str(path)
    values = foreign.arrays(path)
    foreign.check_video(values, shot, where)
    frame = foreign.require_array(values, "frame_index", (None,), where).astype(int)
    found = foreign.require_array(values, "out_obj_ids", (len(frame),), where).astype(int)
    score = foreign.require_array(values, "out_probs", (len(frame),), where)
    rows = values.get("out_binary_masks", np.zeros(0))
    if rows.dtype.kind != "b" or rows.shape != (len(frame), shot.height, shot.width):
        raise EstimateError(
            f"'out_binary_masks' has shape {rows.shape} and type {rows.dtype}",
            where=where,
            valid=f"booleans of shape ({len(frame)}, {shot.height}, {shot.width})",
            fix="run SAM 3 on the very video that is given here",
        )
    shot.check_frames(frame, where)
    ids = np.unique(found)
    masks, scores = np.zeros((shot.frames, len(ids), shot.height, shot.width), bool), np.zeros((shot.frames, len(ids)))
    thing = np.searchsorted(ids, found)
    masks[frame, thing], scores[frame, thing] = rows, score
    out = Masks(
        fps=shot.fps,
        size_px=shot.size_px,
        origin=Origin("SAM 3", LICENCE, {"file": path.name}),
        masks=masks,
        ids=ids,
        scores=scores.astype(np.float32),
        labels=_labels(values, ids),
    )
    out.validate(where)
    return out


def _labels(values: dict[str, np.ndarray], ids: np.ndarray) -> tuple[str, ...]:
    """What each thing was asked for as; its number where the file does not say."""
    asked = dict(
        zip(values.get("object_ids", np.zeros(0)).tolist(), values.get("labels", np.zeros(0)).tolist(), strict=False)
    )
    return tuple(str(asked.get(i, f"object {i}")) for i in ids.tolist())
