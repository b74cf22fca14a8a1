"""Runs SAM 3D Body over a video, in its own environment, and MHR's converter to SMPL-X over what it finds.

Of several persons in a frame the largest counts.
"""

# pyright: reportMissingImports=false
import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from video_rows import extent, frames, numpy, save

KEPT = ("pred_keypoints_3d", "pred_keypoints_2d", "pred_cam_t", "focal_length")
SMPLX = ("global_orient", "body_pose", "left_hand_pose", "right_hand_pose", "betas", "transl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--focal_px", type=float, default=0.0, help="the camera's focal length, 0: not known")
    parser.add_argument("--mhr_tools", type=Path, required=True, help="MHR/tools/mhr_smpl_conversion")
    parser.add_argument("--smplx", type=Path, required=True, help="SMPLX_NEUTRAL.npz")
    arguments = parser.parse_args()
    from notebook.utils import setup_sam_3d_body  # the checkout's, found through PYTHONPATH

    estimator = setup_sam_3d_body(hf_repo_id="facebook/sam-3d-body-dinov3")
    found = {}
    for t, picture in enumerate(frames(arguments.video)):
        height, width = picture.shape[:2]
        f = arguments.focal_px
        K = torch.tensor([[[f, 0, width / 2], [0, f, height / 2], [0, 0, 1]]]) if f else None
        people = estimator.process_one_image(picture, cam_int=K, inference_type="full")
        if people:
            found[t] = max(people, key=lambda p: np.prod(np.asarray(p["bbox"])[2:4] - np.asarray(p["bbox"])[:2]))
    if not found:
        raise SystemExit("nobody was found in the video")
    parameters = convert(list(found.values()), arguments.mhr_tools, arguments.smplx)
    rows = {key: np.stack([numpy(person[key]) for person in found.values()]) for key in KEPT}
    rows["focal_length"] = rows["focal_length"].reshape(len(found), -1)[:, 0]
    smplx = {f"smplx.{key}": numpy(parameters[key]).reshape(len(found), -1) for key in SMPLX}
    save(arguments.out, {"frame": np.array(list(found)), **rows, **smplx, **extent(arguments.video)})


def convert(people: list[dict], tools: Path, model: Path) -> dict:
    """SMPL-X parameters with a flat hand as zero, of all frames, where the people stand in the camera's frame."""
    sys.path.insert(0, str(tools))
    import smplx
    from conversion import Conversion
    from mhr.mhr import MHR

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    body = smplx.SMPLX(model_path=str(model), gender="neutral", use_pca=False, flat_hand_mean=True).to(device)
    converter = Conversion(mhr_model=MHR.from_files(lod=1, device=device), smpl_model=body, method="pytorch")
    result = converter.convert_sam3d_output_to_smpl(sam3d_outputs=people, return_smpl_parameters=True)
    return result.result_parameters


if __name__ == "__main__":
    main()
