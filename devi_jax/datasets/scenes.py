"""What `--scene=` takes: the name of a bundled scene, or a scene file of the user's."""

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

from devi_jax.core.errors import SceneError, did_you_mean
from devi_jax.core.scene_file import SceneFile, Thing, scene_file_from_json


def bundled_scene_files() -> dict[str, Path]:
    """Names and files of the scenes that come with the project."""
    folder = Path(str(resources.files("devi_jax"))) / "data" / "scenes"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def load_scene_file(name_or_path: str | Path) -> SceneFile:
    """The scene of a bundled name or of a `.json` file; paths in a file are relative to its folder.

    Raises `SceneError` naming close matches, the file, or the field.
    """
    known = bundled_scene_files()
    path = known.get(str(name_or_path), Path(name_or_path))
    if path.suffix != ".json" or not path.is_file():
        name = str(name_or_path)
        raise SceneError(
            f"no such scene file: {name}" if path.suffix else f"no scene '{name}'{did_you_mean(name, known)}",
            where="--scene",
            valid=f"a bundled scene ({', '.join(known)}), or a .json file",
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SceneError(f"not readable as JSON ({error})", where=str(path), valid="a scene in JSON") from error
    setup = scene_file_from_json(data, str(path))
    return replace(setup, things=tuple(_from_folder(thing, path.parent) for thing in setup.things))


def _from_folder(thing: Thing, folder: Path) -> Thing:
    """The thing with the path of its mesh found from the scene's folder; names of models stay."""
    model = Path(thing.model)
    if not model.suffix or ":" in thing.model:
        return thing
    return replace(thing, model=str(folder / model.expanduser()))
