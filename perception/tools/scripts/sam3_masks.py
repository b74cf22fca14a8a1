"""Runs SAM 3's video predictor, in its own environment: a row a thing and frame, one session for each prompt."""

# pyright: reportMissingImports=false
import argparse
from pathlib import Path

import numpy as np
from sam3.model_builder import build_sam3_video_predictor
from video_rows import extent, frames, numpy, save

STEP = 1000
"""Things of the k-th prompt get numbers from k times this on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prompts", required=True, help="what to look for, parted by semicolons")
    arguments = parser.parse_args()
    height, width = next(frames(arguments.video)).shape[:2]
    predictor = build_sam3_video_predictor()
    rows: list[tuple[int, int, float, np.ndarray]] = []
    labels: dict[int, str] = {}
    for k, prompt in enumerate(arguments.prompts.split(";")):
        start = predictor.handle_request({"type": "start_session", "resource_path": str(arguments.video)})
        session = start["session_id"]
        ask = {"type": "add_prompt", "session_id": session, "frame_index": 0, "text": prompt.strip()}
        predictor.handle_request(ask)
        for part in predictor.handle_stream_request({"type": "propagate_in_video", "session_id": session}):
            found = part["outputs"]
            for i, number in enumerate(np.asarray(found["out_obj_ids"]).tolist()):
                thing = k * STEP + int(number)
                labels[thing] = prompt.strip()
                mask = numpy(found["out_binary_masks"])[i] > 0.5
                rows.append((int(part["frame_index"]), thing, float(numpy(found["out_probs"])[i]), mask))
        predictor.handle_request({"type": "close_session", "session_id": session})
    save(
        arguments.out,
        {
            "frame_index": np.array([row[0] for row in rows], int),
            "out_obj_ids": np.array([row[1] for row in rows], int),
            "out_probs": np.array([row[2] for row in rows], np.float32),
            "out_binary_masks": np.array([row[3] for row in rows], bool).reshape(-1, height, width),
            "object_ids": np.array(list(labels), int),
            "labels": np.array(list(labels.values()), str),
            **extent(arguments.video),
        },
    )


if __name__ == "__main__":
    main()
