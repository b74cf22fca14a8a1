"""`python -m devi_jax.extract DIR --out=clip.npz`: a video of a known scene becomes a clip, with a film of it.

Each stage leaves one versioned file in --work; what is done is not done again, and a file put there by hand is used.
"""

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from PIL import Image

from devi_jax.cli import parse
from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import load_clip, save_clip
from devi_jax.core.errors import ConfigError, DeviceError, exit_on_error
from devi_jax.core.scene_file import SceneFile
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.runs.json_io import jsonable, write_json
from devi_jax.runs.progress import Steps
from perception.align.config import AlignConfig
from perception.contact.contact_labels import ContactConfig, estimated
from perception.generate.parse_prompt import parse_prompt
from perception.human.evidence import FirstPose
from perception.human.merge_body_and_hands import UnifyConfig
from perception.human.scene_prior import Person, ScenePrior
from perception.pipeline.camera_file import FilmNotes, check_fits_camera, read_camera, read_film_notes
from perception.pipeline.config import PipelineConfig, Stage
from perception.pipeline.inputs import AUTO
from perception.pipeline.stage_cache import StageCache, digest, key_of
from perception.pipeline.to_clip import to_clip
from perception.scene.mask_file import read_mask
from perception.tools.locations import ToolLocations, ToolName
from perception.video.video import Video, probe, read, write


@dataclass(frozen=True)
class Extract:
    """Turn a video of a known scene into a clip."""

    video: tyro.conf.Positional[Path]
    """A folder written by imagine or by scene, or a video file, which needs --scene and --camera."""
    scene: str = ""
    """Scene file (.json) or name of a bundled scene; by default scene.json of the folder."""
    camera: Path | None = None
    """JSON file with K, T_camera_world, width and height, at the top or under "camera"; by default video.json of the
    folder."""
    body: str = AUTO
    """Body estimate: `auto` for the built-in networks, TOOL:FILE for a tool's result (gvhmr, gvhmr-world, gem, sam3d),
    or FILE.npz for a BodyMotion of your own."""
    hands: str = AUTO
    """Hand estimates, which go with any body: `auto`, TOOL:FILE (hamer, wilor, gem, sam3d), or LEFT.npz,RIGHT.npz, one
    HandMotion each."""
    points: str = AUTO
    """Tracks of the object's points: `auto` for the built-in tracker, TOOL:FILE (cotracker, tapir, spatracker), or
    FILE.npz for PointTracks of your own."""
    masks: str = ""
    """Segmentation masks: TOOL:FILE (sam3) or FILE.npz. The object's poses are held against the one that covers it in
    the first frame."""
    depth: str = ""
    """Depth maps: TOOL:FILE (spatracker) or FILE.npz. Checked against the video and stored; no later stage uses them
    yet."""
    run: tuple[ToolName, ...] = ()
    """Estimators to start in your own environments, for the stages they estimate that no other flag sets. Each tool's
    flags say where it is: --run gvhmr hamer --gvhmr.python=PYTHON --gvhmr.repo=CHECKOUT --hamer.python=PYTHON ..."""
    out: Path = Path("clip.npz")
    """The clip to write; a film of what was recognised goes beside it: clip-overlay.mp4."""
    work: Path | None = None
    """Folder for the files of all stages; by default clip-stages beside the clip."""
    again: tuple[Stage | ToolName, ...] = ()
    """Stages and tools to run again, even if they are finished or their files are your own."""
    overwrite: bool = False
    """Replace an earlier clip and its film."""
    first_frame: Literal["rigid", "yaw"] = "rigid"
    """How a tool's motion is placed in the scene: by a rigid transform of the first frame, or only turned about the
    vertical."""
    any_first_frame: bool = False
    """Accept a video whose first frame differs from the scene."""
    keep_camera_motion: bool = False
    """Accept a video whose camera moves."""
    accept_poor: bool = False
    """Write the clip even where it is not what the film shows: a figure of its quality is beyond what is acceptable."""
    grip: Literal["likeliest", "seen"] = "likeliest"
    """How hands hold the object: by the most likely grasp, which a policy needs to lift it, or as estimated, which
    grasps nothing where the object hides the fingers."""
    truth: Path | None = None
    """Ground-truth clip of a scripted video: every stage is evaluated against it, into clip-measured.json."""
    unify: UnifyConfig = field(default_factory=UnifyConfig)
    """How hands of one tool replace the wrists of another (A.5)."""
    align: AlignConfig = field(default_factory=AlignConfig)
    """Visual HOI alignment (Eq. 10-14)."""
    contact: ContactConfig = field(default_factory=estimated)
    """Contact labels (Algorithm 1)."""
    tools: Annotated[ToolLocations, tyro.conf.arg(name="")] = field(default_factory=ToolLocations)
    """Where the tools of --run are."""

    @property
    def folder(self) -> Path:
        """Where the stages' files are."""
        return self.work or self.out.with_name(f"{self.out.stem}-stages")

    @property
    def film(self) -> Path:
        """Where the overlay goes."""
        return self.out.with_name(f"{self.out.stem}-overlay.mp4")

    @property
    def refused(self) -> Path:
        """Where the overlay of a clip goes that is not written."""
        return self.folder / "refused-overlay.mp4"

    @property
    def measured(self) -> Path:
        """Where the figures go, if there is a truth."""
        return self.out.with_name(f"{self.out.stem}-measured.json")

    def validate(self) -> None:
        """Raise `ConfigError` for what can be known to be wrong before any work."""
        if self.out.suffix != ".npz":
            raise ConfigError("a clip is an .npz", where=f"--out={self.out}", valid="clip.npz")
        there = [path for path in (self.out, self.film, *[self.measured] * bool(self.truth)) if path.exists()]
        if there and not self.overwrite:
            valid, fix = "a new file", "add --overwrite; finished stages are kept all the same"
            raise ConfigError(f"{there[0]} is there already", where=f"--out={self.out}", valid=valid, fix=fix)
        self.sources.validate()

    @property
    def sources(self) -> PipelineConfig:
        """Where estimates come from, as perception has it."""
        return PipelineConfig(
            self.body,
            self.hands,
            self.points,
            self.masks,
            self.depth,
            self.run,
            self.tools,
            self.first_frame,
            self.unify,
            self.align,
            self.contact,
        )


