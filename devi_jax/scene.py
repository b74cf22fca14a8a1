"""`python -m devi_jax.scene FILM --thing=cup --out=DIR`: a scene and a camera out of a film, for `extract DIR`.

Writes scene.json, thing.obj, video.mp4 (the film, steadied and no wider than is looked at), video.json with the camera,
thing.png with the thing's pixels, and overlay.png, which shows whether it is right.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import tyro
from PIL import Image

from devi_jax.cli import parse
from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.errors import ConfigError, DeviceError, exit_on_error
from devi_jax.core.files import filling
from devi_jax.core.scene import Mesh, SceneSpec, Table
from devi_jax.core.scene_file import SceneFile, Thing, scene_file_to_json
from devi_jax.runs.json_io import write_json
from devi_jax.runs.progress import Steps
from devi_jax.runs.provenance import git_state, versions

if TYPE_CHECKING:
    from perception.scene.measured_thing import MeasuredThing
    from perception.scene.place_person import PlacedPerson
    from perception.scene.square_edges import SquareCamera
    from perception.scene.watch import TakenThing, WatchedFilm
    from perception.video.video import Video

SCHEMA = 1
"""Version of video.json."""
USUAL_FOV_DEG = 65.0
"""Field of view across the longer side that is assumed where nothing tells it: a phone's main camera."""
TABLE_EDGE_M, TABLE_MARGIN_M, TABLE_WIDE_M, USUAL_TABLE_M = 0.15, 0.3, 1.2, 0.8
"""The table begins so far before the person, reaches so far beyond the thing, is so wide, and usually so high."""
UNUSUAL_SIZE = 2.0
"""A thing this much larger or smaller than the catalogue's is worth a warning."""


