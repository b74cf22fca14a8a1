"""`python -m tests.golden.record [--add] [PYTEST ARGUMENTS]`: record the golden numbers anew, on purpose.

Without arguments all of them, by running the golden tests themselves; `-k steps` only some. `--add` keeps the numbers,
which then still have to fit, and adds the digests of this machine to those that are compared bit for bit.
"""

import os
import sys

import pytest

from tests.golden.ledger import MODE


def main() -> int:
    """Entry point; pytest's exit code."""
    arguments = sys.argv[1:]
    os.environ[MODE] = "add" if "--add" in arguments else "record"
    return pytest.main(["-q", "-p", "no:cacheprovider", "tests/golden", *(a for a in arguments if a != "--add")])


if __name__ == "__main__":
    raise SystemExit(main())
