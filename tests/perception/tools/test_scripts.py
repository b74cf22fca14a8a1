"""The scripts against stand-ins with the tools' own interfaces: what they write is what the readers take.

The stand-ins follow the tools' documentation; that the tools still do is not tested here.
"""

import runpy
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from perception.contracts import EstimateError
from perception.readers.cotracker import read_cotracker
from perception.readers.hamer import read_hamer
from perception.readers.sam3 import read_sam3
from perception.readers.sam3d import read_sam3d, read_sam3d_hands
from perception.readers.shot import Shot
from perception.readers.tapir import read_tapir
from perception.readers.wilor import read_wilor
from perception.tools.queries import write_queries
from perception.tools.tool import SCRIPTS
from perception.video.video import write

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

T, WIDTH, HEIGHT, FOCAL = 4, 64, 48, 60.0
K = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
SHOT = Shot(16.0, T, WIDTH, HEIGHT, K)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """Four frames whose red grows by 50 each."""
    pictures = [np.full((HEIGHT, WIDTH, 3), (50 * t, 0, 100), np.uint8) for t in range(T)]
    return write(tmp_path_factory.mktemp("video") / "v.mp4", pictures, 16.0).path


@pytest.fixture
def execute(tmp_path, monkeypatch, video):
    """Run a script as its own main program, with stand-ins for modules; returns the file it wrote."""

    def run(name: str, modules: dict[str, dict], *arguments: object) -> Path:
        for module, content in modules.items():
            stand_in = types.ModuleType(module)
            vars(stand_in).update(content)
            monkeypatch.setitem(sys.modules, module, stand_in)
        out = tmp_path / f"{name}.npz"
        words = [f"{name}.py", "--video", video, "--out", out, *arguments]
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        monkeypatch.syspath_prepend(str(SCRIPTS))
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
        assert [p.name for p in tmp_path.glob("*.part*")] == []
        return out

    return run


def frame_of(picture: np.ndarray) -> int:
    """Which of the video's frames an RGB picture is."""
    red, blue = float(picture[..., 0].mean()), float(picture[..., 2].mean())
    assert abs(blue - 100) < 15  # and not BGR
    return round(red / 50)


def test_cotracker(tmp_path, execute):
    hub = tmp_path / "hub"
    hub.mkdir()
    (hub / "hubconf.py").write_text(
        """
import torch
class Predictor(torch.nn.Module):
    def forward(self, video, queries=None, grid_size=0, backward_tracking=False):
        assert video.shape == (1, 4, 3, 48, 64) and video.max() > 1 and queries.dtype == torch.float32
        tracks = queries[:, None, :, 1:] + torch.arange(4.0)[None, :, None, None]
        visible = torch.ones(tracks.shape[:3], dtype=torch.bool)
        visible[:, 2] = False
        return tracks, visible
def cotracker3_offline(pretrained=True):
    return Predictor()
"""
    )
    asked = np.array([[10.0, 20.0], [30.5, 5.0]])
    queries = write_queries(tmp_path / "q.npz", asked, np.array([4, 9]))
    found = read_cotracker(execute("cotracker_points", {}, "--queries", queries, "--repo", hub), SHOT)
    np.testing.assert_allclose(found.xy, asked + np.arange(T)[:, None, None], atol=1e-5)
    assert found.visible[:, 0].tolist() == [True, True, False, True]
    assert found.vertex_id.tolist() == [4, 9] and found.query_t.tolist() == [0, 0]


