"""`python -m devi_jax.bench [speed|gpu|learning|ablation|extract|film]`: how fast this machine or a GPU is, how soon
policies succeed on it, what the object's reward is worth, how well videos are understood, what becomes of real
films.
"""

import sys

from devi_jax.bench.ablation import run as ablation
from devi_jax.bench.extraction import run as extraction
from devi_jax.bench.film import run as film
from devi_jax.bench.learning import run as learning
from devi_jax.bench.speed import gpu
from devi_jax.bench.speed import run as speed

COMMANDS = {
    "speed": speed.main,
    "gpu": gpu.main,
    "learning": learning.main,
    "ablation": ablation.main,
    "extract": extraction.main,
    "film": film.main,
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point; `speed` is what is meant where neither is named."""
    arguments = sys.argv[1:] if arguments is None else arguments
    name = arguments[0] if arguments and arguments[0] in COMMANDS else None
    if name is None and {"-h", "--help"} & set(arguments):
        others = "gpu|learning|ablation|extract|film: a GPU, policies, the object's reward, videos, real films"
        print(f"python -m devi_jax.bench {others}; each has --help of its own\n")
    COMMANDS[name or "speed"](arguments[1:] if name else arguments)


if __name__ == "__main__":
    main()