def extract(options: Extract) -> Path:
    """Write the clip and its film, both or none; returns the clip's path.

    Raises:
        DeviError: bad input, a clip that is not what the film shows, or a machine that lacks what is needed; finished
            stages stay in `options.folder`.
    """
    options.validate()
    # what the work needs and --help does not: torch, OpenCV, MuJoCo and JAX take seconds, and may not be installed
    try:
        from perception.evaluation.evaluate import evaluate_extraction
        from perception.pipeline import steps
        from perception.pipeline.stages import ExtractionPipeline
        from perception.quality.against_seen import SeenVideo, quality
        from perception.quality.figure import brief, of_verdict, refuse_poor, table
        from perception.video.camera_motion import check_video
        from perception.video.overlay import overlay
    except ImportError as error:
        fix = "pip install -e '.[perception]'"
        raise DeviceError(f"looking at videos needs {error.name}", where="extract", fix=fix) from error
    from devi_jax.clip_tools.repair import with_inferred_grasp
    from devi_jax.runs.provenance import git_state, versions

    step = Steps()
    with step("video") as say:
        path, scene, camera, film = _inputs(options)
        video = check_fits_camera(probe(path), camera)
        truth = load_clip(options.truth) if options.truth else None
        say(video.summary)
    with step("scene") as say:
        setup = load_scene_file(scene)
        known, frame0, mask = _known(setup, camera, video, film.person)
        say(f"{setup.name}: {setup.manipulated.name} and a human")
    with step("camera") as say:
        keep = options.keep_camera_motion or film.keep_camera_motion
        say(check_video(video, frame0, mask, keep, options.any_first_frame).summary)
    sources = replace(options.sources, contact=_prompted(options.contact, known))
    source = {"path": str(path), "sha256": digest(path)}
    key = key_of(source["sha256"], repr(setup), film.person, camera.K.tolist(), camera.T_camera_world.tolist())
    stages = ExtractionPipeline(sources, video, known, key, StageCache(options.folder, options.again), step)
    human, points = stages.human(), stages.points()
    steps.object_tracks(points, known)  # raises where none is on the object, before the stages that take minutes
    thing = stages.thing(points)
    masks = stages.masks()
    stages.depth()
    motion = stages.aligned(human, points, thing)
    with step("clip") as say:
        made = {"command": shlex.join(sys.argv), "git": git_state(), "versions": versions()}
        told = {"video": source, **made, "stages": stages.told, "contact": asdict(sources.contact)}
        thing, whole = steps.carry_object(thing, points, human, motion, known, sources.contact, read(video))
        recovered = steps.reconstruct(motion, points, whole, known, jsonable(told), thing.found)
        clip = to_clip(setup.name, recovered, sources.contact)
        say(_summary(clip, points.xy.shape[1]))
    seen = clip
    if options.grip == "likeliest":
        with step("grip") as say:
            clip = with_inferred_grasp(seen, human.hands_seen if film.person == "hands" else None)
            say("; ".join(clip.provenance.get("repaired", ["as seen: no object poses, or no contact"])))
    with step("quality") as say:
        figures = quality(clip, SeenVideo(human, points, thing, known), masks)
        say(brief(figures))
        clip = replace(clip, provenance={**clip.provenance, "quality": [figure.record for figure in figures]})
    print(table(figures))
    if truth is not None:
        with step("truth") as say:
            motions = {"raw": stages.body_alone(), "unified": human.motion, "aligned": motion}
            if clip is not seen:
                motions["gripped"] = replace(motion, rotations=clip.joint_rotations)
            found = evaluate_extraction(seen, motions, human, known, truth)
            write_json(options.measured, {"seconds": step.seconds, **asdict(found)})
            say(found.brief)
    if not options.accept_poor and of_verdict(figures, "poor"):
        write(options.refused, overlay(read(video), clip), video.fps)
        refuse_poor(figures, str(options.refused))
    with step("overlay") as say:
        write(options.film, _told(overlay(read(video), clip), video.frames, say.part), video.fps)
        save_clip(clip, options.out)
    print(f"wrote {options.out}, {options.film}; the stages are in {options.folder}")
    return options.out


