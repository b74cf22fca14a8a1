"""`tabletop-8`: the bundled clips on which learning is measured, each clean and in two grades as from video."""

SUITE = ("lift_can", "lift_box", "pick_place", "pour_bottle", "drink_mug", "push_box", "hammer", "hat")
"""Names of the clean clips."""

GRADES = ("clean", "mild", "rough")
"""`clean`: as made. `mild`, `rough`: degraded (`envs.choreography.grades`)."""


def graded(name: str, grade: str) -> str:
    """The bundled name of a suite clip in one of `GRADES`."""
    return name if grade == "clean" else f"{name}-{grade}"