def test_tapir(tmp_path, execute):
    class TAPIR(torch.nn.Module):
        def __init__(self, pyramid_level):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, frames, query_points):
            assert frames.shape == (1, T, 256, 256, 3) and frames.min() >= -1 and frames.max() <= 1
            xy = query_points[:, :, [2, 1]]
            tracks = xy[:, :, None] + torch.arange(float(T))[None, None, :, None]
            far = torch.zeros(tracks.shape[:3]) - 9
            return {"tracks": tracks, "occlusion": far, "expected_dist": far}

    checkpoint = tmp_path / "tapir.pt"
    torch.save(TAPIR(1).state_dict(), checkpoint)
    asked = np.array([[10.0, 20.0], [30.5, 5.0]])
    queries = write_queries(tmp_path / "q.npz", asked, frame=2)
    modules = {"tapnet": {}, "tapnet.torch": {"tapir_model": types.SimpleNamespace(TAPIR=TAPIR)}}
    path = execute("tapir_points", modules, "--queries", queries, "--checkpoint", checkpoint)
    found = read_tapir(path, SHOT)
    step = np.array([WIDTH / 256, HEIGHT / 256])
    np.testing.assert_allclose(found.xy, asked + step * np.arange(T)[:, None, None], atol=1e-4)
    assert found.visible.all() and found.query_t.tolist() == [2, 2]


def test_sam3(execute):
    class Predictor:
        def handle_request(self, request):
            match request["type"]:
                case "start_session":
                    return {"session_id": "a"}
                case "add_prompt":
                    self.text = request["text"]
            return {}

        def handle_stream_request(self, request):
            assert request == {"type": "propagate_in_video", "session_id": "a"}
            for t in range(T):
                count = 2 if self.text == "can" and t else 1  # the second can appears late
                masks = np.zeros((count, HEIGHT, WIDTH), bool)
                masks[:, t] = True
                outputs = {"out_obj_ids": np.arange(count), "out_probs": np.full(count, 0.9), "out_binary_masks": masks}
                yield {"frame_index": t, "outputs": outputs | {"out_boxes_xywh": np.zeros((count, 4))}}

    modules = {"sam3": {}, "sam3.model_builder": {"build_sam3_video_predictor": Predictor}}
    found = read_sam3(execute("sam3_masks", modules, "--prompts", "person; can"), SHOT)
    assert found.labels == ("person", "can", "can") and found.ids.tolist() == [0, 1000, 1001]
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.9, 0]) and found.masks[2, :, 2].all()


def weak(place):
    """A crop camera that puts a hand at `place`, for a box of 20 px about its centre in the picture, and the centre."""
    centre = K[:2, 2] + FOCAL * place[:2] / place[2]
    return np.array([2 * FOCAL / (20 * place[2]), 0.0, 0.0], np.float32), centre


def test_wilor(execute, rng):
    points = rng.uniform(-0.08, 0.08, (21, 3))

    class Pipeline:
        def __init__(self, device, dtype, verbose):
            pass

        def predict(self, picture):
            if frame_of(picture) == 1:
                return []
            focal = 5000 / 256 * WIDTH
            place = np.array([[0.1, 0.0, 1.0 * focal / FOCAL]])
            pixels = (points + place) @ np.array([[focal, 0, 32], [0, focal, 24], [0, 0, 1]]).T
            preds = {
                **{"global_orient": np.ones((1, 1, 3)), "hand_pose": np.zeros((1, 15, 3)), "betas": np.zeros((1, 10))},
                **{"pred_cam": np.zeros((1, 3)), "pred_cam_t_full": place, "pred_keypoints_3d": points[None]},
                **{"pred_keypoints_2d": (pixels[:, :2] / pixels[:, 2:])[None], "scaled_focal_length": focal},
                **{"pred_vertices": np.zeros((1, 778, 3))},
            }
            return [{"hand_bbox": [30.0, 10, 50, 30], "is_right": 0.0, "wilor_preds": preds}]

    name = "wilor_mini.pipelines.wilor_hand_pose3d_estimation_pipeline"
    modules: dict = {
        "wilor_mini": {},
        "wilor_mini.pipelines": {},
        name: {"WiLorHandPose3dEstimationPipeline": Pipeline},
    }
    hands = read_wilor(execute("wilor_hands", modules), SHOT)
    assert list(hands) == ["left"] and hands["left"].valid.tolist() == [True, False, True, True]
    assert hands["left"].joints3d is not None
    np.testing.assert_allclose(hands["left"].joints3d[2], points + [0.1, 0, 1], atol=1e-5)


