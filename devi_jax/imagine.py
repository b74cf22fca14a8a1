"""`python -m devi_jax.imagine --scene=lift_can --out=DIR`: a scene and a sentence become a first frame and a video.

Writes scene.json, frame0.png, video.mp4, video.json and, of a scripted motion, its truth as clip.npz.
"""

import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from devi_jax.cli import parse
from devi_jax.core.clip_io import save_clip
from devi_jax.core.errors import ConfigError, DeviceError, exit_on_error
from devi_jax.core.files import filling
from devi_jax.core.scene_file import SceneFile, scene_file_to_json
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.runs.json_io import write_json
from devi_jax.runs.progress import Steps
from devi_jax.runs.provenance import git_state, versions
from devi_jax.scripted_video import compose
from envs.animation import GradeName, Imperfection
from envs.animation.planner.motion import PlannedMotion, to_clip
from envs.scenes.appearance import Scan, read_scan_folder
from perception.generate import prompt as prompts
from perception.generate.command import Command
from perception.generate.file import File
from perception.generate.generator import Generator
from perception.generate.parse_prompt import PromptIntent, parse_prompt
from perception.generate.wan import Wan
from perception.video.degrade import ImageDegradation, degrade_frames
from perception.video.video import Video, write

FPS = 30.0
"""Of a scripted motion."""

SCHEMA = 1
"""Version of video.json."""


@dataclass(frozen=True)
class Imagine:
    """Make a video from a scene and a sentence."""

    scene: str = "lift_can"
    """Name of a bundled scene, or a scene file (.json)."""
    prompt: str = ""
    """What happens, in one sentence; by default the scene's own. With --llm, in any words."""
    generator: Literal["scripted", "wan", "command", "file"] = "scripted"
    """What makes the video: the built-in motion planner and renderer, a Wan model, any program, or an existing file."""
    out: Path = Path("imagined")
    """Folder for the files."""
    overwrite: bool = False
    """Replace the files of an earlier video in that folder."""
    llm: str = ""
    """Program that reads a request on stdin and prints the prompt, such as a language model's command line."""
    negative_prompt: str = prompts.NEGATIVE
    """What should not appear, for models that use a negative prompt."""
    target: tuple[float, float, float] | None = None
    """Where the object is put, x y z in metres, if the prompt names nothing to put it on."""
    appearance: str = ""
    """Appearance of the person; by default the scene's."""
    scan: Path | None = None
    """A scanned person (A.2): a folder as THuman2.0 has it, with one textured .obj and smplx_param.pkl, or an .npz,
    with the parameters of the SMPL-X that fits it. Needs --smplx."""
    smplx: Path | None = None
    """Your SMPLX_NEUTRAL.npz, of the gender that the scan was fitted with."""
    preset: Literal["paper", "hmr"] = "paper"
    """Focal length: half the image width as in DeVI, or the image diagonal, which human mesh recovery assumes."""
    camera: tuple[float, float, float] | None = None
    """Azimuth and elevation in degrees, distance in metres; by default the best of DeVI's six frontal views."""
    width: int = 1024
    """Image width in pixels, a multiple of 32; the aspect ratio is 16:9."""
    seed: int = 0
    """Seed of the generator and of all degradations."""
    keep_camera_motion: bool = False
    """Accept a video whose camera moves."""
    any_first_frame: bool = False
    """Accept a video whose first frame differs from frame0.png."""
    spoil: GradeName | None = None
    """Degrade the scripted motion as video models do: displaced wrists, jitter, open fingers."""
    wrong: Imperfection = field(default_factory=Imperfection)
    """The same by your own numbers, instead of --spoil."""
    imperfect: ImageDegradation = field(default_factory=ImageDegradation)
    """Degrade the images of a scripted video: motion blur, noise, flicker, compression."""
    wan: Wan = field(default_factory=Wan)
    """For --generator=wan."""
    command: Command = field(default_factory=Command)
    """For --generator=command."""
    file: File = field(default_factory=File)
    """For --generator=file."""

    def validate(self) -> None:
        """Raise `ConfigError` for what can be known to be wrong before any work."""
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError("there is a file of that name", where=f"--out={self.out}", valid="a new folder")
        if self.out.is_dir() and any(self.out.iterdir()) and not self.overwrite:
            where = f"--out={self.out}"
            raise ConfigError("the folder is not empty", where=where, valid="a new folder", fix="add --overwrite")
        if not 128 <= self.width <= 3840 or self.width % 32:
            raise ConfigError(f"the picture cannot be {self.width} wide", where="--width", valid="128, 160, ..., 3840")
        if bool(self.scan) != bool(self.smplx):
            given, lacks = ("--scan", "--smplx") if self.scan else ("--smplx", "--scan")
            raise ConfigError(f"{given} needs {lacks}", where=given, valid="--scan=FOLDER --smplx=SMPLX_NEUTRAL.npz")
        if self.scan and self.appearance:
            raise ConfigError("the person has two appearances", where="--scan, --appearance", valid="one of them")
        self.imperfect.validate()
        self.wrong.validate("--wrong")
        if self.spoil and self.wrong != Imperfection():
            raise ConfigError("the motion is degraded in two ways", where="--spoil, --wrong.*", valid="one of them")
        if self.generator != "scripted":
            self.maker.validate()

    @property
    def maker(self) -> Generator:
        """The generator asked for."""
        return {"wan": self.wan, "command": self.command, "file": self.file}[self.generator]


