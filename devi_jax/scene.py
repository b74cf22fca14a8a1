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
from devi_jax.core.camera import Camera
from devi_jax.core.errors import ConfigError, DeviceError, VideoError, exit_on_error
from devi_jax.core.files import filling, write_text
from devi_jax.core.scene import Mesh, SceneSpec, Table
from devi_jax.core.scene_file import SceneFile, Thing, scene_file_to_json
from devi_jax.runs.json_io import write_json
from devi_jax.runs.progress import Step, Steps
from devi_jax.runs.provenance import git_state, versions

if TYPE_CHECKING:
    from perception.scene.place_person import PlacedPerson
    from perception.scene.standing_thing import StandingThing
    from perception.scene.watch import TakenThing, WatchedFilm
    from perception.video.video import Video

SCHEMA = 1
"""Version of video.json."""
MOST_WIDE = 1024
"""Wider films are made smaller: networks and trackers look at less."""
LEAST_FRAMES = 10
USUAL_FOV_DEG = 65.0
"""Horizontal field of view that is assumed where nobody says it: a phone's main camera, held across."""
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
    """Horizontal field of view in place of --focal-px; 65 is assumed where neither is said."""
    pitch_deg: float | None = None
    """How far the camera looks down; by default by the thing's outline."""
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


@dataclass(frozen=True, eq=False)
class _Measured:
    """What the film told of the thing and the camera: `foot_m`, depth of the thing's foot, and how that is known."""

    K: np.ndarray
    standing: "StandingThing"
    foot_m: float
    notes: dict[str, Any]


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
        from perception.scene.overlay import draw_scene
        from perception.scene.watch import watch
        from perception.video.video import probe
    except ImportError as error:
        fix = "pip install -e '.[perception]'"
        raise DeviceError(f"looking at videos needs {error.name}", where="scene", fix=fix) from error
    from devi_jax.scripted_video import compose
    from envs.scenes.find_model import find_model

    step = Steps()
    model = find_model(Thing("thing", options.thing, options.material), "--thing")
    film = probe(options.video)
    with filling(options.out) as folder:
        with step("film") as say:
            video = _working_film(film, options, folder / "video.mp4", say)
        with step("hands") as say:
            side = None if options.hand == "auto" else options.hand
            seen = watch(video, side, lambda done: say.part(done / video.frames))
            say(_hands_seen(seen))
        with step("thing") as say:
            found = _find_thing(seen, options, video.width / film.width)
            say(f"{int(found.mask.sum())} px, taken by the {found.side} hand in frame {found.taken}")
        with step("camera") as say:
            measured = _measure(seen, found, model.mesh, options, film, video)
            say("; ".join(measured.notes.values()))
        with step("person") as say:
            person, body_notes = _place(seen, found, measured, options)
            say(body_notes)
        mesh, yaw_deg = _thing_in_world(model.mesh, measured, person)
        with step("scene") as say:
            _write_obj(folder / "thing.obj", mesh)
            kilos = model.mass_kg * measured.standing.wide**2 * measured.standing.tall * measured.foot_m**3
            setup = _setup(options, found, str(folder / "thing.obj"), model.material, person.foot, yaw_deg, kilos)
            say(compose.compose_scene(setup).summary)
        camera = Camera(measured.K, person.T_camera_world, video.width, video.height)
        at = _posed(mesh, person.foot, yaw_deg)
        picture = draw_scene(seen.first, camera, at, mesh.faces, person.foot, found.mask)
        Image.fromarray(picture).save(folder / "overlay.png")
        Image.fromarray(found.mask).save(folder / "thing.png")
        written = _setup(options, found, "thing.obj", model.material, person.foot, yaw_deg, kilos)
        write_json(folder / "scene.json", scene_file_to_json(written))
        source = {"path": str(options.video), "sha256": digest(options.video)}
        write_json(
            folder / "video.json", _record(video, source, camera, measured, found, person, options.keep_camera_motion)
        )
    print(_told(options, mesh, measured, model.mesh))
    return options.out


