"""Runs TAPIR or BootsTAPIR (PyTorch) over a video, in its own environment: what the model returns."""

# pyright: reportMissingImports=false
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from tapnet.torch import tapir_model
from video_rows import frames, numpy, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True, help="npz with queries (N, 3): frame, x, y")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--size", type=int, default=256, help="side of the square the model sees")
    arguments = parser.parse_args()
    device, side = "cuda" if torch.cuda.is_available() else "cpu", arguments.size
    model = tapir_model.TAPIR(pyramid_level=1)
    model.load_state_dict(torch.load(arguments.checkpoint, map_location=device, weights_only=True))
    model = model.to(device).eval()
    pictures = list(frames(arguments.video))
    height, width = pictures[0].shape[:2]
    video = np.stack([cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in pictures])
    with np.load(arguments.queries) as file:
        queries, vertices = file["queries"], file["vertex_id"]
    asked = queries[:, [0, 2, 1]] * np.array([1, side / height, side / width], np.float32)
    with torch.no_grad():
        found = model(
            torch.from_numpy(video)[None].float().to(device) / 255 * 2 - 1,
            torch.from_numpy(asked)[None].float().to(device),
        )
    arrays = {key: numpy(found[key]) for key in ("tracks", "occlusion", "expected_dist")}
    save(arguments.out, {**arrays, "queries": asked, "vertex_id": vertices, "size": np.array([side, side])})


if __name__ == "__main__":
    main()
