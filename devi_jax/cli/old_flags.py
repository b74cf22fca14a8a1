"""Flags that have a new name: the old one works for one more version, and says so in one line."""

import sys
from collections.abc import Mapping, Sequence


def with_new_flags(arguments: Sequence[str], renamed: Mapping[str, str]) -> list[str]:
    """The arguments by today's names, and one line on stderr for each that had an old one.

    Args:
        arguments: a command line, without the program.
        renamed: old to new names as dotted paths of fields, such as `ppo.actor_rate`. A name stands for everything
            below it too, and the longest one that fits counts. A word of the first argument (a subcommand) may be
            renamed as well, by a name without dots.
    """
    out = []
    for i, word in enumerate(arguments):
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            new = "--" + _renamed(flag[2:], renamed).replace("_", "-")
            if new != flag.replace("_", "-"):
                _tell(flag, new)
                word = new + equals + value
        elif i == 0 and word in renamed:
            _tell(word, renamed[word])
            word = renamed[word]
        out.append(word)
    return out


def _renamed(flag: str, renamed: Mapping[str, str]) -> str:
    """A flag's path by its new name; `a.no-b` is the negation of `a.b`."""
    path = flag.replace("-", "_")
    *parents, last = path.split(".")
    negated = last.startswith("no_")
    if negated:
        positive = ".".join([*parents, last.removeprefix("no_")])
        new = _renamed(positive, renamed)
        if new != positive:
            *parents, last = new.split(".")
            return ".".join([*parents, f"no_{last}"])
    fitting = [old for old in renamed if path == old or path.startswith(f"{old}.")]
    if not fitting:
        return path
    old = max(fitting, key=len)
    return renamed[old] + path[len(old) :]


def _tell(old: str, new: str) -> None:
    print(f"note: {old} is now called {new}; the old name will go with the next version", file=sys.stderr)
