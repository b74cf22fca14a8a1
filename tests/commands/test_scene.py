"""A film of a hand and a thing, drawn with a known camera, becomes a scene that `extract` begins from."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from devi_jax import extract, scene
from devi_jax.cli import parse
from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.errors import ConfigError, DeviError
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.scenes import load_scene_file
from envs.embodiments.human import human
from envs.scenes.arrange import arrange
from envs.scenes.catalogue import CATALOGUE
from perception.contracts.estimate import Origin
from perception.contracts.hand import HAND21
from perception.contracts.keypoints import Keypoints
from perception.human.skeleton_points import fingertips
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.hand_depth import palm_at_rest
from perception.landmarks.network_palm import PALM_POINTS, network_shifts
from perception.landmarks.pose import POSE33
from perception.object_tracks.visible import outline
from perception.pipeline.camera_file import read_camera, read_film_notes
from perception.scene import watch
from perception.scene.size_by_hand import ACROSS_M, GAP_M, IN_FIST_M
from perception.scene.standing_thing import on_foot, standing_axes
from perception.video.video import probe, write

WIDTH, HEIGHT, FPS, FRAMES, LIFTS = 640, 480, 30.0, 45, 20
PITCH_DEG, FOCAL_PX, DISTANCE_M = 28.0, 620.0, 0.55
K = np.array([[FOCAL_PX, 0, WIDTH / 2], [0, FOCAL_PX, HEIGHT / 2], [0, 0, 1]])
CAN = CATALOGUE["can"]().mesh
RADIUS_M, HEIGHT_M = 0.03, 0.13
LOCAL = on_foot(CAN.vertices) * [2 * RADIUS_M, 2 * RADIUS_M, HEIGHT_M] / np.ptp(CAN.vertices, axis=0)
AXES = standing_axes(PITCH_DEG)
FOOT = DISTANCE_M * np.linalg.solve(K, [WIDTH / 2 - 30, HEIGHT / 2 + 60, 1.0])


def lifted(t: int) -> float:
    """How high the thing is, metres."""
    return 0.006 * max(0, t - LIFTS)


def hand_points(t: int) -> np.ndarray:
    """21 points (21, 3) of a right hand in the camera, as the network has them: it comes from the right, and closes."""
    palm = palm_at_rest(human().offsets, "right")
    out, offsets = np.zeros((21, 3)), human().offsets
    out[PALM_POINTS] = palm
    tips = fingertips(offsets)
    for finger in ("thumb", "index", "middle", "ring", "pinky"):
        base = HAND21.index(f"{finger}1")
        at = palm[0] + 0.3 * offsets[INDEX["right_thumb1"]] if finger == "thumb" else out[base]
        out[base] = at
        for k in (2, 3):
            at = out[base + k - 1] = at + offsets[INDEX[f"right_{finger}{k}"]]
        order = ("index", "middle", "pinky", "ring", "thumb")
        out[base + 3] = at + tips[5 + order.index(finger)]
    # the arm's axis x becomes the way to the left and ahead, the palm faces left
    way = AXES @ np.array([[-0.75, 0.0, 0.66], [0.66, 0.0, 0.75], [0.0, 1.0, 0.0]])
    come = 0.012 * max(0, LIFTS - 2 - t)
    axis = FOOT + AXES @ [come, 0.0, 0.06 + lifted(t)]
    inside = palm[0] + [IN_FIST_M, ACROSS_M, -(GAP_M + RADIUS_M)]
    return (out + network_shifts(offsets, "right") - inside) @ way.T + axis


def seen_hands(*_: object, **__: object) -> PersonLandmarks:
    """What networks would see: the hand's points, flat, in every frame."""
    at = np.stack([hand_points(t) for t in range(FRAMES)])
    px = at[..., :2] / at[..., 2:] * FOCAL_PX + K[:2, 2]
    rest = {"fps": FPS, "size_px": (WIDTH, HEIGHT), "origin": Origin("drawn", "", {})}
    lifted_points = (at - at[:, :1]) * [1.0, 1.0, 0.8]
    right = Keypoints(
        **rest, names=tuple(f"right_{n}" for n in HAND21), xy=px, conf=np.ones((FRAMES, 21)), xyz=lifted_points
    )
    left = Keypoints(
        **rest, names=tuple(f"left_{n}" for n in HAND21), xy=0 * px, conf=np.zeros((FRAMES, 21)), xyz=0 * at
    )
    nobody = np.zeros((FRAMES, len(POSE33), 2))
    body = Keypoints(**rest, names=POSE33, xy=nobody, conf=nobody[..., 0])
    return PersonLandmarks(body, {"left": left, "right": right})


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dark can on a bright, marked ground that a hand lifts."""
    rng = np.random.default_rng(0)
    ground = np.full((HEIGHT, WIDTH, 3), 205, np.uint8)
    for x, y in rng.integers(0, [WIDTH, HEIGHT], (90, 2)):
        cv2.circle(ground, (int(x), int(y)), 3, (170, 175, 180), -1)
    ground = cv2.GaussianBlur(ground, (0, 0), 1.0)
    camera = Camera(K, np.eye(4), WIDTH, HEIGHT)
    pattern = cv2.GaussianBlur(rng.integers(0, 160, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 2.5)
    frames = []
    for t in range(FRAMES):
        at = LOCAL @ AXES.T + FOOT + AXES @ [0, 0, lifted(t)]
        image = ground.copy()
        place = (FOOT + AXES @ [0, 0, lifted(t)])[:2] / (FOOT + AXES @ [0, 0, lifted(t)])[2] * FOCAL_PX
        start = FOOT[:2] / FOOT[2] * FOCAL_PX
        moved = np.roll(pattern, np.round(place - start).astype(int)[::-1], axis=(0, 1))
        thing = outline(at, CAN.faces, camera)
        image[thing] = moved[thing] // 2 + np.array([20, 30, 90], np.uint8)
        px = hand_points(t)[:, :2] / hand_points(t)[:, 2:] * FOCAL_PX + K[:2, 2]
        hull = cv2.convexHull(np.round(px).astype(np.int32))
        cv2.fillConvexPoly(image, hull, (225, 180, 160))
        frames.append(image)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write(path, frames, FPS)
    return path


@pytest.fixture
def drawn_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that see the drawn hand, and nobody's face."""

    def estimate(frames, *_: object, **__: object) -> PersonLandmarks:
        for _frame in frames:
            pass
        return seen_hands()

    monkeypatch.setattr(watch, "load_networks", lambda: type("None", (), {"person": None})())
    monkeypatch.setattr(watch, "find_people", lambda *_: ())
    monkeypatch.setattr(watch, "estimate_hands", estimate)


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as error:
        scene.main(arguments)
    assert error.value.code == 2
    return capsys.readouterr().err


