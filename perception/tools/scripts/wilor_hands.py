"""Runs WiLoR-mini over a video, in its own environment: a row a hand, as its pipeline returns it."""

# pyright: reportMissingImports=false
import argparse
from pathlib import Path

import torch
from video_rows import frames, save_rows
from wilor_mini.pipelines.wilor_hand_pose3d_estimation_pipeline import WiLorHandPose3dEstimationPipeline

SHAPES = {
    **{"frame": (), "hand_bbox": (4,), "is_right": (), "global_orient": (1, 3), "hand_pose": (15, 3), "betas": (10,)},
    **{"pred_cam": (3,), "pred_cam_t_full": (3,), "scaled_focal_length": ()},
    **{"pred_keypoints_3d": (21, 3), "pred_keypoints_2d": (21, 2)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pipeline = WiLorHandPose3dEstimationPipeline(device=device, dtype=torch.float32, verbose=False)
    rows = []
    for t, picture in enumerate(frames(arguments.video)):
        for hand in pipeline.predict(picture):
            row = {"frame": t, "hand_bbox": hand["hand_bbox"], "is_right": hand["is_right"]}
            rows.append({**row, **hand["wilor_preds"]})
    save_rows(arguments.out, rows, SHAPES, arguments.video)


if __name__ == "__main__":
    main()
