"""`python -m tests.architecture.room_map` writes docs/rooms.md: every folder, what it is for, and what it imports.

The map is read from the code: purposes are the first sentences of the folders' docstrings, arrows are their imports.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rooms.md"
PACKAGES = ("devi_jax", "envs", "agents", "perception")
COMMANDS = "commands"
"""The node of all modules directly in `devi_jax`: one command a file."""
HEAD = """# Rooms

What every folder is for, and which imports which. This page is written from the code by `make map`; a test says when it
is out of date. An arrow `a --> b` means that modules of `a` import modules of `b`; arrows that follow from others are
left out. What may import what is in `pyproject.toml`, under `tool.importlinter`.
"""

Edges = dict[str, set[str]]


def purpose(folder: Path) -> str:
    """The first paragraph of the folder's docstring, as one line."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split())


def imports() -> list[tuple[str, str]]:
    """Pairs (module, module that it imports directly) within the project."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return [(m, other) for m in sorted(graph.modules) for other in sorted(graph.find_modules_directly_imported_by(m))]


def room(module: str) -> str | None:
    """The node of the first picture: a folder of `devi_jax`, all its commands as one, or another package whole."""
    package, _, rest = module.partition(".")
    if package != "devi_jax":
        return package
    return folder_within("devi_jax", module) or (COMMANDS if rest else None)


def folder_within(package: str, module: str) -> str | None:
    """The folder directly in `package` that holds the module; None for modules elsewhere."""
    name = module.removeprefix(f"{package}.").partition(".")[0]
    inside = module.startswith(f"{package}.") and (ROOT / package / name / "__init__.py").exists()
    return name if inside else None


def edges(pairs: Iterable[tuple[str | None, str | None]]) -> Edges:
    """Nodes with all other nodes that they import; those that import none are there too."""
    out: Edges = defaultdict(set)
    for a, b in pairs:
        if a:
            out[a] |= {b} - {a} if b else set()
        if b:
            out[b] |= set()
    return dict(out)


def reduced(graph: Edges) -> Edges:
    """The same graph without arrows that follow from two or more others. The graph has no cycles."""
    return {a: {b for b in out if not any(b in _reach(graph, c) for c in out - {b})} for a, out in graph.items()}


def mermaid(graph: Edges) -> str:
    """A graph as a picture that GitHub draws."""
    nodes = [f"    {n}[{n}]" for n in sorted(graph)]
    arrows = [f"    {a} --> {b}" for a, out in sorted(reduced(graph).items()) for b in sorted(out)]
    return "\n".join(["```mermaid", "flowchart TD", *nodes, *arrows, "```"])


def table(package: str) -> str:
    """One line a folder, nested ones under their parents."""
    folders = sorted(p.parent for p in (ROOT / package).rglob("__init__.py"))
    rows = [f"| `{folder.relative_to(ROOT)}/` | {purpose(folder)} |" for folder in folders]
    return "\n".join(["| folder | what it is for |", "|---|---|", *rows])


def page() -> str:
    """The whole of docs/rooms.md."""
    pairs = imports()
    parts = [HEAD, mermaid(edges((room(a), room(b)) for a, b in pairs)), ""]
    for package in PACKAGES:
        inside = edges((folder_within(package, a), folder_within(package, b)) for a, b in pairs)
        picture = [mermaid(inside), ""] if inside and package != "devi_jax" else []
        parts += [f"## {package}", "", *picture, table(package), ""]
    return "\n".join(parts)


def _reach(graph: Edges, start: str) -> set[str]:
    seen, todo = set(), [start]
    while todo:
        new = graph.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