def test_a_film_becomes_a_scene_as_it_was_filmed(film, drawn_hands, tmp_path, capsys):
    out = tmp_path / "s"
    scene.main([str(film), "--thing=can", f"--focal-px={FOCAL_PX}", f"--out={out}"])
    assert {p.name for p in out.iterdir()} == {
        *("scene.json", "video.json", "video.mp4", "thing.obj", "thing.png", "overlay.png")
    }
    told = json.loads((out / "video.json").read_text())
    assert told["found"]["standing"]["pitch_deg"] == pytest.approx(PITCH_DEG, abs=5)
    assert abs(told["found"]["taken"] - LIFTS) <= 5
    camera, setup = read_camera(out), load_scene_file(out / "scene.json")
    arranged = arrange(setup)
    extent = np.ptp(arranged.models["can"].mesh.vertices, axis=0)
    assert extent[2] == pytest.approx(HEIGHT_M, rel=0.15) and extent[0] == pytest.approx(2 * RADIUS_M, rel=0.15)
    assert extent[2] / extent[0] == pytest.approx(HEIGHT_M / (2 * RADIUS_M), rel=0.1)
    foot = arranged.object_start[:3] - [0, 0, 0]
    at = camera.T_camera_world[:3, :3] @ foot + camera.T_camera_world[:3, 3]
    assert at / np.linalg.norm(at) @ (FOOT / np.linalg.norm(FOOT)) > np.cos(np.radians(1.5))
    assert setup.prompt == "A person lifts the can with the right hand."
    assert "next: python -m devi_jax.extract" in capsys.readouterr().out


