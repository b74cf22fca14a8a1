"""The report of `bench speed` as a page of Markdown."""

from math import log2
from typing import Any

from devi_jax.bench.markdown import table

TARGETS = {"environment": 0.9, "iteration": 0.5, "sb3": 3.0, "mjx": 15.0, "devices": 1.7, "bytes": 60_000}
"""What is aimed at: shares of the raw engine, times the rate of others and of one device, bytes an environment."""
POD_CHIPS = (8, 32, 128)


def page(report: dict[str, Any], picture: str | None = None) -> str:
    """All tables that the report has figures for."""
    parts = [_head(report)]
    if picture is not None:
        parts.append(f"![Rates, time and memory of one run]({picture})\n")
    parts += [
        _phases(report),
        _other_libraries(report),
        _devices(report),
        _memory(report),
        _sizes(report),
        _pod(report),
    ]
    return "\n".join(part for part in parts if part)


def sb3_rate(report: dict[str, Any]) -> float | None:
    """Training steps a second of Stable-Baselines3, the faster of its two vector environments."""
    rates = [r["rate"] for name, r in report["rivals"].items() if name.startswith("sb3") and "rate" in r]
    return max(rates, default=None)


def growth(report: dict[str, Any]) -> dict[str, float] | None:
    """Bytes that one more environment takes, with the raw engine alone and beside it, between the outermost counts."""
    whole = [m for m in report["memory"] if all(isinstance(m[k], int) for k in ("raw", "environment"))]
    if len(whole) < 2:
        return None
    first, last = whole[0], whole[-1]
    more = last["environments"] - first["environments"]
    raw = (last["raw"] - first["raw"]) / more
    return {"engine": raw, "beside": (last["environment"] - first["environment"]) / more - raw}


def _head(report: dict[str, Any]) -> str:
    git, load = report["git"], report["load"]
    commit = git["commit"][:10] + ("+" if git.get("dirty") else "") if git else "unknown"
    words = ", ".join("/".join(map(str, load[k])) for k in ("before", "after")) if load["before"] else "unknown"
    return (
        f"`{report['command']}`, {report['date']}, {report['machine']}, commit {commit}. Medians, in turns. "
        f"Load average over 1, 5 and 15 minutes before and after: {words}; on a busy machine read the ratios.\n"
    )


def _phases(report: dict[str, Any]) -> str:
    phases, rates, ratios = report["phases"], report["rates"], report["ratios"]
    rows = [
        ("raw `mujoco.batch`", f"{rates['raw']:,.0f} control steps/s", "1", ""),
        (f"environment on `{report['engine']}`", *_share("environment", rates, ratios)),
        ("rollout: environment and networks", f"{rates['rollout']:,.0f} steps/s", f"{ratios['rollout']:.2f}", ""),
        ("full PPO iteration, `cpu` preset", *_share("iteration", rates, ratios)),
    ]
    samples, environments = phases["samples"], phases["environments"]
    spent = table(
        ["of one iteration", "seconds"],
        [
            (f"acting ({samples:,} steps of {environments} environments)", f"{phases['collect']:.2f}"),
            ("  of which raw physics would take", f"{samples / rates['raw']:.2f}"),
            (f"learning ({report['epochs']} epochs)", f"{phases['learn']:.2f}"),
        ],
    )
    peak = f"Peak memory of the process: {report['peak_memory_mb']:,.0f} MB.\n"
    return "\n".join([table(["what", "rate", "of raw", "target"], rows), spent, peak])


def _share(name: str, rates: dict[str, float], ratios: dict[str, float]) -> tuple[str, str, str]:
    met = "met" if ratios[name] >= TARGETS[name] else "missed"
    return f"{rates[name]:,.0f} steps/s", f"{ratios[name]:.2f}", f">= {TARGETS[name]}: {met}"


def _other_libraries(report: dict[str, Any]) -> str:
    rivals, ours = report["rivals"], report["rates"]
    if not rivals:
        return ""
    rows = []
    words = {
        "sync": ("`gymnasium` SyncVectorEnv over MuJoCo, stepping only", "environment"),
        "async": ("`gymnasium` AsyncVectorEnv over MuJoCo, stepping only", "environment"),
        "sb3-dummy": ("Stable-Baselines3 PPO, DummyVecEnv, whole training", "iteration"),
        "sb3-subproc": ("Stable-Baselines3 PPO, SubprocVecEnv, whole training", "iteration"),
        "mjx": ("the environment on MJX-JAX, stepping only", "environment"),
    }
    for name, found in rivals.items():
        what, kind = words[name]
        rate = found.get("rate")
        times = "" if rate is None else f"{ours[kind] / rate:.1f}"
        shown = f"{rate:,.0f} steps/s" if rate else f"failed: {found.get('error', '').splitlines()[-1]}"
        core = found.get("cpu_rate")
        of_core = "" if core is None else f"{report['cpu_rates'][kind] / core:.1f}"
        rows.append((what, str(found["environments"]), shown, times, of_core))
    verdicts = []
    if (sb3 := sb3_rate(report)) is not None:
        verdicts.append(_verdict("whole training over the faster Stable-Baselines3", ours["iteration"] / sb3, "sb3"))
    if "rate" in rivals.get("mjx", {}):
        verdicts.append(_verdict("environment over MJX-JAX's", ours["environment"] / rivals["mjx"]["rate"], "mjx"))
    head = ["instead, on the same model and machine", "environments", "rate", "this is so many times as fast"]
    head += ["and a second of one core does so many times as much"]
    return table(head, rows) + "\n" + " ".join(verdicts) + "\n"


