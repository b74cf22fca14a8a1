from devi_jax.core import skeleton
from devi_jax.core.skeleton import (
    BODY19,
    HAND32,
    HAND_BODIES,
    INDEX,
    JOINTS,
    PARENTS,
    SMPLX_JOINTS,
    SMPLX_PARENTS,
    TIPS,
)

# SMPL-X's published kinematic tree (kintree_table of the model files), joints 0..54
KINTREE = [
    *[-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15],
    *[20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38],
    *[21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53],
]


def test_the_tree_is_smplx():
    assert list(SMPLX_PARENTS) == KINTREE
    assert len(SMPLX_JOINTS) == 55 == len(set(SMPLX_JOINTS))
    assert SMPLX_JOINTS[22:25] == ("jaw", "left_eye_smplhf", "right_eye_smplhf")
    assert [SMPLX_JOINTS[i] for i in (25, 37, 40)] == ["left_index1", "left_thumb1", "right_index1"]


def test_the_simulated_joints_are_all_but_the_face_in_the_same_order():
    assert len(JOINTS) == 52 and list(JOINTS) == [n for n in SMPLX_JOINTS if n in INDEX]
    assert set(SMPLX_JOINTS) - set(JOINTS) == {"jaw", "left_eye_smplhf", "right_eye_smplhf"}
    for i, parent in enumerate(PARENTS):
        smplx_parent = SMPLX_PARENTS[SMPLX_JOINTS.index(JOINTS[i])]
        assert (parent == -1) == (i == 0)
        assert parent < i and (parent < 0 or JOINTS[parent] == SMPLX_JOINTS[smplx_parent])


def test_the_sets_of_equation_4():
    assert [JOINTS[i] for i in BODY19] == list(SMPLX_JOINTS[1:20])
    assert len(set(HAND32)) == 32 and [JOINTS[HAND32[k]] for k in (0, 16)] == ["left_wrist", "right_wrist"]
    assert set(BODY19) | set(HAND32) | {0} == set(range(52)) and not set(BODY19) & set(HAND32)
    for side, hand in zip(("left", "right"), HAND_BODIES, strict=True):
        assert len(hand) == 16 and all(JOINTS[i].startswith(side) for i in hand)
    assert [JOINTS[i] for i in TIPS[:5]] == [f"left_{f}3" for f in ("index", "middle", "pinky", "ring", "thumb")]
    assert not set(TIPS) & set(PARENTS)  # tips are leaves


def test_levels_put_every_parent_one_level_above():
    levels = skeleton.levels()
    assert levels[0] == (0,) and sorted(i for level in levels for i in level) == list(range(52))
    for above, below in zip(levels, levels[1:], strict=False):
        assert all(PARENTS[i] in above for i in below)
    assert len(levels) == 11  # pelvis, 3 spine, collar, shoulder, elbow, wrist, 3 phalanges


def test_each_joint_has_a_class():
    counts = {k: sum(skeleton.joint_class(n) == k for n in JOINTS) for k in ("finger", "wrist", "arm", "leg", "spine")}
    assert counts == {"finger": 30, "wrist": 2, "arm": 6, "leg": 8, "spine": 6}
