"""The numbers that DeVI's paper prints in its Table 1, by the system here that each method is.

Its last method, "DeVI without 2D reward", is rewarded by the object's 6-DoF pose (B.2).
"""

METRICS = {
    "mpjpe_body_mm": "MPJPE body mm",
    "mpjpe_hand_mm": "hand mm",
    "mpjpe_all_mm": "all mm",
    "t_root_mm": "T_root mm",
    "t_obj_mm": "T_obj mm",
    "o_obj_rad": "O_obj",
}
"""Columns of Table 1: score here, label."""

Values = tuple[float, ...]

TABLE_1: dict[str, tuple[Values, Values]] = {
    "physhoi": ((123.1, 154.7, 142.6, 117.9, 94.28, 1.396), (29.73, 22.15, 25.35, 40.02, 21.36, 0.6163)),
    "skillmimic": ((111.1, 151.8, 136.1, 100.3, 103.4, 0.8888), (29.57, 22.37, 25.42, 35.12, 24.32, 0.7464)),
    "intermimic_reward": ((61.11, 109.9, 91.14, 50.27, 91.47, 0.8913), (38.79, 43.60, 41.56, 41.10, 32.36, 0.7996)),
    "devi_6d": ((98.11, 129.5, 116.2, 95.58, 103.0, 1.120), (28.61, 23.94, 25.92, 35.64, 20.96, 0.6048)),
}
"""Of each method: its own row, and DeVI's on the clips where both succeed."""

LABELS = {
    "devi": "DeVI",
    "physhoi": "PhysHOI",
    "skillmimic": "SkillMimic",
    "intermimic_reward": "InterMimic (reward)",
    "devi_6d": "DeVI, 6D instead of 2D reward",
    "devi_no_object": "DeVI, no object reward",
}
"""Names in tables, in the order of the paper's."""
