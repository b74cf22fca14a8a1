"""`python -m tests.golden.record [--add] [PYTEST ARGUMENTS]`: record the golden numbers anew, on purpose.

Without arguments all of them, by running the golden tests themselves; `-k steps` only some. `--add` keeps the numbers,
which then still have to fit, adds the digests of this machine to those that are compared bit for bit, and tells how far
its numbers are from the record; `XLA_FLAGS=--xla_cpu_max_isa=AVX2 OPENBLAS_CORETYPE=Haswell` makes another of it.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.golden.ledger import MODE


def main() -> int:
    """Entry point; pytest's exit code."""
    arguments = [a for a in sys.argv[1:] if a != "--add"]
    os.environ[MODE] = "add" if "--add" in sys.argv else "record"
    return pytest.main(["-q", "-s", "-p", "no:cacheprovider", str(Path(__file__).parent), *arguments])


if __name__ == "__main__":
    raise SystemExit(main())
