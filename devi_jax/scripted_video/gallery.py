"""Pictures of the bundled clips: one strip a clip, and the page that shows them."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import load_clip
from devi_jax.core.scene_file import SceneFile
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.bundled_sets import FLOOR, GRADES, SETS, TABLETOP, graded
from devi_jax.datasets.load import bundled
from devi_jax.datasets.scenes import bundled_scene_files, load_scene_file
from devi_jax.rendering.camera_framing import third_person
from devi_jax.rendering.film import strip
from devi_jax.rendering.panels import Panel
from devi_jax.scripted_video.gallery_films import paragraphs, write_film
from envs.animation import build_posed_scene
from envs.animation.kinematics.to_clip import postures_of_clip

COLOURS = 96
"""Of a picture: few enough for a small file, enough for smooth limbs."""

FILMS = "gallery/films"
"""Where films lie beside the page."""

_SEEN = ("left_wrist", "right_wrist", "head")


def write_gallery(out: Path, films: Path | None = None) -> list[Path]:
    """Write `out`/gallery.md and `out`/gallery/NAME.png of every clean clip; returns the pictures' paths.

    `films`: a folder with imagined videos of bundled scenes, SCENE/video.mp4; they are made small and shown too.
    Without it the films that are there stay. Raises `DeviceError` when this machine cannot render.
    """
    clips = shown_clips()
    made = []
    for setup in scenes() if films is not None else ():
        video = films / setup.name / "video.mp4"  # type: ignore[operator]
        if video.is_file():
            made += write_film(video, out / FILMS / setup.name)
    pictures = [out / "gallery" / f"{clip.name}.png" for clip in clips]
    for clip, picture in zip(clips, pictures, strict=True):
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw(clip, picture)
    (out / "gallery.md").write_text(page(clips, filmed_scenes(out)))
    return pictures + made


def shown_clips() -> list[Clip]:
    """The clean bundled clips, as the page orders them."""
    return [load_clip(bundled()[name]) for name in (*TABLETOP, *FLOOR)]


def filmed_scenes(out: Path) -> list[SceneFile]:
    """The bundled scenes of which there is a film beside the page in `out`."""
    return [setup for setup in scenes() if (out / FILMS / f"{setup.name}.mp4").is_file()]


def scenes() -> list[SceneFile]:
    """The bundled scenes, by name."""
    return [load_scene_file(name) for name in sorted(bundled_scene_files())]


def draw(clip: Clip, path: Path) -> None:
    """Eight frames of a clip from its first to its last, as a PNG of few colours."""
    stage = build_posed_scene(clip.scene)
    qpos = postures_of_clip(stage, clip)
    seen = clip.joint_positions[:, [INDEX[joint] for joint in _SEEN]].reshape(-1, 3)
    camera = third_person(np.concatenate([seen, qpos[:, stage.object][:, :3]]), width=300, azimuth_deg=55.0)
    strip(path, Panel("", stage.model, qpos, camera), columns=8, height=260)
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def page(clips: list[Clip], films: list[SceneFile]) -> str:
    """The gallery as Markdown: clips, and the scenes that are filmed."""
    grades = ", ".join(f"`{graded('NAME', grade)}`" for grade in GRADES)
    lines = [
        "# The bundled clips",
        "",
        "Motions made by inverse kinematics, checked to be fit to imitate, with objects of the project's own making.",
        "Those of `tabletop-8` are written by hand (`python -m devi_jax.choreograph NAME`), the others are the",
        "planner's in bundled scenes (`python -m devi_jax.choreograph scripted NAME`). Pictures show references, not a",
        "policy.",
        "",
        "| set (`clips list --set=`) | clips |",
        "|---|---|",
        *(f"| `{name}` | {', '.join(names)} |" for name, names in SETS.items()),
        "",
        f"Each comes in {len(GRADES)} grades: {grades}. `mild` and `rough` are made wrong in the way of estimates from",
        "video: wrists off by 1 cm and 5°, or by 3 cm and 10° with fingers that close less than half, and trembling",
        "joints. `python -m devi_jax.choreograph degrade CLIP --grade=rough` does so to any choreographed clip. Real",
        "estimates are wrong in other ways and by more: [extraction.md](extraction.md) has those of scripted videos.",
        "",
        "Many are no task for a learner: open-loop replay of their reference passes already, and a policy that passes",
        "proves nothing ([results.md](results.md) calls them trivial). The hat meets no head: at a table nothing",
        "touches head or trunk ([fidelity.md](fidelity.md#body-and-physics)).",
        "",
        "`python -m devi_jax.choreograph gallery` draws this page again.",
    ]
    for clip in clips:
        lines += [
            "",
            f"## {clip.name}",
            "",
            f"{clip.duration_s:.1f} s, {_thing(clip)}; `python -m devi_jax.train --clip={clip.name}`.",
            "",
            f"![Eight frames of {clip.name}](gallery/{clip.name}.png)",
        ]
    lines += [
        "",
        "## Imagined",
        "",
        "Bundled scenes with the sentence that each comes with, as the scripted generator films them: a kinematic",
        "planner and MuJoCo's renderer, no physics and no policy. How to write a scene: [scenes.md](scenes.md).",
        "`python -m devi_jax.choreograph gallery --films=DIR` takes new ones, which imagine has left in `DIR/NAME`.",
        *paragraphs(films, FILMS),
    ]
    return "\n".join(lines) + "\n"


def _thing(clip: Clip) -> str:
    thing: Any = clip.scene.object
    hands = [side for k, side in enumerate(("left", "right")) if clip.contact[:, k].any()]
    held = f"{thing.mass_kg:g} kg, {' and '.join(hands)} hand{'s' if len(hands) > 1 else ''}"
    where = "" if clip.scene.table else ", from the floor"
    return held + where + (f", to the {clip.scene.target.name}" if clip.scene.target else "")