def _verdict(what: str, ratio: float, target: str) -> str:
    met = "met" if ratio >= TARGETS[target] else "missed"
    return f"Target, {what}: >= {TARGETS[target]:g} times; measured {ratio:.3g}: {met}."


def _devices(report: dict[str, Any]) -> str:
    if not report["devices"]:
        return ""
    base = next((d for d in report["devices"] if "rate" in d), None)
    rows = []
    for found in report["devices"]:
        if base is None or "rate" not in found:
            rows.append((str(found["devices"]), "failed: " + found.get("error", "").splitlines()[-1], "", ""))
            continue
        times, more = found["rate"] / base["rate"], found["devices"] / base["devices"]
        rows.append((str(found["devices"]), f"{found['rate']:,.0f} steps/s", f"{times:.2f}", f"{times / more:.0%}"))
    head = ["devices, a core each", "whole iterations", f"times {base['devices'] if base else 1}", "efficiency"]
    rates = {d["devices"]: d["rate"] for d in report["devices"] if "rate" in d}
    said = _verdict("two devices over one", rates[2] / rates[1], "devices") if rates.keys() >= {1, 2} else ""
    return table(head, rows) + (f"\n{said}\n" if said and not _busy(report) else "")


def _busy(report: dict[str, Any]) -> bool:
    """Whether others took so much of the machine that nothing can be said of more devices."""
    before = report["load"]["before"]
    return bool(before) and before[1] > report["cores"]


def _memory(report: dict[str, Any]) -> str:
    if not report["memory"]:
        return ""

    def mb(value: Any) -> str:
        return f"{value / 1e6:,.0f} MB" if isinstance(value, int) else f"failed: {value}"

    rows = [(f"{m['environments']:,}", mb(m["raw"]), mb(m["environment"])) for m in report["memory"]]
    out = table(["environments", "process with the raw engine", "with the whole environment"], rows)
    if (grown := growth(report)) is not None:
        met = "met" if grown["beside"] < TARGETS["bytes"] else "missed"
        out += (
            f"\nOne more environment takes {grown['engine'] / 1e3:,.0f} kB in the engine and "
            f"{grown['beside'] / 1e3:,.0f} kB beside it; target < {TARGETS['bytes'] / 1e3:.0f} kB: {met}.\n"
        )
    return out


def _sizes(report: dict[str, Any]) -> str:
    if not report["sizes"]:
        return ""
    columns = ("clip", "frames", "bodies", "geoms", "props", "pairs")
    head = [*columns, "state, observation of one", "rollout, one step of one", "clip, once", "networks, once"]
    rows = [
        [
            *(str(row[c]) for c in columns),
            f"{row['environment_bytes'] / 1e3:.1f} kB",
            f"{row['step_bytes'] / 1e3:.1f} kB",
            f"{row['reference_bytes'] / 1e3:,.0f} kB",
            f"{row['learner_bytes'] / 1e6:.1f} MB",
        ]
        for row in report["sizes"]
    ]
    return table(head, rows) + "\nCounted from the arrays. `pairs`: geoms that may touch, whatever their distance.\n"


def _pod(report: dict[str, Any]) -> str:
    whole = [d for d in report["devices"] if "rate" in d]
    if len(whole) < 2:
        return ""
    if _busy(report):
        return "The machine was busier than it has cores: its devices say nothing of more devices, nor of two.\n"
    one, most = whole[0], whole[-1]
    doublings = log2(most["devices"] / one["devices"])
    # more than all is noise, which must not grow with the devices
    kept = min(1.0, (most["rate"] / one["rate"] / (most["devices"] / one["devices"])) ** (1 / doublings))
    rows = []
    for n in POD_CHIPS:
        share = kept ** log2(n / one["devices"])
        rows.append((str(n), f"{one['rate'] * n * share:,.0f} steps/s", f"{share:.0%}"))
    return (
        "**Extrapolated, not measured**: as if each doubling of devices of this kind cost what the measured one did "
        f"(efficiency {kept:.0%}). Networks between hosts are not in it.\n\n"
        + table(["devices", "whole iterations", "efficiency"], rows)
    )
