"""`python -m tests.architecture.plain_help`: every command answers `--help`, on two screens, with the plain install.

Refuses to judge where an optional package is there; `--block` hides them instead, as the test does. Needs no pytest.
"""

import contextlib
import importlib.util
import io
import os
import runpy
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accelerate", "ai_edge_litert", "beartype", "brax", "cv2", "diffusers", "ftfy", "gymnasium", "hypothesis")
PACKAGES += ("jaxlie", "nbformat", "onnx", "onnxruntime", "peft", "pytest", "smplx", "stable_baselines3", "torch")
PACKAGES += ("transformers", "viser", "warp")
"""What only extras bring, by import names."""
TWO_SCREENS = 100
"""Most lines of a command's help, 120 columns wide; settings in groups are left to `--help-all`."""
MADE = ("lift-can", "lift-box", "pick-place", "pour-bottle", "drink-mug", "push-box", "hammer", "hat")
WORDS = {
    "bench": ("speed", "gpu", "learning", "extract", "film"),
    "choreograph": (*MADE, "script", "scripted", "follow", "degrade", "gallery"),
    "clips": ("list", "show", "convert", "check", "repair"),
}
"""Commands within commands."""


class Blocked:
    """A finder before all others, by which optional packages are not there."""

    def find_spec(self, name: str, path=None, target=None) -> None:
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def commands() -> list[list[str]]:
    """Every command as module and words: what runs in `devi_jax`, and the commands within."""
    modules = sorted(p for p in (ROOT / "devi_jax").glob("*.py") if "__main__" in p.read_text())
    packages = sorted(p.parent for p in (ROOT / "devi_jax").glob("*/__main__.py"))
    within = [[f"devi_jax.{name}", word] for name, words in WORDS.items() for word in words]
    return [[f"devi_jax.{p.stem}"] for p in [*modules, *packages]] + within


def failure(module: str, *words: str) -> str:
    """Why a command gives no help or too much of it, empty if it does neither."""
    told, arguments = io.StringIO(), sys.argv
    sys.argv = [module, *words, "--help"]
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            runpy.run_module(module, run_name="__main__")
    except SystemExit as stop:
        text = told.getvalue()
        if stop.code not in (0, None) or "usage" not in text:
            return text[-500:] or "no words"
        return f"{lines} lines" if (lines := text.count("\n")) > TWO_SCREENS else ""
    except BaseException:
        return traceback.format_exc(limit=-3)
    finally:
        sys.argv = arguments
    return "it goes on after its help"


def main() -> None:
    """Print every command that fails and leave with exit code 1 if there is one."""
    if "--block" in sys.argv:
        sys.meta_path.insert(0, Blocked())
    elif there := [name for name in PACKAGES if importlib.util.find_spec(name)]:
        raise SystemExit(f"not a plain install: {', '.join(there)}")
    os.environ["COLUMNS"] = "120"
    asked = commands()
    failed = [(words, why) for words in asked if (why := failure(*words))]
    for words, why in failed:
        print(f"{' '.join(words)} --help:\n{why}", file=sys.stderr)
    print(
        f"{len(asked) - len(failed)} of {len(asked)} commands answer --help on two screens, without optional packages"
    )
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