def test_what_is_said_by_flags_is_taken_and_extract_begins_from_it(film, drawn_hands, tmp_path):
    out = tmp_path / "s"
    mask = np.asarray(Image.new("L", (WIDTH, HEIGHT))).copy()
    mask[outline(LOCAL @ AXES.T + FOOT, CAN.faces, Camera(K, np.eye(4), WIDTH, HEIGHT))] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    flags = [f"--mask={tmp_path / 'mask.png'}", f"--height-m={HEIGHT_M}", f"--pitch-deg={PITCH_DEG}"]
    flags.append("--table-height-m=0.9")
    scene.main([str(film), "--thing=can", f"--focal-px={FOCAL_PX}", f"--out={out}", *flags])
    camera, setup = read_camera(out), load_scene_file(out / "scene.json")
    assert setup.table is not None and setup.table.size[2] == 0.9
    foot = arrange(setup).object_start[:3]
    at = camera.T_camera_world[:3, :3] @ foot + camera.T_camera_world[:3, 3]
    assert np.linalg.norm(at - FOOT) < 0.02
    notes = read_film_notes(out / "video.json")
    assert notes.person == "hands" and not notes.keep_camera_motion
    known, frame0, seen = extract._known(setup, camera, probe(out / "video.mp4"), notes.person)
    assert known.person == "hands" and known.hands == ("right",) and frame0.shape == (HEIGHT, WIDTH, 3)
    drawn = outline(
        rot.rotate(np.broadcast_to(known.object_start[3:], known.vertices.shape[:1] + (4,)), known.vertices)
        + known.object_start[:3],
        known.faces,
        camera,
    )
    assert (drawn & seen).sum() / (drawn | seen).sum() > 0.9
    (out / "thing.png").unlink()
    with pytest.raises(ConfigError, match="no picture can be read"):
        extract._known(setup, camera, probe(out / "video.mp4"), notes.person)
    assert "there is a scene already" in str(_refused([str(film), f"--out={out}"]))


def _refused(arguments: list[str]) -> BaseException:
    with pytest.raises(DeviError) as error:
        scene.scene(parse(scene.FilmScene, arguments, prog="scene", default=scene.FilmScene(Path())))
    return error.value


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--box=3,4"], "this is no box"),
        (["--box=3,4,-5,6"], "this is no box"),
        (["--focal-px=500", "--fov-deg=60"], "--focal-px and --fov-deg are both given"),
        (["--height-m=0.1", "--marker-m=0.1"], "--height-m and --marker-m are both given"),
        (["--fov-deg=170"], "--fov-deg=170"),
        (["--pitch-deg=nan"], "--pitch-deg=nan"),
        (["--thing=tumbler"], "no model 'tumbler'"),
    ],
)
def test_flags_without_a_meaning_are_one_error(flags, said, film, tmp_path, capsys):
    assert said in fails([str(film), f"--out={tmp_path / 's'}", *flags], capsys)
    assert not (tmp_path / "s").exists()


def test_films_that_will_not_do_are_one_error(film, drawn_hands, tmp_path, capsys, monkeypatch):
    out = f"--out={tmp_path / 's'}"
    assert "no such file" in fails([str(tmp_path / "none.mp4"), out], capsys)
    short = tmp_path / "short.mp4"
    write(short, [np.zeros((48, 64, 3), np.uint8)] * 3, 30.0)
    assert "3 frames" in fails([str(short), out], capsys)
    assert "no part of the picture" in fails([str(film), out, "--box=900,900,50,50"], capsys)
    assert "% of the picture are white" in fails(
        [str(film), out, f"--mask={_black(tmp_path, (WIDTH, HEIGHT))}"], capsys
    )
    assert "the mask has 300 x 100 pixels" in fails([str(film), out, f"--mask={_black(tmp_path, (300, 100))}"], capsys)
    monkeypatch.setattr(watch, "find_people", lambda *_: (type("Face", (), {"score": 0.99})(),))
    assert "no film of hands alone" in fails([str(film), out], capsys)
    assert not (tmp_path / "s").exists()


def test_a_thing_that_moves_without_a_hand_in_view_is_refused_though_its_height_is_said(
    film, drawn_hands, tmp_path, capsys, monkeypatch
):
    gone = seen_hands()
    nowhere = {side: replace(hand, conf=0 * hand.conf) for side, hand in gone.hands.items()}
    monkeypatch.setattr(watch, "estimate_hands", lambda frames, *_, **__: [*frames] and replace(gone, hands=nowhere))
    box = f"--box={WIDTH / 2 - 75},{HEIGHT / 2 - 95},90,180"
    said = fails([str(film), f"--out={tmp_path / 's'}", box, "--height-m=0.13"], capsys)
    assert "no hand is seen in frames" in said


def _black(folder: Path, size: tuple[int, int]) -> Path:
    Image.new("L", size).save(folder / "black.png")
    return folder / "black.png"
