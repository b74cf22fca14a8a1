"""From system and clip to environment: the clip's bones, its scene, its rate, and errors before anything is built."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from agents import Learner
from devi_jax.core.clip import body_only, bone_offsets
from devi_jax.core.environment import group
from devi_jax.core.errors import ClipError, ConfigError
from devi_jax.core.scene import ObjectSpec, SceneSpec
from devi_jax.core.skeleton import INDEX
from devi_jax.runs.json_io import jsonable
from devi_jax.systems import NAMES, assemble, devi, make_system
from devi_jax.systems.build import STEP_M, make_scene, moves
from devi_jax.systems.requirements import require
from devi_jax.training.run_config import RunConfig, config_from_json, make_learner
from envs.tracking.config import ResetConfig


def test_the_body_has_the_clips_own_bones(assembly, lift_can):
    body = assembly.environment.physics.scene.embodiment.body
    np.testing.assert_allclose(body.offsets, bone_offsets(lift_can), atol=1e-9)
    # so that the reference reproduces the clip's joints wherever its own skeleton is rigid
    gap = np.linalg.norm(np.asarray(assembly.environment.reference.position) - lift_can.joint_positions, axis=-1)
    assert gap.max() < 1e-3


def test_a_taller_clip_makes_a_taller_body(lift_can):
    root = lift_can.joint_positions[:, :1] * [1, 1, 1.1]
    taller = replace(
        lift_can, joint_positions=root + 1.1 * (lift_can.joint_positions - lift_can.joint_positions[:, :1])
    )
    tall, usual = (make_scene(clip, "free").embodiment.body for clip in (taller, lift_can))
    np.testing.assert_allclose(tall.offsets, 1.1 * usual.offsets, atol=1e-6)


def test_scene_root_and_terms_are_those_asked_for(assembly, lift_can):
    environment = assembly.environment
    scene = environment.physics.scene
    assert scene.spec == lift_can.scene and scene.embodiment.root == "free" and environment.physics.engine == "c"
    assert make_scene(lift_can, "pinned").embodiment.root == "pinned"
    rewards = environment.rewards
    assert rewards.rows == devi("cpu").rewards and rewards.combine == "product"
    assert assembly.camera.width == 1024


def test_without_a_table_the_whole_body_meets_the_object(lift_can):
    assert make_scene(lift_can, "free").embodiment.touch == "hands"
    carried = replace(lift_can, scene=SceneSpec(None, ObjectSpec("box", (0.5, 0.3, 0.3))))
    assert make_scene(carried, "free").embodiment.touch == "all"


@pytest.mark.parametrize(("lead", "frames_before"), [(0, 1), (1, 1), (12, 12)])
def test_pre_contact_frame_is_before_the_clips_onset(lead, frames_before, lift_can):
    system = replace(devi("cpu"), resets=ResetConfig(lead=lead))
    library = assemble(system, lift_can, "c", "pinned").environment.library
    assert library.pre_contact.tolist() == [lift_can.onset - frames_before]


def test_a_clip_at_another_rate_is_brought_to_the_control_rate(lift_can):
    """Every other frame at 15 Hz becomes as many frames at 30 Hz."""
    poses = lift_can.object_poses
    slow = replace(
        lift_can,
        fps=15.0,
        joint_rotations=lift_can.joint_rotations[::2],
        joint_positions=lift_can.joint_positions[::2],
        contact=lift_can.contact[::2],
        object_poses=replace(poses, positions=poses.positions[::2], rotations=poses.rotations[::2]),
    )
    assembly = assemble(devi("cpu"), slow, "c", "free")
    assert assembly.clip.fps == 30.0 and assembly.clip.frames == 2 * slow.frames - 1
    both = np.asarray(assembly.environment.reference.position), lift_can.joint_positions[: assembly.clip.frames]
    assert np.linalg.norm(both[0] - both[1], axis=-1).max() < 0.01
    assert abs(int(assembly.environment.library.pre_contact[0]) - (lift_can.onset - 1)) <= 1


def test_a_wrong_weight_stops_before_anything_is_built(lift_can):
    system = devi("cpu")
    wrong = replace(system, rewards={**system.rewards, "power": replace(system.rewards["power"], weight=-1.0)})
    with pytest.raises(ConfigError) as caught:
        assemble(wrong, lift_can, "c", "free")
    assert caught.value.where == "--rewards.power"


NEEDY = ["physhoi", "skillmimic", "intermimic_reward", "devi_6d"]


@pytest.mark.parametrize("name", NEEDY)
def test_a_clip_without_object_poses_is_refused_before_anything_is_built(name, lift_can):
    flat = replace(lift_can, object_poses=None)
    with pytest.raises(ConfigError) as caught:
        assemble(make_system(name), flat, "c", "free")
    assert name in caught.value.what and "2D" in caught.value.what and "devi" in caught.value.valid
    for fine in ("devi", "devi_no_object"):
        require(make_system(fine), flat)


@pytest.mark.parametrize(("by", "steps"), [(0.0, False), (0.9 * STEP_M, False), (1.1 * STEP_M, True)])
@pytest.mark.parametrize("foot", ["left", "right"])
def test_a_body_moves_about_where_a_foot_leaves_its_place_or_nothing_is_handled(foot, by, steps, lift_can):
    joints = lift_can.joint_positions.copy()
    joints[40:, INDEX[f"{foot}_ankle"], :2] += np.array([0.6, -0.8]) * by
    clip = replace(lift_can, joint_positions=joints)
    assert moves(clip) is steps and moves(body_only(clip))


def test_an_actor_of_the_fast_recipe_sees_its_body_only_where_that_moves_about(lift_can):
    sizes = assemble(devi("cpu"), lift_can, "c", "pinned").environment.observation_sizes
    assert sizes == {"actor": {"goal": 468, "object": 15}, "critic": {"goal": 468, "human": 778, "object": 15}}
    body = assemble(devi("cpu"), body_only(lift_can), "c", "free").environment
    assert body.observation_sizes == {"goal": 468, "human": 778}
    paper = assemble(devi("cpu", "paper"), lift_can, "c", "pinned").environment
    assert paper.observation_sizes == {"goal": 468, "human": 778, "object": 15}


@pytest.mark.parametrize("changed", ["goal.object", "terminations.object-distance"])
def test_a_goal_or_a_bound_can_need_poses_too(changed, lift_can):
    system = devi("cpu")
    if changed == "goal.object":
        system = replace(system, goal={**system.goal, "object": replace(system.goal["object"], on=True)})
    else:
        bound = replace(system.terminations["object_distance"], bound=0.5)
        system = replace(system, terminations={**system.terminations, "object_distance": bound})
    require(system, lift_can)
    with pytest.raises(ConfigError) as caught:
        require(system, replace(lift_can, object_poses=None))
    assert f"--{changed}" in caught.value.what


def test_a_reward_switched_off_needs_nothing(lift_can):
    system = make_system("devi_6d")
    off = {n: replace(w, weight=0.0) if n.startswith("object") else w for n, w in system.rewards.items()}
    without = replace(lift_can, object_poses=None)
    with pytest.raises(ConfigError):
        require(system, without)
    require(replace(system, rewards=off), without)


@pytest.mark.parametrize("name", ["physhoi", "skillmimic", "intermimic_reward"])
def test_a_clip_without_contact_labels_is_refused(name, lift_can):
    unlabelled = replace(lift_can, contact=np.zeros_like(lift_can.contact))
    with pytest.raises(ConfigError) as caught:
        assemble(make_system(name), unlabelled, "c", "free")
    assert "contact labels" in caught.value.what and name in caught.value.what
    require(devi("cpu"), unlabelled)


@pytest.mark.parametrize("name", [name for name in NAMES if make_system(name).embodiment == "human"])
def test_a_human_alone_is_imitated_by_every_system_of_a_human(name, lift_can):
    """Nothing of it is refused, though rows of the object's do not apply."""
    require(make_system(name), body_only(lift_can))


