"""The list of films: what each is called, where it is from, and what had to be given by hand."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from devi_jax.core.errors import ConfigError

NEEDED = ("name", "file", "shows", "source", "licence", "scene")


@dataclass(frozen=True)
class Film:
    """A film of other people, which stays where it is.

    Attributes:
        name: what its rows are called.
        file: its name in the folder of films.
        shows: what happens in it, in a few words.
        source: where it is to be had.
        licence: its licence's SPDX identifier.
        scene: flags of `devi_jax.scene`.
        extract: flags of `devi_jax.extract`.
    """

    name: str
    file: str
    shows: str
    source: str
    licence: str
    scene: tuple[str, ...]
    extract: tuple[str, ...] = ()


def read_films(path: Path) -> list[Film]:
    """The films of a TOML list. Raises `ConfigError` for one that is not as `Film` says."""
    try:
        told = tomllib.loads(path.read_text()).get("film", [])
    except (OSError, ValueError) as error:
        valid = "TOML with a [[film]] for each"
        raise ConfigError(f"no list of films ({error})", where=f"--films={path}", valid=valid) from error
    films = [_film(path, number, one) for number, one in enumerate(told, 1)]
    names = [film.name for film in films]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"two films are called {twice}", where=f"--films={path}", valid="a name each")
    return films


def _film(path: Path, number: int, told: dict[str, object]) -> Film:
    where, known = f"--films={path}, film {number}", [field.name for field in fields(Film)]
    for name in NEEDED:
        if name not in told:
            raise ConfigError(f"{name} is missing", where=where, valid=", ".join(NEEDED))
    for name, value in told.items():
        if name not in known:
            raise ConfigError(f"nothing is called {name}", where=where, valid=", ".join(known))
        listed = name in ("scene", "extract")
        parts = value if isinstance(value, list) and listed else [value]
        if not all(isinstance(part, str) for part in parts) or (listed and not isinstance(value, list)):
            raise ConfigError(f"{name} = {value!r}", where=where, valid="a list of strings" if listed else "a string")
    return Film(**{name: tuple(value) if isinstance(value, list) else value for name, value in told.items()})  # type: ignore[arg-type]
