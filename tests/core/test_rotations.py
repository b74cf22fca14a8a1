"""Every rotation formula against jaxlie or SciPy, on NumPy and on JAX arrays."""

import inspect
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import jaxlie
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation, Slerp

from devi_jax.core import rotations as rot

N = 5
vectors = arrays(np.float64, (N, 3), elements=st.floats(-3, 3, width=32))
raw_quaternions = arrays(np.float64, (N, 4), elements=st.floats(-1, 1, width=32)).filter(
    lambda q: (np.linalg.norm(q, axis=-1) > 1e-2).all()
)
quaternions = raw_quaternions.map(lambda q: q / np.linalg.norm(q, axis=-1, keepdims=True))
both = pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])


JITTED = SimpleNamespace(**{name: jax.jit(f) for name, f in vars(rot).items() if inspect.isfunction(f)})
JAXLIE_EXP = jax.jit(jax.vmap(lambda v: jaxlie.SO3.exp(v).wxyz))
JAXLIE_PRODUCT = jax.jit(lambda a, b: (jaxlie.SO3(a) @ jaxlie.SO3(b)).wxyz)


def of(xp):
    """The functions under test: as they are for NumPy, compiled for JAX."""
    return rot if xp is np else JITTED


def to(xp, *values):
    return tuple(xp.asarray(v) for v in values)


def tolerance(xp) -> float:
    return 1e-9 if xp is np else 3e-5  # JAX computes in float32 here


def scipy(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, np.float64), scalar_first=True)


def same(a, b, xp):
    """Equal as rotations: q and -q are the same."""
    sign = np.sign((np.asarray(a) * np.asarray(b)).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(np.asarray(a) * sign, np.asarray(b), atol=tolerance(xp))


@both
@given(arrays(np.float64, (N,), elements=st.floats(-3, 3, width=32)))
def test_turns_about_the_vertical_are_scipys(xp, angle):
    q = of(xp).quat_about_z(*to(xp, angle))
    same(q, Rotation.from_rotvec(angle[:, None] * [0.0, 0.0, 1.0]).as_quat(scalar_first=True), xp)


@both
@given(quaternions, quaternions)
def test_product_is_that_of_jaxlie(xp, a, b):
    expected = JAXLIE_PRODUCT(jnp.asarray(a), jnp.asarray(b))
    out = of(xp).quat_mul(*to(xp, a, b))
    assert isinstance(out, np.ndarray) == (xp is np)
    np.testing.assert_allclose(out, expected, atol=3e-5)
    same(out, (scipy(a) * scipy(b)).as_quat(scalar_first=True), xp)


@both
@given(quaternions, vectors)
def test_rotating_a_vector_and_back(xp, q, v):
    a, b = to(xp, q, v)
    np.testing.assert_allclose(of(xp).rotate(a, b), scipy(q).apply(v), atol=5 * tolerance(xp))
    np.testing.assert_allclose(of(xp).rotate_inverse(a, of(xp).rotate(a, b)), v, atol=10 * tolerance(xp))
    undone = of(xp).quat_mul(a, of(xp).quat_conj(a))
    np.testing.assert_allclose(undone, np.tile([1, 0, 0, 0], (N, 1)), atol=tolerance(xp))


@both
@given(vectors, vectors)
def test_cross_product(xp, a, b):
    np.testing.assert_allclose(of(xp).cross(*to(xp, a, b)), np.cross(a, b), atol=20 * tolerance(xp))


@both
@given(vectors)
def test_exponential_map_is_that_of_scipy_and_jaxlie(xp, v):
    q = of(xp).quat_exp(*to(xp, v))
    same(q, Rotation.from_rotvec(v).as_quat(scalar_first=True), xp)
    same(q, JAXLIE_EXP(jnp.asarray(v)), jnp)


@both
@given(quaternions)
def test_logarithm_inverts_the_exponential_map(xp, q):
    (a,) = to(xp, q)
    log = of(xp).quat_log(a)
    assert (np.linalg.norm(np.asarray(log), axis=-1) <= np.pi + 1e-5).all()
    same(of(xp).quat_exp(log), q, xp)


@both
@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-6, 4e-5, 1e-4])
def test_small_angles_keep_their_digits(xp, angle):
    v = np.array([[angle, -2 * angle, 0.5 * angle]])
    q = of(xp).quat_exp(*to(xp, v))
    rtol = 1e-10 if xp is np else 1e-4
    half = np.linalg.norm(v) / 2
    np.testing.assert_allclose(q[:, 1:], v / 2 * np.sinc(half / np.pi), rtol=rtol, atol=0)
    np.testing.assert_allclose(of(xp).quat_log(q), v, rtol=rtol, atol=0)


