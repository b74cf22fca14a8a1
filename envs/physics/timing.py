"""How often a system simulates, drives its joints and asks its policy: each rate divides the one before."""

import math
from dataclasses import dataclass

from devi_jax.core.errors import ConfigError

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Timing:
    """Rates of a system."""

    control_hz: float = 30.0
    """PD control steps a second: in each the targets' torque limits are taken anew."""
    policy_hz: float = 30.0
    """Actions a second, and frames of the reference; the targets are held until the next one."""
    physics_hz: float = 0.0
    """Physics steps a second; 0 takes the engine's own: 60 of C MuJoCo and MJX-Warp, 240 of MJX-JAX."""

    @property
    def hold(self) -> int:
        """Control steps of one action."""
        return round(self.control_hz / self.policy_hz)

    def substeps(self, physics_hz: float) -> int:
        """Physics steps of a control step, of an engine at `physics_hz`."""
        return round(physics_hz / self.control_hz)

    def validate(self, physics_hz: float | None = None) -> None:
        """Raise `ConfigError` unless rates are positive and each divides the one before."""
        physics_hz = physics_hz or self.physics_hz
        rates = self.control_hz, self.policy_hz, physics_hz
        if not all(map(math.isfinite, rates)) or min(rates[:2]) <= 0 or physics_hz < 0:
            raise ConfigError(
                f"rates of {physics_hz:g}, {self.control_hz:g} and {self.policy_hz:g} Hz",
                where="--timing",
                valid="numbers above 0; 0 for the engine's own physics rate",
                fix="leave the --timing flags away for 30 Hz",
            )
        pairs = [("policy", self.policy_hz, "control", self.control_hz)]
        if physics_hz:
            pairs.append(("control", self.control_hz, "physics", physics_hz))
        for name, slow, other, fast in pairs:
            if fast < slow or abs(fast / slow - round(fast / slow)) > _TOLERANCE:
                raise ConfigError(
                    f"the {other} rate of {fast:g} Hz is no multiple of the {name} rate of {slow:g} Hz",
                    where=f"--timing.{name}-hz",
                    valid=f"{fast:g} Hz over a whole number",
                    fix=f"--timing.{name}-hz={fast / max(1, round(fast / slow)):g}",
                )
