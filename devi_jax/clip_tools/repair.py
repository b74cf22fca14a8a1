"""`clips repair`: every repair a clip allows, in the order that pays, and the better of raw and projected grasp."""

from dataclasses import replace

import jax
import numpy as np

from devi_jax.clip_tools.check import replay_scores
from devi_jax.core.clip import Clip
from devi_jax.core.errors import ConfigError
from devi_jax.datasets.grounding import foot_float_m, lower_to_floor
from devi_jax.datasets.infer_table import with_inferred_table
from devi_jax.datasets.repair_options import RepairOptions
from devi_jax.evaluation.metrics import Scores
from devi_jax.systems.build import assemble, make_scene
from devi_jax.systems.devi import devi
from envs.animation import repair
from envs.tracking.reference import make_reference

SOLES_M = (-0.015, 0.010)
"""Float of the feet that the body's own soles take up, metres."""
TIE = 0.02
"""Merits that differ by less are equal, and the grasp without overlap is kept."""


def repair_clip(clip: Clip, how: RepairOptions) -> Clip:
    """The clip after all repairs that are asked for; provenance lists what was done under `repair_clip`.

    Feet come before hands, as a pelvis that moves takes the hands along.

    Raises:
        ConfigError: when a grip is asked for and there is nothing to hold, or no hand that does.
    """
    if how.grip and (clip.scene.object is None or clip.object_poses is None or not clip.contact.any()):
        raise ConfigError(
            f"'{clip.name}' says not where its object is, or of no hand that it touches it",
            where="--grip",
            valid="a clip with object poses and contact labels",
            fix="leave --grip out; an extracted clip's provenance says why it has no object poses",
        )
    clip = repair.smooth_clip(clip, how.sigma)
    if how.support:
        clip = with_inferred_table(clip)
        clip = repair.level_support(clip, make_scene(clip, "free"))
    if how.ground:
        clip = _on_the_floor(clip)
        clip = repair.lift_feet(clip, make_scene(clip, "free"), how.lock_feet)
    if how.balance:
        clip = repair.balance_clip(clip, make_scene(clip, "free"), how.margin_m)
    if how.grip:
        clip = with_inferred_grasp(clip)
    return _better_grasp(clip) if how.project else clip


def with_inferred_grasp(clip: Clip, near_seen: np.ndarray | None = None) -> Clip:
    """The clip whose hands hold the object by the likeliest grip wherever they are said to hold it.

    `near_seen` (T, 2) bool: frames in which left and right hand are seen from near by: grips near to how one hand was
    seen are tried as well.
    """
    return repair.replace_grasps(clip, make_scene(clip, "free"), near_seen)


def _on_the_floor(clip: Clip) -> Clip:
    """The clip with the human lowered or raised by its float, where soles of another thickness do not explain it."""
    drop = foot_float_m(clip)
    if SOLES_M[0] <= drop <= SOLES_M[1]:
        return clip
    return repair.with_note(lower_to_floor(clip), f"feet: human lowered by {drop * 1e3:.0f} mm")


def merit(scores: Scores) -> float:
    """One number to choose by: the share of frames within the termination bounds, less the object's error in 0.2 m.

    An object that is lost is lost: errors above 0.2 m all count as one.
    """
    return scores.alive_share - (0.0 if scores.t_obj_mm is None else min(scores.t_obj_mm / 200, 1.0))


def _better_grasp(raw: Clip) -> Clip:
    """The clip with its grasp projected out of penetration, or as it was where that replays better (pinned root)."""
    changed = repair.project_grasp(raw, make_scene(raw, "free"))
    if changed is raw:
        return raw
    system = devi("cpu")
    first = assemble(system, raw, "c", "pinned").environment
    reference, _ = make_reference(changed, first.physics, system.controllers, system.object_points)
    library = replace(first.library, reference=jax.tree.map(lambda x: x[None], reference))
    merits = [merit(replay_scores(environment)) for environment in (first, replace(first, library=library))]
    chosen = raw if merits[0] > merits[1] + TIE else changed
    kept = "as it was" if chosen is raw else "projected"
    note = f"grasp: open-loop merit {merits[0]:.3f} as it was, {merits[1]:.3f} projected: kept {kept}"
    return repair.with_note(chosen, note)
