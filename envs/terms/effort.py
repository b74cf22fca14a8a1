"""How hard the human works."""

from jaxtyping import Array, Float

from devi_jax.core.frame import Frame, Target


def joint_power(frame: Frame, target: Target) -> Float[Array, ""]:
    """Mechanical power summed over all joints, in kilowatts. DeVI Eq. 16, r_pw."""
    return frame.power_w * 1e-3