def test_a_human_alone_is_nothing_to_an_arm(lift_can):
    with pytest.raises(ClipError, match="has no object for an arm"):
        assemble(make_system("capsule_arm"), body_only(lift_can), "c", "free")


def test_an_iteration_leaves_the_state_in_the_types_it_found_it_in(lift_can):
    """Else the second iteration would compile everything again. This system has the most terms, bounds and state."""
    system = make_system("intermimic_reward")
    environment = assemble(system, lift_can, "c", "free").environment
    learner = Learner(environment, system.ppo, system.network)
    before = jax.eval_shape(learner.init, jax.random.key(0))
    after, _ = jax.eval_shape(learner.update, before)
    for (path, x), y in zip(jax.tree.leaves_with_path(before), jax.tree.leaves(after), strict=True):
        kinds = [(leaf.shape, leaf.dtype, leaf.weak_type) for leaf in (x, y)]
        assert kinds[0] == kinds[1], jax.tree_util.keystr(path)


@pytest.mark.parametrize("name", NEEDY)
def test_a_run_folder_of_every_system_builds_what_was_trained(name, lift_can):
    """Config through JSON, environment, policy's inputs and a step: what evaluate, play and export begin with."""
    config = RunConfig(
        system=make_system(name),
        clip="lift_can",
        engine="c",
        root="pinned",
        seed=0,
        preset="cpu",
        iterations=1,
        minutes=None,
        checkpoint_every=1,
    )
    again = config_from_json(json.loads(json.dumps(jsonable(config.to_json()))), "config.json")
    assert again == config
    assembly, learner = make_learner(again, lift_can)
    environment = assembly.environment
    state = jax.eval_shape(environment.start, jax.ShapeDtypeStruct((), np.int32))
    after, transition = jax.eval_shape(environment.step, state, jax.ShapeDtypeStruct((environment.action_size,), float))
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert set(transition.metrics) == set(again.system.rewards)
    assert jax.tree.map(lambda x: x.shape[0], transition.observation) == environment.observation_sizes
    actor = jax.eval_shape(learner.init, jax.random.key(0)).algorithm.actor
    goal = group(environment.observation_sizes, "actor")["goal"]
    assert any(goal in x.shape for x in jax.tree.leaves(actor))
