"""Rotations on NumPy or JAX arrays alike: quaternions (wxyz), rotation vectors, matrices, 6D.

Each function asks its argument for its array namespace, so one definition serves the file boundary (NumPy,
no JAX needed) and the compiled environment. All broadcast over leading axes. Tested against jaxlie and SciPy.
"""

from typing import Any

from devi_jax.core.broadcast import to_rank

Array = Any  # a NumPy or a JAX array: shapes are stated in each docstring

_TINY = 1e-12


def quat_mul(a: Array, b: Array) -> Array:
    """Hamilton product a b: (..., 4), (..., 4) -> (..., 4)."""
    xp = a.__array_namespace__()
    aw, ax, ay, az = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bw, bx, by, bz = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    return xp.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def quat_conj(q: Array) -> Array:
    """Inverse of unit quaternions (..., 4)."""
    xp = q.__array_namespace__()
    return q * to_rank(xp.asarray([1.0, -1.0, -1.0, -1.0], dtype=q.dtype), q.ndim)


def quat_normalise(q: Array) -> Array:
    """Unit quaternions (..., 4); a zero quaternion stays (almost) zero, callers check for it."""
    xp = q.__array_namespace__()
    return q / xp.sqrt(xp.maximum(xp.sum(q * q, axis=-1, keepdims=True), xp.asarray(_TINY, dtype=q.dtype)))


def cross(a: Array, b: Array) -> Array:
    """Cross product (..., 3), spelled out: several times faster than `xp.cross` inside XLA on a CPU."""
    xp = a.__array_namespace__()
    return xp.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        axis=-1,
    )


def rotate(q: Array, v: Array) -> Array:
    """Rotate vectors (..., 3) by unit quaternions (..., 4)."""
    q, v = to_rank(q, v.ndim), to_rank(v, q.ndim)
    t = 2.0 * cross(q[..., 1:], v)
    return v + q[..., :1] * t + cross(q[..., 1:], t)


def rotate_inverse(q: Array, v: Array) -> Array:
    """Rotate vectors (..., 3) by the inverses of unit quaternions (..., 4)."""
    return rotate(quat_conj(q), v)


def mean_rotation(quats: Array) -> Array:
    """The mean (..., 4) of rotations (F, ..., 4): the first eigenvector of the sum of their outer products."""
    xp = quats.__array_namespace__()
    return xp.linalg.eigh((quats[..., :, None] * quats[..., None, :]).sum(axis=0))[1][..., -1]


def quat_exp(rotvec: Array) -> Array:
    """Exponential map: rotation vectors (..., 3) in radians to unit quaternions (..., 4)."""
    xp = rotvec.__array_namespace__()
    square = xp.sum(rotvec * rotvec, axis=-1, keepdims=True)
    small = square < 1e-8
    angle = xp.sqrt(xp.where(small, xp.ones_like(square), square))
    # sin(x/2)/x = 1/2 - x^2/48 + ... near zero; the `where` keeps derivatives finite
    factor = xp.where(small, 0.5 - square / 48.0, xp.sin(0.5 * angle) / angle)
    w = xp.where(small, 1.0 - square / 8.0, xp.cos(0.5 * angle))
    return xp.concatenate([w, factor * rotvec], axis=-1)


def quat_about_z(angle: Array) -> Array:
    """Unit quaternions (..., 4) of turns by `angle` (...) radians about the vertical, counter-clockwise from above."""
    xp = angle.__array_namespace__()
    none = xp.zeros_like(angle)
    return xp.stack([xp.cos(angle / 2), none, none, xp.sin(angle / 2)], axis=-1)


def quat_log(q: Array) -> Array:
    """Logarithm: unit quaternions (..., 4) to rotation vectors (..., 3) of length at most pi."""
    xp = q.__array_namespace__()
    q = xp.where(q[..., :1] < 0, -q, q)
    square = xp.sum(q[..., 1:] * q[..., 1:], axis=-1, keepdims=True)
    small = square < 1e-10
    sine = xp.sqrt(xp.where(small, xp.ones_like(square), square))
    factor = xp.where(small, 2.0 / xp.maximum(q[..., :1], 0.5), 2.0 * xp.arctan2(sine, q[..., :1]) / sine)
    return factor * q[..., 1:]


def angle_between(a: Array, b: Array) -> Array:
    """Geodesic angle in radians between unit quaternions (..., 4): (...)."""
    xp = a.__array_namespace__()
    relative = quat_mul(quat_conj(a), b)
    sine = xp.sqrt(xp.sum(relative[..., 1:] ** 2, axis=-1))
    return 2.0 * xp.arctan2(sine, xp.abs(relative[..., 0]))


