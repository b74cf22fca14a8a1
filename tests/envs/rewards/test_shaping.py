"""From errors to rewards: closed forms of the shapes, gates per hand, products, sums, and weights of zero."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devi_jax.systems import devi, make_system
from envs import rewards
from envs.rewards import Reward, combine, evaluate_rows, half_at, halved, measured, shape_factor

DEVI = devi("cpu").rewards
SHARPNESS = 3.0
ERRORS = np.array([0.0, 0.01, 0.3, 0.7, 1.0])
CLOSED_FORMS = {
    "gaussian": np.exp(-SHARPNESS * ERRORS**2),
    "exponential": np.exp(-SHARPNESS * ERRORS),
    "half_exponential": (1 + np.exp(-SHARPNESS * ERRORS)) / 2,
    "linear": 1 - ERRORS,
    "sigmoid": 2 / (1 + np.exp(SHARPNESS * ERRORS**2)),
    "half_sigmoid": 1 / (1 + np.exp(SHARPNESS * ERRORS**2)),
}

factors = st.dictionaries(st.sampled_from("abcde"), st.floats(0, 1, width=32), min_size=1)
weights = st.fixed_dictionaries({name: st.floats(0.1, 3) for name in "abcde"})


def weighting(values: dict[str, float]) -> dict[str, Reward]:
    return {name: Reward(rewards.object_2d, weight=value) for name, value in values.items()}


@pytest.mark.parametrize("shape", CLOSED_FORMS)
def test_shape_is_its_closed_form(shape):
    np.testing.assert_allclose(shape_factor(shape, jnp.asarray(ERRORS), SHARPNESS), CLOSED_FORMS[shape], rtol=1e-5)


@pytest.mark.parametrize("shape", CLOSED_FORMS)
def test_factor_starts_at_its_best_and_falls(shape):
    factor = np.asarray(shape_factor(shape, jnp.linspace(0, 1, 50), SHARPNESS))
    # equation 21 as printed cannot exceed one half
    assert factor[0] == (0.5 if shape == "half_sigmoid" else 1.0)
    assert (np.diff(factor) < 0).all() and (factor >= 0).all()


@pytest.mark.parametrize("shape", ["gaussian", "exponential", "sigmoid", "half_sigmoid"])
@pytest.mark.parametrize("error", [0.008, 0.5, 3.0])
def test_a_factor_is_half_of_its_best_at_the_error_asked_for(shape, error):
    best, half = shape_factor(shape, jnp.asarray([0.0, error], jnp.float32), half_at(shape, error))
    np.testing.assert_allclose(half, best / 2, rtol=1e-5)


def test_a_row_is_written_by_its_half():
    row = halved(rewards.object_2d, 0.016, weight=0.5)
    assert row == Reward(rewards.object_2d, "exponential", half_at("exponential", 0.016), 0.5)


@pytest.mark.parametrize("shape", ["linear", "half_exponential"])
def test_a_shape_without_such_a_half_is_refused(shape):
    with pytest.raises(ValueError, match=shape):
        half_at(shape, 0.1)


@given(factors, weights)
def test_product_and_sum_are_their_formulas(values, w):
    given_factors = {name: jnp.asarray(value) for name, value in values.items()}
    product = np.prod([max(values[n], 1e-20) ** w[n] for n in values])
    mean = sum(w[n] * values[n] for n in values) / sum(w[n] for n in values)
    np.testing.assert_allclose(combine("product", given_factors, weighting(w)), product, rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(combine("sum", given_factors, weighting(w)), mean, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("how", ["product", "sum"])
@given(factors, weights)
def test_weight_zero_removes_a_term_exactly(how, values, w):
    rest = {name: jnp.asarray(value) for name, value in values.items()}
    for worst in (0.0, 0.3, np.nan):
        more = {**rest, "off": jnp.asarray(worst)}
        off = weighting({**w, "off": 0.0})
        if how == "sum" and np.isnan(worst):
            continue
        assert float(combine(how, more, off)) == float(combine(how, rest, off))


def test_no_weight_at_all():
    assert float(combine("product", {"a": jnp.asarray(0.2)}, weighting({"a": 0.0}))) == 1.0
    assert float(combine("sum", {"a": jnp.asarray(0.2)}, weighting({"a": 0.0}))) == 0.0


def test_a_lost_factor_ends_a_product_and_not_a_sum():
    values = {"a": jnp.asarray(0.0), "b": jnp.asarray(1.0)}
    both = weighting({"a": 1.0, "b": 1.0})
    assert float(combine("product", values, both)) < 1e-15
    assert float(combine("sum", values, both)) == 0.5


@measured("m", gate=lambda reference: reference.contact > 0.5)
def two_hands(state, reference):
    return jnp.array([0.1, 0.5])


@pytest.mark.parametrize(
    ("contact", "factor", "error"),
    [
        ([0.0, 0.0], 1.0, 0.0),
        ([1.0, 0.0], np.exp(-2 * 0.01), 0.1),
        ([0.0, 1.0], np.exp(-2 * 0.25), 0.5),
        ([1.0, 1.0], np.exp(-2 * 0.26), 0.3),
    ],
)
def test_each_hand_is_gated_by_its_own_label(contact, factor, error, make_frame, make_target):
    target = replace(make_target(0), contact=jnp.asarray(contact))
    result, errors = evaluate_rows({"touch": Reward(two_hands, sharpness=2.0)}, make_frame(0), target)
    np.testing.assert_allclose(result["touch"], factor, rtol=1e-6)
    np.testing.assert_allclose(errors["touch"], error, rtol=1e-6)


def test_terms_without_their_target_do_not_apply(make_frame, make_target):
    target = make_target(0)
    evaluate = jax.jit(partial(evaluate_rows, DEVI))
    full, _ = evaluate(make_frame(0), target)
    assert set(full) == set(DEVI)
    blind = replace(target, points_px=None, visible=None, points_object=None, object_position=None)
    some, errors = evaluate(make_frame(0), blind)
    assert set(DEVI) - set(some) == {
        "object_2d",
        "object_size",
        "object_second_view",
        "contact_force",
        "contact_distance",
    }
    assert set(errors) == set(some)
    for name in some:
        np.testing.assert_allclose(some[name], full[name], rtol=1e-5)


@pytest.mark.parametrize("contact", [[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
@pytest.mark.parametrize("system", ["devi", "devi_sharp"])
def test_devi_reward_is_the_product_of_its_factors(system, contact, matching, rng):
    """Equation 15 with the shapes of equations 16 to 21, from the errors; contact per hand."""
    frame, target = matching
    near = jnp.asarray(rng.normal(scale=0.02, size=(52, 3)), jnp.float32)
    frame = replace(frame, position=frame.position + near, object_position=frame.object_position + 0.01)
    frame = replace(frame, tips=frame.object_position[None] + near[:10])
    target = replace(target, contact=jnp.asarray(contact))
    rows = make_system(system).rewards
    result, _ = evaluate_rows(rows, frame, target)
    wanted = 1.0
    on = np.asarray(contact) > 0.5
    for name, row in rows.items():
        error = np.asarray(row.error(frame, target), float)
        sharpness = row.sharpness
        match row.shape:
            case "exponential":
                factor = np.exp(-sharpness * error)
            case "linear":
                factor = np.prod(np.where(on, 1 - error, 1))
            case "sigmoid":
                factor = np.prod(np.where(on, 2 / (1 + np.exp(sharpness * error**2)), 1))
            case _:
                factor = np.exp(-sharpness * error**2)
        assert factor > 1e-6
        np.testing.assert_allclose(result[name], factor, rtol=1e-5)
        wanted *= factor**row.weight
    np.testing.assert_allclose(combine("product", result, rows), wanted, rtol=1e-4)
