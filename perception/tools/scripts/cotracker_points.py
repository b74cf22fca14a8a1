"""Runs CoTracker3 (offline) over a video, in its own environment: what its predictor returns."""

# pyright: reportMissingImports=false
import argparse
from pathlib import Path

import numpy as np
import torch
from video_rows import extent, frames, numpy, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True, help="npz with queries (N, 3): frame, x, y")
    parser.add_argument("--repo", default="facebookresearch/co-tracker", help="torch.hub's name, or a folder")
    parser.add_argument("--model", default="cotracker3_offline")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    source = "local" if Path(arguments.repo).is_dir() else "github"
    model = torch.hub.load(arguments.repo, arguments.model, source=source).to(device)  # type: ignore[union-attr]
    video = np.stack(list(frames(arguments.video)))
    with np.load(arguments.queries) as file:
        queries, vertices = file["queries"], file["vertex_id"]
    centred = queries - np.array([0, 0.5, 0.5], np.float32)  # its whole numbers are pixel centres
    with torch.no_grad():
        tracks, visible = model(
            torch.from_numpy(video).permute(0, 3, 1, 2)[None].float().to(device),
            queries=torch.from_numpy(centred)[None].float().to(device),
        )
    visible = numpy(visible) > 0.5 if visible.dtype != torch.bool else visible.cpu().numpy()
    rows = {"tracks": numpy(tracks), "visibility": visible, "queries": centred, "vertex_id": vertices}
    save(arguments.out, {**rows, **extent(arguments.video)})


if __name__ == "__main__":
    main()