def _working_film(film: "Video", options: FilmScene, path: Path, say: Step) -> "Video":
    """The film as the other steps look at it: an even rate, an even size, a camera that stands still."""
    from perception.video.camera_motion import CameraMotionError, camera_paths, summarise
    from perception.video.steady import resized, steadied
    from perception.video.video import convert, read, write

    where = str(film.path)
    if film.frames < LEAST_FRAMES:
        raise VideoError(f"the film has {film.frames} frames", where=where, valid=f"{LEAST_FRAMES} frames or more")
    if not film.even and not options.even:
        fix = "--even writes it anew at an even rate"
        raise VideoError("its frames are not evenly spaced in time", where=where, valid="a constant rate", fix=fix)
    wide = min(film.width, MOST_WIDE) // 2 * 2
    tall = round(film.height * wide / film.width / 2) * 2
    if film.even:
        video = write(path, resized(read(film), wide, tall), film.fps)
    else:
        video = convert(film, path, float(round(film.fps)), wide, tall)
    say(film.summary)
    try:
        paths, tracks = camera_paths(video)
    except VideoError as error:
        if not options.keep_camera_motion:
            raise VideoError(error.what, where=where, valid=error.valid, fix=error.fix) from error
        say("whether the camera moves is not to be seen")
        return video
    motion = summarise(paths, video.width, video.height, tracks)
    say(motion.summary)
    limit = STEADIED_PX * video.width / 1024
    if motion.corner_px > limit and not options.keep_camera_motion:
        raise CameraMotionError(motion, limit, where, "film with a camera that stands, or --keep-camera-motion")
    if options.keep_camera_motion or motion.corner_px <= STILL_PX * video.width / 1024:
        return video
    say("steadied")
    return write(path, steadied(read(video), paths), video.fps)


STILL_PX, STEADIED_PX = 1.5, 12.0
"""By how much a camera may drift, in pixels of a picture 1024 wide, until it is steadied, and until it is refused."""


def _hands_seen(seen: "WatchedFilm") -> str:
    shares = {side: float(hand.seen.mean()) for side, hand in seen.hands.hands.items()}
    return ", ".join(f"{side} hand in {share:.0%} of frames" for side, share in shares.items() if share)


def _find_thing(seen: "WatchedFilm", options: FilmScene, scale: float) -> "TakenThing":
    """The thing's pixels: of --mask, in --box, or of what a hand takes."""
    from perception.scene.moved_thing import Box
    from perception.scene.watch import find_taken_thing

    given = options.parsed_box()
    box = Box(*given).scaled(scale) if given else None
    mask = None if options.mask is None else _read_mask(options.mask, seen.first.shape[:2])
    return find_taken_thing(seen, box, mask)