def test_wilor_of_a_video_without_hands_writes_no_rows(execute):
    nobody = types.SimpleNamespace(predict=lambda picture: [])
    name = "wilor_mini.pipelines.wilor_hand_pose3d_estimation_pipeline"
    content = {"WiLorHandPose3dEstimationPipeline": lambda **_: nobody}
    modules: dict = {"wilor_mini": {}, "wilor_mini.pipelines": {}, name: content}
    path = execute("wilor_hands", modules)
    assert read_wilor(path, SHOT) == {}
    for other in (replace(SHOT, frames=5), replace(SHOT, width=128, height=96)):
        with pytest.raises(EstimateError, match=r"4 frames, the video 5|64 x 48 pixels, the video has 128 x 96"):
            read_wilor(path, other)


def hamer_stand_ins(points, turn, place):
    """HaMeR's modules around one right and one left hand at `place`, in a picture of the right frame."""
    cam, centre = weak(place)

    class Model(torch.nn.Module):
        def forward(self, batch):
            n = len(batch["right"])
            pixels = (points + place) @ K.T
            crop = (pixels[:, :2] / pixels[:, 2:] - centre) / 20
            flip = torch.where(batch["right"] > 0, 1.0, -1.0)[:, None, None]
            eye = torch.eye(3).expand(n, 15, 3, 3)
            mirror = torch.diag(torch.tensor([-1.0, 1, 1]))
            right = torch.tensor(Rotation.from_rotvec(turn).as_matrix(), dtype=torch.float32)
            turns = torch.stack([right if r > 0 else mirror @ right @ mirror for r in batch["right"]])[:, None]
            sides = torch.cat([flip, torch.ones(n, 1, 2)], dim=-1)
            mano = {"global_orient": turns, "hand_pose": eye, "betas": torch.zeros(n, 10)}
            found = {"pred_cam": torch.tensor(cam).repeat(n, 1), "pred_mano_params": mano}
            found["pred_keypoints_3d"] = torch.tensor(points, dtype=torch.float32)[None] * sides
            found["pred_keypoints_2d"] = torch.tensor(crop, dtype=torch.float32)[None] * sides[..., :2]
            return found

    class Dataset(torch.utils.data.Dataset):
        def __init__(self, config, picture, boxes, right, rescale_factor):
            frame_of(picture[:, :, ::-1])  # HaMeR wants BGR
            assert boxes.shape == (2, 4) and rescale_factor == 2.0
            self.right = right

        def __len__(self):
            return len(self.right)

        def __getitem__(self, i):
            rest = {"box_size": np.float32(20), "img_size": np.array([WIDTH, HEIGHT], np.float32), "personid": i}
            return {"right": np.float32(self.right[i]), "box_center": centre.astype(np.float32), **rest}

    class ViTPose:
        def __init__(self, device):
            pass

        def predict_pose(self, picture, people):
            frame_of(picture)
            assert people[0].shape == (1, 5)
            hands = np.concatenate([np.tile(centre, (42, 1)), np.full((42, 1), 0.8)], axis=1)
            return [{"keypoints": np.concatenate([np.zeros((91, 3)), hands])}]

    def detector(config):
        people = types.SimpleNamespace(
            pred_classes=torch.tensor([0, 0, 7]),
            scores=torch.tensor([0.9, 0.3, 0.9]),
            pred_boxes=types.SimpleNamespace(tensor=torch.zeros(3, 4)),
        )
        return lambda picture: {"instances": people}

    head = types.SimpleNamespace(box_predictor=types.SimpleNamespace())
    config = types.SimpleNamespace(model=types.SimpleNamespace(roi_heads=head))
    zoo = types.SimpleNamespace(get_config=lambda name, trained: config)
    models = {
        "DEFAULT_CHECKPOINT": "x",
        "download_models": lambda folder: None,
        "load_hamer": lambda c: (Model(), None),
    }
    return {
        **{"hamer": {}, "hamer.datasets": {}, "hamer.configs": {"CACHE_DIR_HAMER": "x"}, "hamer.models": models},
        **{"hamer.utils": {"recursive_to": lambda batch, device: batch}, "detectron2": {"model_zoo": zoo}},
        **{"hamer.utils.utils_detectron2": {"DefaultPredictor_Lazy": detector}},
        **{"hamer.datasets.vitdet_dataset": {"ViTDetDataset": Dataset}, "vitpose_model": {"ViTPoseModel": ViTPose}},
    }


