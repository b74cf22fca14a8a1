"""How much room the bounds of simulated outcomes have: the tests marked `simulated` under several conditions.

    python -m tests.spread [--isa=SSE4_2,AVX2,AVX512] [--seeds=3] [--all] [PYTEST ARGUMENT ...]

Each instruction set runs the exact start and that many starts with 1e-6 of noise. Shown are figures whose worst is
nearer to a bound than they spread by, or beyond it; `--all` shows every figure. Ends with 1 if anything failed.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.simulated import FIGURES, JITTER, SEED

CORES = {"SSE4_2": "Nehalem", "AVX2": "Haswell", "AVX512": "SkylakeX"}
"""OpenBLAS's kernels for what XLA may use at most."""
SIZE = "1e-6"


@dataclass(frozen=True)
class Condition:
    """An instruction set, and which noise the starts have; none for `seed` None."""

    isa: str
    seed: int | None

    def __str__(self) -> str:
        return f"{self.isa} {'exact' if self.seed is None else f'seed {self.seed}'}"

    def environment(self, figures: Path) -> dict[str, str]:
        """Variables of a process under this condition."""
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa={self.isa}".strip()
        out = {
            **os.environ,
            "XLA_FLAGS": flags,
            "OPENBLAS_CORETYPE": CORES[self.isa],
            FIGURES: str(figures),
            "COLUMNS": "200",
        }
        out |= {JITTER: "0"} if self.seed is None else {JITTER: SIZE, SEED: str(self.seed)}
        return out


def run(condition: Condition, arguments: list[str]) -> tuple[list[dict], list[str]]:
    """Rows of figures, and the names of tests that failed."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-m", "simulated", *arguments]
        done = subprocess.run(command, env=condition.environment(figures), capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"pytest ended with {done.returncode} under {condition}:\n{done.stdout}{done.stderr}")
        lines = done.stdout.splitlines()
        print(f"{condition}: {lines[-1]}", flush=True)
        rows = [json.loads(line) for line in figures.read_text().splitlines()] if figures.exists() else []
    return rows, [line for line in lines if line.startswith(("FAILED", "ERROR"))]


def room(rows: list[dict]) -> float:
    """How far the worst is from its bound, in widths of the spread; negative beyond it, infinite without a spread."""
    found = [math.inf]
    for side, bound in (("least", rows[0]["low"]), ("most", rows[0]["high"])):
        sign, values = 1 if side == "most" else -1, [row[side] for row in rows]
        left = min(sign * (bound - value) for value in values)
        found.append(left / max(max(values) - min(values), 1e-12) if math.isfinite(bound) else math.inf)
    return min(found)


def report(figures: dict[str, list[dict]], everything: bool) -> None:
    """A line a figure, the one with the least room first."""
    for name in sorted(figures, key=lambda name: room(figures[name])):
        rows, left = figures[name], room(figures[name])
        if everything or left < 1:
            least, most = min(row["least"] for row in rows), max(row["most"] for row in rows)
            bounds = f"{rows[0]['low']:g} .. {rows[0]['high']:g}"
            print(
                f"{min(left, 999):6.3g}  {least:10.4g} .. {most:<10.4g} of {len(rows):<3}  bounds {bounds:<18}  {name}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.spread", description="Room of the bounds of simulations.")
    parser.add_argument("--isa", default=",".join(CORES), help="instruction sets, separated by commas")
    parser.add_argument("--seeds", type=int, default=3, help="noisy starts for each instruction set")
    parser.add_argument("--all", action="store_true", help="every figure, not only those with little room")
    options, arguments = parser.parse_known_args()
    figures, failed = defaultdict(list), Counter()
    for isa in options.isa.split(","):
        for seed in (None, *range(options.seeds)):
            rows, wrong = run(Condition(isa, seed), arguments)
            failed.update(wrong)
            seen = Counter()
            for row in rows:
                name = f"{row['test']}: {row['what']}"
                seen[name] += 1
                figures[f"{name} ({seen[name]})" if seen[name] > 1 else name].append(row)
    print("\nroom, in widths of the spread; the spread; its bounds")
    report(figures, options.all)
    for line, times in failed.items():
        print(f"{times} times {line}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
