"""What MJX-Warp has no room for stops the run with one clear error; a box on a floor has four contacts of four rows."""

from dataclasses import replace
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from scipy.spatial import ConvexHull

from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.core.scene import Mesh, ObjectSpec
from envs.physics import SETTINGS, Variation, build_spec, choose_engine, engine_choice
from envs.physics.engine import Coordinates
from envs.physics.engines.mjx import advance_mjx
from envs.physics.engines.warp_buffers import MARGIN, VARIABLE, margin
from envs.physics.warp_capacity import Need, candidate_pairs, sized

BOX = """
<mujoco>
  <option timestep="0.005"/>
  <worldbody>
    <geom type="plane" size="5 5 .1"/>
    <body pos="0 0 .099"><freejoint/><geom type="box" size=".1 .1 .1"/></body>
  </worldbody>
</mujoco>
"""
needs_warp = pytest.mark.skipif(find_spec("warp") is None, reason="warp-lang is not installed")


def rest(contacts: int, rows: int, heights=(0.099, 0.099, 1.0)) -> np.ndarray:
    """Two steps of boxes at these heights, on Warp with so much room each: their velocities."""
    model = mujoco.MjModel.from_xml_string(BOX)
    settings = replace(SETTINGS["warp"], contacts=contacts, rows=rows)
    count = len(heights)
    qpos = jnp.tile(jnp.asarray(model.qpos0, jnp.float32), (count, 1)).at[:, 2].set(jnp.asarray(heights))
    now = Coordinates(qpos, jnp.zeros((count, model.nv)), jnp.zeros((count, model.nv)))
    factors = Variation(jnp.ones(count), jnp.ones(count))
    advance = jax.jit(jax.vmap(advance_mjx([model], settings, 2, "warp")))
    return np.asarray(jax.block_until_ready(advance(now, qpos, factors))[0].qvel)


@needs_warp
@pytest.mark.parametrize(("contacts", "rows", "named"), [(2, 64, "naconmax"), (16, 6, "njmax")])
def test_what_does_not_fit_stops_the_run_and_names_the_size(contacts, rows, named, capsys):
    with pytest.raises(SystemExit) as leaving, exit_on_error():
        rest(contacts, rows)
    said = capsys.readouterr().err
    assert leaving.value.code == 2 and f"dropped contacts: {named}\n" in said
    message = said[said.rindex("error: MJX-Warp") :]
    assert f"room for {contacts} contacts and {rows} rows" in message and f"{VARIABLE}=4" in message
    assert "Traceback" not in message and len(message.splitlines()) == 4


@needs_warp
def test_boxes_that_fit_rest_and_the_one_above_falls():
    velocity = rest(8, 32)
    np.testing.assert_allclose(velocity[2, 2], -9.81 * 2 * 0.005, rtol=1e-5)
    assert np.abs(velocity[:2, 2]).max() < 0.5 * 9.81 * 2 * 0.005 + 0.2
    np.testing.assert_array_equal(velocity[0], velocity[1])


def test_room_is_what_is_needed_times_the_margin(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert margin() == MARGIN == 2.0
    settings = sized(SETTINGS["warp"], Need(contacts=11, candidates=13, rows=30))
    assert settings == replace(SETTINGS["warp"], contacts=32, rows=64)
    monkeypatch.setenv(VARIABLE, "3")
    assert sized(SETTINGS["warp"], Need(20, 13, 30)).contacts == 64


@pytest.mark.parametrize("given", ["half", "0.5", "nan"])
def test_a_margin_that_is_none_is_refused(given, monkeypatch):
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(ConfigError, match=given):
        margin()


def test_only_pairs_that_may_touch_are_looked_at(standing):
    """By MuJoCo's bits and bodies, one pair after the other; far fewer than all there are."""
    model, pairs = standing.environment.physics.model, 0
    for a in range(model.ngeom):
        for b in range(a):
            bits = (
                model.geom_contype[a] & model.geom_conaffinity[b] or model.geom_contype[b] & model.geom_conaffinity[a]
            )
            pairs += bool(bits) and model.geom_bodyid[a] != model.geom_bodyid[b]
    assert candidate_pairs(model) == pairs
    assert pairs < 0.1 * model.ngeom * (model.ngeom - 1) / 2


def test_hulls_are_limited_where_the_engine_pays_for_vertices(standing, rng):
    scene = standing.environment.physics.scene
    ball = rng.normal(size=(400, 3))
    ball = 0.05 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
    thing = ObjectSpec("mesh", (), 0.2, mesh=Mesh(ball, ConvexHull(ball).simplices))
    scene = replace(scene, spec=replace(scene.spec, object=thing, props=()))
    most = {engine: int(build_spec(scene, SETTINGS[engine]).compile().mesh_vertnum.max()) for engine in ("c", "warp")}
    assert most["c"] == 64
    model = build_spec(scene, SETTINGS["warp"]).compile()
    hull = model.mesh_graph[model.mesh_graphadr[0]]
    assert hull <= SETTINGS["warp"].hull_vertices == 32


def test_a_gpu_without_warp_takes_mjx_and_says_so(monkeypatch):
    monkeypatch.setattr(engine_choice, "find_spec", lambda name: None)
    engine, why = choose_engine("auto", "gpu")
    assert engine == "mjx" and "warp-lang is not installed" in why