def test_hamer(execute, rng):
    points, turn, place = rng.uniform(-0.08, 0.08, (21, 3)), np.array([0.3, -0.5, 0.9]), np.array([0.1, -0.05, 1.0])
    hands = read_hamer(execute("hamer_hands", hamer_stand_ins(points, turn, place)), SHOT)
    assert sorted(hands) == ["left", "right"]
    for hand in hands.values():
        assert hand.valid.all() and hand.joints3d is not None
        np.testing.assert_allclose(hand.joints3d, np.tile(points + place, (T, 1, 1)), atol=1e-5)
        np.testing.assert_allclose(hand.global_orient, np.tile(turn, (T, 1)), atol=1e-5)
        np.testing.assert_allclose(hand.joints2d[..., 2], 0.8, atol=1e-5)


def test_sam3d(tmp_path, execute, rng):
    points, place = rng.uniform(-0.3, 0.3, (70, 3)), np.array([0.0, 0.1, 2.5])
    pixels = (points + place) @ K.T
    person = {
        **{"bbox": np.array([0, 0, 40, 40.0]), "pred_keypoints_3d": points, "pred_cam_t": place},
        **{"pred_keypoints_2d": pixels[:, :2] / pixels[:, 2:], "focal_length": np.float32(FOCAL)},
    }

    class Estimator:
        def process_one_image(self, picture, cam_int, inference_type):
            np.testing.assert_array_equal(cam_int, K[None].astype(np.float32))
            passer_by = {**person, "bbox": np.array([0, 0, 4, 4.0]), "pred_cam_t": place * 9}
            return [passer_by, person] if frame_of(picture) != 2 else []

    class Converter:
        def __init__(self, mhr_model, smpl_model, method):
            assert smpl_model.flat

        def convert_sam3d_output_to_smpl(self, sam3d_outputs, return_smpl_parameters):
            n = len(sam3d_outputs)
            sizes = {"global_orient": 3, "body_pose": 63, "left_hand_pose": 45, "right_hand_pose": 45, "betas": 10}
            values = {key: torch.full((n, size), 0.1) for key, size in sizes.items()}
            values["transl"] = torch.tensor(np.stack([p["pred_cam_t"] for p in sam3d_outputs]), dtype=torch.float32)
            return types.SimpleNamespace(result_parameters=values)

    def model(model_path, gender, use_pca, flat_hand_mean):
        return types.SimpleNamespace(to=lambda device: types.SimpleNamespace(flat=flat_hand_mean))

    modules: dict = {
        **{"notebook": {}, "notebook.utils": {"setup_sam_3d_body": lambda hf_repo_id: Estimator()}},
        **{"smplx": {"SMPLX": model}, "conversion": {"Conversion": Converter}, "mhr": {}},
        "mhr.mhr": {"MHR": types.SimpleNamespace(from_files=lambda lod, device: None)},
    }
    path = execute("sam3d_body", modules, "--focal_px", FOCAL, "--mhr_tools", tmp_path, "--smplx", tmp_path / "m.npz")
    body, hands = read_sam3d(path, SHOT), read_sam3d_hands(path, SHOT)
    assert body.valid.tolist() == [True, True, False, True]
    np.testing.assert_allclose(body.transl[3], place, atol=1e-6)
    assert hands["right"].joints3d is not None
    np.testing.assert_allclose(hands["right"].joints3d[0, 0], points[41] + place, atol=1e-6)