def _summary(clip: Clip, points: int) -> str:
    poses = "with object poses" if clip.object_poses else f"no object poses: {clip.provenance['object_poses']['why']}"
    held = ", ".join(f"{side} {int(n)}" for side, n in zip(("left", "right"), clip.contact.sum(axis=0), strict=True))
    return f"{clip.frames} frames, {points} points, {poses}; frames of contact: {held}"


def _told(frames: Iterable[np.ndarray], count: int, part: Callable[[float], None]) -> Iterator[np.ndarray]:
    """The frames, each counted as it passes."""
    for t, frame in enumerate(frames):
        part(t / count)
        yield frame


def _inputs(options: Extract) -> tuple[Path, str, Camera, FilmNotes]:
    """The video, the scene, the camera and what is said of the film: of the folder that imagine or scene wrote, or as
    flags say."""
    folder = options.video if options.video.is_dir() else None
    scene = options.scene or (str(folder / "scene.json") if folder else "")
    camera = options.camera or (folder / "video.json" if folder else None)
    missing = [flag for flag, value in (("--scene", scene), ("--camera", camera)) if not value]
    if camera is None or missing:
        valid = "a folder written by python -m devi_jax.imagine or devi_jax.scene, or a video with both flags"
        raise ConfigError(f"{' and '.join(missing)} is not said", where=str(options.video), valid=valid)
    notes = read_film_notes(camera) if folder else FilmNotes()
    return (folder / "video.mp4" if folder else options.video), scene, read_camera(camera), notes


def _known(
    setup: SceneFile, camera: Camera, video: Video, person: Person = "whole"
) -> tuple[ScenePrior, np.ndarray, np.ndarray]:
    """What is known from the scene, the first frame as it should look, and its pixels of person and things.

    A scene out of a film begins with the film's own first frame, in which `thing.png` has the thing's pixels.
    """
    from devi_jax.scripted_video import compose

    scene = compose.compose_scene(setup)
    if person == "hands":
        frame0 = next(read(video))
        mask = inside = read_mask(video.path.with_name("thing.png"), frame0.shape[:2], "the scene's folder")
    else:
        with compose.open_renderer(scene, setup.human.appearance, camera) as renderer:
            inside = renderer.segmentation(scene.posture) == renderer.model.body("object").id
            mask = compose.foreground_mask(renderer, scene, scene.posture)
            given = video.path.with_name("frame0.png")
            frame0 = np.asarray(Image.open(given).convert("RGB")) if given.is_file() else renderer.frame(scene.posture)
    stage, mesh = scene.stage, scene.arranged.models[setup.manipulated.name].mesh
    first = FirstPose(
        rotations=scene.posture[stage.layout.rotation_qpos],
        root=scene.posture[stage.root],
        offsets=scene.body.offsets,
    )
    hands = parse_prompt(setup.prompt, compose.spoken_names(setup)).hands if setup.prompt else ()
    known = ScenePrior(
        camera,
        scene.arranged.scene,
        first,
        mesh.vertices,
        mesh.faces,
        scene.arranged.object_start,
        inside,
        hands,
        setup.manipulated.name.replace("_", " "),
        person,
    )
    return known, frame0, mask


def _prompted(config: ContactConfig, known: ScenePrior) -> ContactConfig:
    """Who may hold the object: by default the hands that the prompt names."""
    if config.hands != "nearest" or not known.hands:
        return config
    return replace(config, hands="both" if len(known.hands) == 2 else known.hands[0])


def main(args: list[str] | None = None) -> None:
    """Run the command line; exit code 2 on bad input."""
    with exit_on_error():
        arguments = sys.argv[1:] if args is None else args
        extract(parse(Extract, arguments, prog="python -m devi_jax.extract", default=Extract(tyro.MISSING)))


if __name__ == "__main__":
    main()
