"""`python -m tests.architecture.plain_help`: every command answers `--help` with nothing but the plain install.

Refuses to judge where an optional package is there; `--block` hides them instead, as the test does. Needs no pytest.
"""

import contextlib
import importlib.util
import io
import runpy
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accelerate", "ai_edge_litert", "beartype", "brax", "cv2", "diffusers", "ftfy", "gymnasium", "hypothesis")
PACKAGES += ("jaxlie", "nbformat", "onnx", "onnxruntime", "peft", "pytest", "smplx", "stable_baselines3", "torch")
PACKAGES += ("transformers", "viser", "warp")
"""What only extras bring, by import names."""


class Blocked:
    """A finder before all others, by which optional packages are not there."""

    def find_spec(self, name: str, path=None, target=None) -> None:
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def commands() -> list[list[str]]:
    """Every command as module and words: what runs in `devi_jax`, and what `bench` tells apart."""
    modules = sorted(p for p in (ROOT / "devi_jax").glob("*.py") if "__main__" in p.read_text())
    packages = sorted(p.parent for p in (ROOT / "devi_jax").glob("*/__main__.py"))
    return [[f"devi_jax.{p.stem}"] for p in [*modules, *packages]] + [
        ["devi_jax.bench", word] for word in ("speed", "gpu", "learning", "extract")
    ]


def failure(module: str, *words: str) -> str:
    """Why a command gives no help, empty if it does."""
    told, arguments = io.StringIO(), sys.argv
    sys.argv = [module, *words, "--help"]
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            runpy.run_module(module, run_name="__main__")
    except SystemExit as stop:
        return "" if stop.code in (0, None) and "usage" in told.getvalue() else told.getvalue()[-500:] or "no words"
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
    asked = commands()
    failed = [(words, why) for words in asked if (why := failure(*words))]
    for words, why in failed:
        print(f"{' '.join(words)} --help:\n{why}", file=sys.stderr)
    print(f"{len(asked) - len(failed)} of {len(asked)} commands answer --help without optional packages")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