def test_derivatives_at_the_identity_are_finite_and_right():
    jacobian = jax.jit(jax.jacobian(rot.quat_exp))(jnp.zeros(3))
    np.testing.assert_allclose(jacobian, np.vstack([np.zeros(3), np.eye(3) / 2]), atol=1e-7)
    jacobian = jax.jit(jax.jacobian(rot.quat_log))(jnp.array([1.0, 0, 0, 0]))
    np.testing.assert_allclose(jacobian[:, 1:], 2 * np.eye(3), atol=1e-6)


@both
@given(quaternions, quaternions)
def test_angle_between(xp, a, b):
    expected = (scipy(a).inv() * scipy(b)).magnitude()
    np.testing.assert_allclose(of(xp).angle_between(*to(xp, a, b)), expected, atol=1e-7 if xp is np else 1e-3)
    np.testing.assert_allclose(of(xp).angle_between(*to(xp, a, -a)), 0, atol=1e-7 if xp is np else 1e-3)


@both
@given(quaternions)
def test_matrices_there_and_back(xp, q):
    (a,) = to(xp, q)
    matrix = of(xp).quat_to_matrix(a)
    np.testing.assert_allclose(matrix, scipy(q).as_matrix(), atol=tolerance(xp))
    same(of(xp).matrix_to_quat(matrix), q, xp)


@both
def test_half_turns_survive_the_matrix(xp):
    for axis in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0], [-0.6, 0, 0.8]):
        q = np.array([[0.0, *axis]])
        same(of(xp).matrix_to_quat(of(xp).quat_to_matrix(*to(xp, q))), q, xp)


@both
@given(quaternions)
def test_sixd_is_the_first_two_columns(xp, q):
    matrix = scipy(q).as_matrix()
    expected = np.concatenate([matrix[..., 0], matrix[..., 1]], axis=-1)
    np.testing.assert_allclose(of(xp).sixd(*to(xp, q)), expected, atol=tolerance(xp))


@both
@given(raw_quaternions)
def test_normalising(xp, q):
    expected = q / np.linalg.norm(q, axis=-1, keepdims=True)
    np.testing.assert_allclose(of(xp).quat_normalise(*to(xp, q)), expected, atol=tolerance(xp))


@both
@given(st.floats(-3.1, 3.1), st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))
def test_heading_is_the_twist_about_z(xp, yaw, tilt_x, tilt_y):
    tilt = Rotation.from_rotvec([tilt_x, tilt_y, 0])  # the swing of least rotation has no z part
    q = (tilt * Rotation.from_rotvec([0, 0, yaw])).as_quat(scalar_first=True)[None]
    same(of(xp).heading(*to(xp, q)), Rotation.from_rotvec([[0, 0, yaw]]).as_quat(scalar_first=True), xp)


@both
def test_heading_of_an_upside_down_body_is_the_identity(xp):
    np.testing.assert_array_equal(of(xp).heading(*to(xp, np.array([[0.0, 0.6, 0.8, 0.0]]))), [[1, 0, 0, 0]])


@both
@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_is_that_of_scipy(xp, a, b, fraction):
    f = np.full(N, fraction)
    out = of(xp).slerp(*to(xp, a, b, f))
    ends = scipy(a).inv() * scipy(b)
    if (ends.magnitude() > np.pi - 0.01).any():
        return  # the geodesic of a half turn is not unique
    expected = [Slerp([0, 1], scipy(np.stack(ends)))(fraction) for ends in zip(a, b, strict=True)]
    same(out, np.array([r.as_quat(scalar_first=True) for r in expected]), xp)


@both
def test_angular_velocity_of_a_steady_turn(xp):
    omega = np.array([0.3, -0.5, 0.8])
    start = Rotation.from_rotvec([0.4, 0.1, -0.7])
    turns = Rotation.from_rotvec(np.arange(6)[:, None] / 30 * omega) * start
    q = turns.as_quat(scalar_first=True)
    out = of(xp).angular_velocity(*to(xp, q), 30.0)
    np.testing.assert_allclose(out, np.tile(omega, (6, 1)), atol=1e-9 if xp is np else 2e-4)
    flipped = q * np.array([1, -1, 1, 1, -1, 1])[:, None]  # q and -q are the same
    np.testing.assert_allclose(of(xp).angular_velocity(*to(xp, flipped), 30.0), out, atol=1e-9 if xp is np else 2e-4)
    np.testing.assert_array_equal(of(xp).angular_velocity(*to(xp, q[:1]), 30.0), np.zeros((1, 3)))


@both
def test_leading_axes_broadcast(xp):
    q = np.random.default_rng(0).normal(size=(2, 3, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    v = np.random.default_rng(1).normal(size=(3, 3))
    out = of(xp).rotate(*to(xp, q, v))
    assert out.shape == (2, 3, 3)
    np.testing.assert_allclose(out[1, 2], scipy(q[1, 2]).apply(v[2]), atol=tolerance(xp))