def imagine(options: Imagine) -> Path:
    """Make the files in `options.out`, all or none; returns the folder.

    Raises:
        DeviError: bad input, or a machine or video that will not do; nothing is written then.
    """
    options.validate()
    step = Steps()
    with filling(options.out) as folder:
        with step("prompt") as say:
            setup, sentence, intent = _read_prompt(options)
            say("; ".join([intent.summary, *intent.assumed]))
        with step("scene") as say:
            scene = compose.compose_scene(setup)
            say(scene.summary)
        person: str | Scan = options.appearance or setup.human.appearance
        if options.scan and options.smplx:
            with step("scan") as say:
                person = read_scan_folder(options.scan.expanduser(), options.smplx.expanduser())
                say(f"{len(person.skin.vertices)} vertices, texture {person.texture.shape[1]} px wide")
        motion = None
        if options.generator == "scripted":
            with step("motion") as say:
                motion = _scripted(options, scene, intent)
                say(f"{len(motion.qpos)} frames, {len(motion.qpos) / FPS:.1f} s")
        qpos = scene.posture[None] if motion is None else motion.qpos
        with step("camera") as say:
            view = compose.choose_camera(scene, qpos, intent.hands, options.preset, options.camera, options.width)
            say(view.summary)
        wrong = options.spoil or options.wrong
        if motion is not None and wrong != Imperfection():
            motion = compose.degrade_motion(motion, wrong, options.seed, view.camera)
            qpos = motion.qpos
        checks: dict[str, Any] = {}
        with compose.open_renderer(scene, person, view.camera) as renderer:
            with step("frame0"):
                frame0, mask0 = renderer.frame(qpos[0]), compose.foreground_mask(renderer, scene, qpos[0])
                Image.fromarray(frame0).save(folder / "frame0.png")
            with step("video") as say:
                path = folder / "video.mp4"
                if motion is not None:
                    video = _film(
                        options, compose.render_frames(renderer, qpos, options.imperfect.shutter_frames), path
                    )
                else:
                    video = options.maker.generate(frame0, sentence, options.negative_prompt, options.seed, path)
                say(video.summary)
        if motion is None:
            with step("check") as say:
                checks = _check(options, video, frame0, mask0)
                say(checks["summary"])
        else:
            save_clip(to_clip(motion, setup.name, view.camera, shlex.join(sys.argv)), folder / "clip.npz")
        write_json(folder / "scene.json", scene_file_to_json(setup))
        made = {"prompt": sentence, "intent": asdict(intent) | {"contact_pairs": intent.contact_pairs}}
        write_json(
            folder / "video.json", made | _record(options, video, view) | {"checks": checks, "seconds": step.seconds}
        )
    print(f"wrote {options.out}: {', '.join(sorted(p.name for p in options.out.iterdir()))}")
    return options.out


def _read_prompt(options: Imagine) -> tuple[SceneFile, str, PromptIntent]:
    """The setup as the prompt wants it, the prompt, and what it asks for."""
    setup = load_scene_file(options.scene)
    names = [thing.name for thing in setup.things]
    idea = options.prompt or setup.prompt
    if not idea:
        raise ConfigError("there is no prompt", where="--prompt", valid="one sentence: what the person does")
    sentence = prompts.complete_prompt(idea)
    if options.llm:
        sentence = prompts.rewrite_prompt(idea, names, prompts.by_command(options.llm))
    intent = parse_prompt(sentence, compose.spoken_names(setup))
    return compose.with_manipulated(setup, intent.thing, intent.target, sentence), sentence, intent


def _scripted(options: Imagine, scene: compose.ComposedScene, intent: PromptIntent) -> PlannedMotion:
    return compose.script_motion(scene, intent.action, intent.target or options.target, intent.hands)


def _film(options: Imagine, frames: Iterator[np.ndarray], path: Path) -> Video:
    knobs = options.imperfect
    return write(
        path, degrade_frames(frames, knobs, options.seed), FPS, knobs.crf, generator="scripted", seed=options.seed
    )


def _check(options: Imagine, video: Video, frame0: np.ndarray, mask0: np.ndarray) -> dict[str, Any]:
    """What was measured of a video that was not drawn here; raises `VideoError` where it will not do."""
    try:
        from perception.video.camera_motion import check_video
    except ImportError as error:
        fix = "pip install -e '.[perception]'"
        raise DeviceError(f"looking at videos needs {error.name}", where=options.generator, fix=fix) from error
    seen = check_video(video, frame0, mask0, options.keep_camera_motion, options.any_first_frame)
    return asdict(seen) | {"summary": seen.summary}


def _record(options: Imagine, video: Video, view: compose.CameraChoice) -> dict[str, Any]:
    """What video.json says of the video, its camera and its making."""
    size = {"fps": video.fps, "frames": video.frames, "width": video.width, "height": video.height}
    knobs = asdict(options.imperfect) | {"spoil": options.spoil, "wrong": asdict(options.wrong)}
    camera = asdict(view.camera) | {"scores": view.scores}
    looks = {"scan": options.scan, "smplx": options.smplx} if options.scan else {}
    made = {"command": sys.argv, "git": git_state(), "versions": versions()}
    knobs = knobs if options.generator == "scripted" else None
    return {
        "schema": SCHEMA,
        **size,
        "made_by": dict(video.provenance),
        "imperfect": knobs,
        "camera": camera,
        **looks,
        **made,
    }


def main(args: list[str] | None = None) -> None:
    """Run the command line; exit code 2 on bad input."""
    with exit_on_error():
        arguments = sys.argv[1:] if args is None else args
        imagine(parse(Imagine, arguments, prog="python -m devi_jax.imagine", default=Imagine()))


if __name__ == "__main__":
    main()
