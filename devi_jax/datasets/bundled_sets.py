"""Named sets of bundled clips, on which learning is measured together; each clip is clean and in two grades."""

from types import MappingProxyType

from devi_jax.core.errors import ClipError, did_you_mean

SUITE = ("lift_can", "lift_box", "pick_place", "pour_bottle", "drink_mug", "push_box", "hammer", "hat")
"""`tabletop-8`: names of the first clean clips."""

GRADES = ("clean", "mild", "rough")
"""`clean`: as made. `mild`, `rough`: degraded (`envs.animation.degrade`)."""

PLACED = ("carton_tray", "mug_plate", "can_book")
"""A thing is brought to another."""

TABLETOP = (*SUITE, "spray_bottle", "lift_camera", "lift_ball", *PLACED, "pass_bottle")
FLOOR = ("floor_bottle", "floor_box", "floor_push", "floor_place")

SETS = MappingProxyType(
    {
        "tabletop-8": SUITE,
        "tabletop": TABLETOP,
        "floor": FLOOR,
        "two-hands": ("lift_box", "lift_ball", "pass_bottle", "floor_box", "floor_push", "floor_place"),
        "multi-object": PLACED,
    }
)
"""What `--clips=SET` takes: names of clean bundled clips."""


def clip_set(name: str) -> tuple[str, ...]:
    """The clean clips of a set, in the order in which tables show them. Raises `ClipError` naming all sets."""
    if name not in SETS:
        raise ClipError(
            f"no set of clips '{name}'{did_you_mean(name, SETS)}",
            where="--clips",
            valid=", ".join(f"{key} ({len(clips)} clips)" for key, clips in SETS.items()),
            fix="python -m devi_jax.clips list --set=tabletop-8",
        )
    return SETS[name]


def graded(name: str, grade: str) -> str:
    """The bundled name of a clip of a set in one of `GRADES`."""
    return name if grade == "clean" else f"{name}-{grade}"