@dataclass(frozen=True)
class FilmScene:
    """Make a scene out of a film of hands and a thing that stands."""

    video: tyro.conf.Positional[Path]
    """The film: a still camera, a thing that stands on something level, a hand that takes it."""
    thing: str = "can"
    """What it is: a model of the catalogue or a closed mesh (.obj, .glb, .stl); its width and height are fitted."""
    material: str = ""
    """What a mesh of your own is made of."""
    box: str = ""
    """X,Y,WIDTH,HEIGHT of the thing in the first frame, in the film's pixels; by default what a hand takes away."""
    mask: Path | None = None
    """Picture of the first frame's size that is white where the thing is, such as a segmenter's; in place of --box."""
    height_m: float | None = None
    """The thing's height; by default by the size of the hand that takes it."""
    marker_m: float | None = None
    """Edge of a printed ArUco or AprilTag marker that lies beside the thing: it tells tilt and scale."""
    focal_px: float | None = None
    """Focal length in the film's pixels."""
    fov_deg: float | None = None
    """Horizontal field of view in place of --focal-px. Where neither is said, edges at right angles to each other tell
    it; where they do not either, 65 across the longer side are assumed."""
    pitch_deg: float | None = None
    """How far the camera looks down; by default by upright edges, or by the thing's outline."""
    table_height_m: float | None = None
    """Height of what the thing stands on; 0 is the floor. By default the one at which the arm reaches best: where only
    hands are seen, nothing in the film tells it."""
    hand: Literal["left", "right", "auto"] = "auto"
    """Which hand it is, where one is seen; by default as the network says."""
    prompt: str = ""
    """What happens, in one sentence; by default that the hand lifts the thing."""
    keep_camera_motion: bool = False
    """Accept a film whose camera moves, or shows too little of its background to tell."""
    even: bool = False
    """Take a film whose frames are not evenly spaced in time, and write it anew with an even rate."""
    seconds: tuple[float, float] | None = None
    """From when to when of the film, such as 0 6.3; by default all of it. It has to begin with the thing untouched."""
    out: Path = Path("scene")
    """Folder for the files."""
    overwrite: bool = False
    """Replace the files of an earlier scene in that folder."""

    def validate(self) -> None:
        """Raise `ConfigError` for what can be known to be wrong before any work."""
        if (self.out / "scene.json").exists() and not self.overwrite:
            raise ConfigError(
                "there is a scene already", where=f"--out={self.out}", valid="a new folder, or --overwrite"
            )
        for one, other in (
            ("focal_px", "fov_deg"),
            ("box", "mask"),
            ("height_m", "marker_m"),
            ("pitch_deg", "marker_m"),
        ):
            if getattr(self, one) and getattr(self, other):
                flags = " and ".join(f"--{name.replace('_', '-')}" for name in (one, other))
                raise ConfigError(f"{flags} are both given", where="the flags", valid="one of them")
        for name, low, high in (
            ("height_m", 0.02, 3.0),
            ("marker_m", 0.005, 1.0),
            ("focal_px", 50.0, 20000.0),
            ("fov_deg", 10.0, 150.0),
            ("pitch_deg", 0.0, 80.0),
            ("table_height_m", 0.0, 1.5),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                where = f"--{name.replace('_', '-')}={value:g}"
                raise ConfigError("this cannot be", where=where, valid=f"{low:g} to {high:g}")
        self.parsed_box()

    def parsed_box(self) -> tuple[float, float, float, float] | None:
        """The four numbers of --box, None where it is not given. Raises `ConfigError` for anything else."""
        if not self.box:
            return None
        try:
            x, y, width, height = (float(part) for part in self.box.split(","))
        except ValueError:
            width = height = x = y = np.nan
        if not (np.isfinite([x, y]).all() and width > 0 and height > 0):
            valid = "X,Y,WIDTH,HEIGHT in pixels, such as --box=362,208,78,78"
            raise ConfigError("this is no box", where=f"--box={self.box}", valid=valid)
        return x, y, width, height


def scene(options: FilmScene) -> Path:
    """Write the scene, all files or none; returns its folder.

    Raises:
        DeviError: a film that will not do, a thing that is not found or does not fit, or a machine that lacks what is
            needed.
    """
    options.validate()
    # what the work needs and --help does not: OpenCV and MuJoCo take seconds, and may not be installed
    try:
        from perception.pipeline.stage_cache import digest
        from perception.scene.mask_file import read_mask
        from perception.scene.measured_thing import Said, measure_thing
        from perception.scene.moved_thing import Box
        from perception.scene.overlay import draw_scene
        from perception.scene.watch import find_taken_thing, watch
        from perception.scene.working_film import working_film
        from perception.video.video import probe
    except ImportError as error:
        fix = "pip install -e '.[perception]'"
        raise DeviceError(f"looking at videos needs {error.name}", where="scene", fix=fix) from error
    from devi_jax.scripted_video import compose
    from envs.embodiments.human import human
    from envs.scenes.find_model import find_model

    step = Steps()
    model = find_model(Thing("thing", options.thing, options.material), "--thing")
    film = probe(options.video)
    with filling(options.out) as folder:
        with step("film") as say:
            kept = (options.even, options.keep_camera_motion, say, options.seconds)
            video = working_film(film, folder / "video.mp4", *kept)
        with step("hands") as say:
            side = None if options.hand == "auto" else options.hand
            seen = watch(video, side, lambda done: say.part(done / video.frames))
            say(seen.summary)
        with step("thing") as say:
            given, mask = options.parsed_box(), None
            if options.mask is not None:
                mask = read_mask(options.mask, seen.first.shape[:2], "--mask")
            found = find_taken_thing(seen, given and Box(*given).scaled(video.width / film.width), mask)
            say(f"{int(found.mask.sum())} px, taken by the {found.side} hand in frame {found.taken}")
        with step("camera") as say:
            K, focal, edges = _intrinsics(options, film, video, seen, found)
            said = Said(options.pitch_deg, options.height_m, options.marker_m, *edges)
            measured = measure_thing(seen, found, model.mesh.vertices, model.mesh.faces, K, human().offsets, said)
            say("; ".join([focal, *measured.notes.values()]))
        with step("person") as say:
            person = _place(seen, found, measured, K, options.table_height_m)
            say(person.summary)
        mesh, yaw_deg = _thing_in_world(model.mesh, measured, person)
        with step("scene") as say:
            _write_obj(folder / "thing.obj", mesh)
            kilos = model.mass_kg * measured.standing.wide**2 * measured.standing.tall * measured.foot_m**3
            setup = _setup(options, found, str(folder / "thing.obj"), model.material, person.foot, yaw_deg, kilos)
            composed = compose.compose_scene(setup)
            say(composed.summary)
        camera = Camera(K, person.T_camera_world, video.width, video.height)
        start, mesh = composed.arranged.object_start, composed.arranged.models[setup.manipulated.name].mesh
        at = rot.rotate(np.broadcast_to(start[3:], (len(mesh.vertices), 4)), mesh.vertices) + start[:3]
        picture = draw_scene(seen.first, camera, at, mesh.faces, person.foot, found.mask)
        Image.fromarray(picture).save(folder / "overlay.png")
        Image.fromarray(found.mask).save(folder / "thing.png")
        written = _setup(options, found, "thing.obj", model.material, person.foot, yaw_deg, kilos)
        write_json(folder / "scene.json", scene_file_to_json(written))
        notes = {"focal": focal, **measured.notes, "taken": found.taken, "person": person.summary}
        notes |= {"standing": asdict(measured.standing)}
        source = {"path": str(options.video), "sha256": digest(options.video)}
        write_json(folder / "video.json", _record(video, source, camera, notes, options.keep_camera_motion))
    print(_told(options, mesh, model.mesh))
    return options.out


def _intrinsics(
    options: FilmScene, film: "Video", video: "Video", seen: "WatchedFilm", found: "TakenThing"
) -> tuple[np.ndarray, str, "tuple[SquareCamera | None, bool]"]:
    """The camera matrix (3, 3) of the working film, how its focal length is known, and what edges tell."""
    from perception.scene.square_edges import find_focal, find_tilt, straight_edges

    edges, size = straight_edges(seen.first, without=found.mask), (video.width, video.height)
    scale, square = video.width / film.width, None
    if options.focal_px:
        focal, how = scale * options.focal_px, "as said"
    elif options.fov_deg:
        focal, how = video.width / 2 / np.tan(np.radians(options.fov_deg) / 2), "as said"
    elif told := find_focal(edges, size):
        square, (least, most) = told
        focal, how = square.focal_px, f"{least / scale:.0f} to {most / scale:.0f}, by edges at right angles"
    else:
        focal = max(size) / 2 / np.tan(np.radians(USUAL_FOV_DEG) / 2)
        how = f"assumed ({USUAL_FOV_DEG:g} degrees across); --focal-px or --fov-deg say it"
    K = np.array([[focal, 0, video.width / 2], [0, focal, video.height / 2], [0, 0, 1.0]])
    tilted = square or find_tilt(edges, size, focal)
    return K, f"focal length {focal / scale:.0f} px, {how}", (tilted, square is not None)


def _place(
    seen: "WatchedFilm", found: "TakenThing", measured: "MeasuredThing", K: np.ndarray, height_m: float | None
) -> "PlacedPerson":
    """The person before the thing."""
    from devi_jax.core.skeleton import INDEX, JOINTS
    from devi_jax.scripted_video.place_human import standing_posture
    from envs.animation.kinematics.posed_scene import build_posed_scene, kinematics
    from envs.embodiments.human import human
    from perception.landmarks.hand_depth import hand_in_camera
    from perception.landmarks.network_palm import PALM_POINTS
    from perception.scene.place_person import SeenArm, Stander, place_person

    body, side = human(), found.side
    points = hand_in_camera(seen.hands.hands[side], K, body.offsets, side, measured.ground)
    points = points[np.isfinite(points[:, 0, 0])]
    stage = build_posed_scene(SceneSpec(_table(USUAL_TABLE_M if height_m is None else height_m, 0.4)))
    standing = kinematics(stage, standing_posture(stage, SceneFile("film").human))
    hidden = [joint for joint in JOINTS[: JOINTS.index("left_index1")] if not joint.startswith(side)]
    stander = Stander(
        np.array(standing.body(f"{side}_shoulder").xpos),
        float(sum(np.linalg.norm(body.offsets[INDEX[f"{side}_{name}"]]) for name in ("elbow", "wrist"))),
        np.array([standing.body(joint).xpos for joint in hidden]),
    )
    return place_person(
        measured.foot_m * np.linalg.solve(K, measured.standing.foot_ray),
        measured.standing.pitch_deg,
        SeenArm(side, points[:, 0], points[:, PALM_POINTS[1:]].mean(axis=1)),
        stander,
        height_m,
        K,
        (seen.first.shape[1], seen.first.shape[0]),
    )


def _table(height_m: float, thing_y: float) -> Table | None:
    """What the thing stands on; None for the floor."""
    if height_m < 0.05:
        return None
    deep = max(0.5, thing_y + TABLE_MARGIN_M - TABLE_EDGE_M)
    return Table((0.0, TABLE_EDGE_M + deep / 2), (TABLE_WIDE_M, deep, height_m))


def _thing_in_world(model: Mesh, measured: "MeasuredThing", person: "PlacedPerson") -> tuple[Mesh, float]:
    """The model as large as the thing is, its origin at its foot, and its turn in degrees."""
    from perception.scene.standing_thing import on_foot, standing_axes

    standing = measured.standing
    vertices = on_foot(model.vertices) * [standing.wide, standing.wide, standing.tall] * measured.foot_m
    _, first, back = np.unique(vertices.round(7), axis=0, return_index=True, return_inverse=True)
    faces = back.reshape(-1)[model.faces]
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    axes = person.T_camera_world[:3, :3].T @ standing_axes(standing.pitch_deg)
    yaw = standing.yaw_rad + np.arctan2(axes[1, 0], axes[0, 0])
    return Mesh(vertices[first], faces[whole]), round(float(np.degrees(yaw)), 2)


def _setup(
    options: FilmScene,
    found: "TakenThing",
    model: str,
    material: str,
    foot: np.ndarray,
    yaw_deg: float,
    mass_kg: float,
) -> SceneFile:
    name, (x, y, support_m) = Path(options.thing).stem, (round(float(value), 4) for value in foot)
    thing = Thing(name, model, material, (x, y), yaw_deg, mass_kg=round(mass_kg, 3))
    prompt = options.prompt or f"A person lifts the {name.replace('_', ' ')} with the {found.side} hand."
    return SceneFile(options.out.name or "film", table=_table(support_m, y), things=(thing,), prompt=prompt)


def _write_obj(path: Path, mesh: Mesh) -> None:
    import trimesh

    trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(path)


def _record(
    video: "Video", source: dict[str, str], camera: Camera, notes: dict[str, Any], keep_camera_motion: bool
) -> dict[str, Any]:
    """What video.json says: the camera, whose film it is, and how everything came to be known."""
    size = {"fps": video.fps, "frames": video.frames, "width": video.width, "height": video.height}
    kept = {"person": "hands", "keep_camera_motion": keep_camera_motion}
    made = {"command": sys.argv, "git": git_state(), "versions": versions()}
    return {"schema": SCHEMA, **size, "camera": asdict(camera), "film": source, **kept, "found": notes, **made}


def _told(options: FilmScene, mesh: Mesh, model: Mesh) -> str:
    """The lines at the end: how large the thing is, what is doubtful, where to look."""
    wide, _, tall = np.ptp(mesh.vertices, axis=0)
    lines = [f"the {Path(options.thing).stem}: {100 * wide:.1f} cm wide, {100 * tall:.1f} cm tall"]
    factor = tall / float(np.ptp(model.vertices[:, 2]))
    if not 1 / UNUSUAL_SIZE <= factor <= UNUSUAL_SIZE and not options.height_m:
        lines.append(f"warning: that is {factor:.1f} times the model's height; --height-m or --marker-m say it surely")
    lines.append(f"wrote {options.out}; look at {options.out / 'overlay.png'}")
    lines.append(f"next: python -m devi_jax.extract {options.out} --out=clip.npz")
    return "\n".join(lines)


def main(args: list[str] | None = None) -> None:
    """Run the command line; exit code 2 on bad input."""
    with exit_on_error():
        arguments = sys.argv[1:] if args is None else args
        scene(parse(FilmScene, arguments, prog="python -m devi_jax.scene", default=FilmScene(tyro.MISSING)))


if __name__ == "__main__":
    main()