def quat_to_matrix(q: Array) -> Array:
    """Unit quaternions (..., 4) to rotation matrices (..., 3, 3)."""
    xp = q.__array_namespace__()
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    flat = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return xp.stack(flat, axis=-1).reshape(*q.shape[:-1], 3, 3)


def matrix_to_quat(m: Array) -> Array:
    """Rotation matrices (..., 3, 3) to unit quaternions (..., 4), the best-conditioned of four formulas."""
    xp = m.__array_namespace__()
    d = [m[..., i, i] for i in range(3)]
    one = xp.ones_like(d[0])
    rows = xp.stack(
        [
            xp.stack(
                [
                    one + d[0] + d[1] + d[2],
                    m[..., 2, 1] - m[..., 1, 2],
                    m[..., 0, 2] - m[..., 2, 0],
                    m[..., 1, 0] - m[..., 0, 1],
                ],
                axis=-1,
            ),
            xp.stack(
                [
                    m[..., 2, 1] - m[..., 1, 2],
                    one + d[0] - d[1] - d[2],
                    m[..., 0, 1] + m[..., 1, 0],
                    m[..., 0, 2] + m[..., 2, 0],
                ],
                axis=-1,
            ),
            xp.stack(
                [
                    m[..., 0, 2] - m[..., 2, 0],
                    m[..., 0, 1] + m[..., 1, 0],
                    one - d[0] + d[1] - d[2],
                    m[..., 1, 2] + m[..., 2, 1],
                ],
                axis=-1,
            ),
            xp.stack(
                [
                    m[..., 1, 0] - m[..., 0, 1],
                    m[..., 0, 2] + m[..., 2, 0],
                    m[..., 1, 2] + m[..., 2, 1],
                    one - d[0] - d[1] + d[2],
                ],
                axis=-1,
            ),
        ],
        axis=-2,
    )  # (..., 4, 4): row k is the quaternion times four times its k-th component
    norms = xp.sum(rows * rows, axis=-1)
    best = xp.argmax(norms, axis=-1)[..., None, None]
    return quat_normalise(xp.take_along_axis(rows, xp.broadcast_to(best, (*best.shape[:-2], 1, 4)), axis=-2)[..., 0, :])


def sixd(q: Array) -> Array:
    """First two columns of the rotation matrix, (..., 4) -> (..., 6): a continuous encoding (Zhou et al. 2019)."""
    xp = q.__array_namespace__()
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    return xp.stack(
        [
            *(1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
            *(2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        ],
        axis=-1,
    )


def heading(q: Array) -> Array:
    """The rotation about z nearest to q (its twist), (..., 4) -> (..., 4).

    Identity for a half turn about a horizontal axis, where the twist is undefined.
    """
    xp = q.__array_namespace__()
    w, z = q[..., 0], q[..., 3]
    norm = xp.sqrt(w * w + z * z)
    safe = norm > 1e-6
    scale = 1.0 / xp.where(safe, norm, xp.ones_like(norm))
    zero = xp.zeros_like(w)
    return xp.stack([xp.where(safe, w * scale, xp.ones_like(w)), zero, zero, xp.where(safe, z * scale, zero)], axis=-1)


def slerp(a: Array, b: Array, fraction: Array) -> Array:
    """Geodesic interpolation between unit quaternions (..., 4) at `fraction` (...) in [0, 1]."""
    return quat_mul(a, quat_exp(quat_log(quat_mul(quat_conj(a), b)) * fraction[..., None]))


def angular_velocity(q: Array, fps: float | Array) -> Array:
    """World angular velocity in rad/s of a track of unit quaternions (T, ..., 4): (T, ..., 3).

    Central differences in SO(3), one-sided at both ends; zero for a single frame.
    """
    xp = q.__array_namespace__()
    if q.shape[0] == 1:
        return xp.zeros((*q.shape[:-1], 3), dtype=q.dtype)
    after = xp.concatenate([q[1:], q[-1:]], axis=0)
    before = xp.concatenate([q[:1], q[:-1]], axis=0)
    frames = xp.asarray([1.0, *[2.0] * (q.shape[0] - 2), 1.0], dtype=q.dtype)
    step = quat_log(quat_mul(after, quat_conj(before)))
    return step * (fps / frames.reshape(-1, *[1] * (q.ndim - 1)))
