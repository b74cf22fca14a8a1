"""Which joints the reward codes of PhysHOI, SkillMimic and InterMimic follow by position."""

import numpy as np

from devi_jax.core.skeleton import INDEX, TIPS

_KEYS = "pelvis head left_knee right_knee left_elbow right_elbow left_ankle right_ankle".split()
KEYS18 = np.array([*(INDEX[name] for name in _KEYS), *TIPS])
"""The pelvis and the 17 `keyBodies` of PhysHOI and SkillMimic: head, knees, elbows, ankles, ten distal phalanges."""

KEYS21 = np.arange(1, 22)
"""The 21 `keyBodies` of InterMimic: the body's joints without the pelvis."""

UNWEIGHTED = np.array([INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")])
"""Joints whose position always counts fully in InterMimic. Its code means ankles and toes, and indexes its list of key
bodies where all bodies are wanted, which makes them knees and ankles; its results come from that."""