def _read_mask(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        image = Image.open(path).convert("L").resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    except (OSError, ValueError) as error:
        raise ConfigError(f"no picture can be read ({error})", where=f"--mask={path}", valid="a PNG") from error
    mask = np.asarray(image) > 127
    if not 20 <= mask.sum() < 0.8 * mask.size:
        what = f"{100 * mask.mean():.1f} % of the picture are white"
        raise ConfigError(what, where=f"--mask={path}", valid="white where the thing is, black elsewhere")
    return mask


def _measure(
    seen: "WatchedFilm", found: "TakenThing", mesh: Mesh, options: FilmScene, film: "Video", video: "Video"
) -> _Measured:
    """Focal length, tilt, and how far the thing is."""
    from envs.embodiments.human import human
    from perception.landmarks.hand_depth import hand_in_camera
    from perception.scene.marker import find_marker
    from perception.scene.size_by_hand import distance_by_hand, hand_at_thing
    from perception.scene.standing_thing import fit_standing_thing, on_foot, posed

    notes: dict[str, Any] = {}
    focal = options.focal_px or film.width / 2 / np.tan(np.radians(options.fov_deg or USUAL_FOV_DEG) / 2)
    said = options.focal_px or options.fov_deg
    notes["focal"] = f"focal length {focal:.0f} px, {'as said' if said else 'assumed (65 degrees across); --focal-px'}"
    focal *= video.width / film.width
    K = np.array([[focal, 0, video.width / 2], [0, focal, video.height / 2], [0, 0, 1.0]])
    marker = find_marker(seen.first, options.marker_m, K) if options.marker_m else None
    pitch = marker.pitch_deg if marker else options.pitch_deg
    standing = fit_standing_thing(found.mask, mesh.vertices, mesh.faces, K, pitch)
    how = "by the marker" if marker else "as said" if options.pitch_deg is not None else "by the thing's outline"
    notes["tilt"] = f"looks down by {standing.pitch_deg:.0f} degrees, {how}; overlap {standing.overlap:.0%}"
    if marker:
        foot_m = marker.depth_at(np.linalg.solve(K, standing.foot_ray))
        notes["scale"] = f"thing {foot_m:.2f} m away, by the marker {marker.name}"
    elif options.height_m:
        foot_m = options.height_m / (standing.tall * float(np.ptp(mesh.vertices[:, 2])))
        notes["scale"] = f"thing {foot_m:.2f} m away, by its height"
    else:
        points = hand_in_camera(seen.hands.hands[found.side], K, human().offsets, found.side)
        hand = hand_at_thing(points, found.taken, video.fps)
        at = posed(standing, on_foot(mesh.vertices), K)
        foot_m = distance_by_hand(hand, (at.min(axis=0) + at.max(axis=0)) / 2)
        notes["scale"] = (
            f"thing {foot_m:.2f} m away, by the {found.side} hand's size ({hand.spread_m * 1e3:.0f} mm spread)"
        )
    return _Measured(K, standing, foot_m, notes)


def _place(
    seen: "WatchedFilm", found: "TakenThing", measured: _Measured, options: FilmScene
) -> tuple["PlacedPerson", str]:
    """The person before the thing, and what is to be said of that."""
    from devi_jax.core.skeleton import INDEX, JOINTS
    from devi_jax.scripted_video.place_human import standing_posture
    from envs.animation.kinematics.posed_scene import build_posed_scene, kinematics
    from envs.embodiments.human import human
    from perception.landmarks.hand_depth import PALM_POINTS, hand_in_camera
    from perception.scene.place_person import SeenArm, Stander, place_person

    body, side = human(), found.side
    points = hand_in_camera(seen.hands.hands[side], measured.K, body.offsets, side)
    points = points[np.isfinite(points[:, 0, 0])]
    height = options.table_height_m
    stage = build_posed_scene(SceneSpec(_table(USUAL_TABLE_M if height is None else height, 0.4)))
    standing = kinematics(stage, standing_posture(stage, SceneFile("film").human))
    hidden = [joint for joint in JOINTS[: JOINTS.index("left_index1")] if not joint.startswith(side)]
    stander = Stander(
        np.array(standing.body(f"{side}_shoulder").xpos),
        float(sum(np.linalg.norm(body.offsets[INDEX[f"{side}_{name}"]]) for name in ("elbow", "wrist"))),
        np.array([standing.body(joint).xpos for joint in hidden]),
    )
    person = place_person(
        measured.foot_m * np.linalg.solve(measured.K, measured.standing.foot_ray),
        measured.standing.pitch_deg,
        SeenArm(side, points[:, 0], points[:, PALM_POINTS[1:]].mean(axis=1)),
        stander,
        height,
        measured.K,
        (seen.first.shape[1], seen.first.shape[0]),
    )
    told = (
        f"invented but for the hands: forearm {person.off_deg:.0f} degrees off the one seen, wrists "
        f"{person.beyond_m * 1e3:.0f} mm beyond its reach, {person.in_view:.0%} of the rest in view"
    )
    return person, told


def _table(height_m: float, thing_y: float) -> Table | None:
    """What the thing stands on; None for the floor."""
    if height_m < 0.05:
        return None
    deep = max(0.5, thing_y + TABLE_MARGIN_M - TABLE_EDGE_M)
    return Table((0.0, TABLE_EDGE_M + deep / 2), (TABLE_WIDE_M, deep, height_m))


def _thing_in_world(model: Mesh, measured: _Measured, person: "PlacedPerson") -> tuple[Mesh, float]:
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


def _posed(mesh: Mesh, foot: np.ndarray, yaw_deg: float) -> np.ndarray:
    yaw = np.radians(yaw_deg)
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1.0]])
    return mesh.vertices @ turn.T + foot


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
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in mesh.vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
    write_text(path, "\n".join(lines) + "\n")


def _record(
    video: "Video",
    source: dict[str, str],
    camera: Camera,
    measured: _Measured,
    found: "TakenThing",
    person: "PlacedPerson",
    keep_camera_motion: bool,
) -> dict[str, Any]:
    """What video.json says: the camera, whose film it is, and how everything came to be known."""
    standing = {k: v for k, v in asdict(measured.standing).items() if k != "foot_px"}
    return {
        "schema": SCHEMA,
        "fps": video.fps,
        "frames": video.frames,
        "width": video.width,
        "height": video.height,
        "camera": asdict(camera),
        "film": source,
        "person": "hands",
        "keep_camera_motion": keep_camera_motion,
        "found": {
            **measured.notes,
            "standing": standing,
            "taken": found.taken,
            "forearm_off_deg": person.off_deg,
            "beyond_reach_m": person.beyond_m,
        },
        "command": sys.argv,
        "git": git_state(),
        "versions": versions(),
    }


def _told(options: FilmScene, mesh: Mesh, measured: _Measured, model: Mesh) -> str:
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
