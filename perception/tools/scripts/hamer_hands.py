"""Runs HaMeR over a video, in its own environment: a row a hand, as its model returns it, left hands still mirrored.

People and hand boxes are found as in its `demo.py`: a detector, ViTPose's whole body, hands of more than 3 sure points.
"""

# pyright: reportMissingImports=false
import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hamer.configs import CACHE_DIR_HAMER
from hamer.datasets.vitdet_dataset import ViTDetDataset
from hamer.models import DEFAULT_CHECKPOINT, download_models, load_hamer
from hamer.utils import recursive_to
from hamer.utils.utils_detectron2 import DefaultPredictor_Lazy
from video_rows import frames, numpy, save_rows
from vitpose_model import ViTPoseModel

SURE, POINTS = 0.5, 3
SHAPES = {
    **{"frame": (), "score": (), "right": (), "box_center": (2,), "box_size": (), "img_size": (2,), "pred_cam": (3,)},
    **{"pred_keypoints_3d": (21, 3), "pred_keypoints_2d": (21, 2), "pred_mano_params.global_orient": (1, 3, 3)},
    **{"pred_mano_params.hand_pose": (15, 3, 3), "pred_mano_params.betas": (10,)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT)
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    download_models(CACHE_DIR_HAMER)
    model, config = load_hamer(arguments.checkpoint)
    model, detector, pose = model.to(device).eval(), people_detector(), ViTPoseModel(device)
    rows: list[dict[str, Any]] = []
    for t, picture in enumerate(frames(arguments.video)):
        boxes, right, score = hand_boxes(picture, detector, pose)
        if not boxes:
            continue
        blue_first = np.ascontiguousarray(picture[:, :, ::-1])
        data = ViTDetDataset(config, blue_first, np.stack(boxes), np.array(right), rescale_factor=2.0)
        for start, batch in enumerate(torch.utils.data.DataLoader(data, batch_size=8, shuffle=False)):
            batch = recursive_to(batch, device)
            with torch.no_grad():
                found = model(batch)
            mano = {f"pred_mano_params.{key}": value for key, value in found["pred_mano_params"].items()}
            every = {**batch, **found, **mano}
            for n in range(len(batch["right"])):
                row = {key: numpy(every[key][n]) for key in SHAPES if key not in ("frame", "score")}
                rows.append({"frame": t, "score": score[8 * start + n], **row})
    save_rows(arguments.out, rows, SHAPES, arguments.video)


def people_detector() -> Any:
    """HaMeR's smaller detector of people (`--body_detector regnety`)."""
    from detectron2 import model_zoo

    config = model_zoo.get_config("new_baselines/mask_rcnn_regnety_4gf_dds_FPN_400ep_LSJ.py", trained=True)
    config.model.roi_heads.box_predictor.test_score_thresh = 0.5
    config.model.roi_heads.box_predictor.test_nms_thresh = 0.4
    return DefaultPredictor_Lazy(config)


def hand_boxes(picture: np.ndarray, detector: Any, pose: Any) -> tuple[list[np.ndarray], list[int], list[float]]:
    """Boxes (4,) xyxy of hands in an RGB picture, whether each is a right one, and how sure its points are."""
    people = detector(picture[:, :, ::-1])["instances"]
    mine = (people.pred_classes == 0) & (people.scores > 0.5)
    boxes, sure = numpy(people.pred_boxes.tensor[mine]), numpy(people.scores[mine])
    found: tuple[list[np.ndarray], list[int], list[float]] = ([], [], [])
    for person in pose.predict_pose(picture, [np.concatenate([boxes, sure[:, None]], axis=1)]):
        for right, points in ((0, person["keypoints"][-42:-21]), (1, person["keypoints"][-21:])):
            seen = points[points[:, 2] > SURE]
            if len(seen) > POINTS:
                found[0].append(np.concatenate([seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)]))
                found[1].append(right)
                found[2].append(float(points[:, 2].mean()))
    return found


if __name__ == "__main__":
    main()
