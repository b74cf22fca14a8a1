"""Who feels what: a table of declared pairs becomes contact sensors, and their readings one force a body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import mujoco
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core.errors import ConfigError
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME


@dataclass(frozen=True)
class ContactPair:
    """Each of `bodies` feels its strongest contact with `against`, on the last physics step.

    `against`: a free body, such as the object or a prop, or `floor` or `table`. Where the scene has none of the name,
    nothing is felt.
    """

    name: str
    bodies: tuple[str, ...]
    against: str


HANDS = "hands"
"""Name of the pair whose forces `SimState.contact_n` shows."""


def hands_on_object(hands: Sequence[Sequence[str]]) -> ContactPair:
    """The bodies of all hands, hand by hand, against the object."""
    return ContactPair(HANDS, tuple(body for hand in hands for body in hand), OBJECT_NAME)


_FORCE, _STRONGEST, _SLOTS = 1 << 1, 2, 1  # of MuJoCo's contact sensor: data, reduction, number


def add_contact_sensors(spec: mujoco.MjSpec, pairs: Sequence[ContactPair], per_part: bool) -> None:
    """Sensors for each pair: of each geom of a body, with the other body as a whole or, `per_part`, each of its geoms.

    Raises `ConfigError` for a body that the scene does not have, and for two pairs of one name.
    """
    names = [pair.name for pair in pairs]
    if len(set(names)) < len(names):
        raise ConfigError(f"contact pairs share a name: {', '.join(names)}", where="contacts", valid="a name for each")
    for pair in pairs:
        for body in pair.bodies:
            found = spec.body(body)
            if found is None:
                raise ConfigError(
                    f"the contact pair '{pair.name}' names the body '{body}', which the scene does not have",
                    where="contacts",
                    valid=", ".join(b.name for b in spec.bodies),
                )
            _add_for_body(spec, f"{pair.name}/{body}", found, _targets(spec, pair.against, per_part))


def _targets(spec: mujoco.MjSpec, against: str, per_part: bool) -> list[tuple[mujoco.mjtObj, str]]:
    body, kind = spec.body(against), mujoco.mjtObj
    if body is not None:
        return [(kind.mjOBJ_GEOM, g.name) for g in body.geoms] if per_part else [(kind.mjOBJ_BODY, against)]
    return [] if spec.geom(against) is None else [(kind.mjOBJ_GEOM, against)]


def _add_for_body(spec: mujoco.MjSpec, prefix: str, body: mujoco.MjsBody, targets: list) -> None:
    for geom in body.geoms:
        for number, (kind, target) in enumerate(targets):
            spec.add_sensor(
                name=f"{prefix}/{geom.name}/{number}",
                type=mujoco.mjtSensor.mjSENS_CONTACT,
                objtype=mujoco.mjtObj.mjOBJ_GEOM,
                objname=geom.name,
                reftype=kind,
                refname=target,
                intprm=[_FORCE, _STRONGEST, _SLOTS],
            )


def sensor_places(model: mujoco.MjModel, pairs: Sequence[ContactPair]) -> dict[str, np.ndarray]:
    """Where each pair's forces are in `sensordata`: (bodies, sensors of each, 3) by name; bodies of fewer sensors have
    their last one several times."""
    sensors = [model.sensor(i) for i in range(model.nsensor)]
    starts = {tuple(s.name.split("/", 2)): int(s.adr[0]) for s in sensors if s.name.count("/") >= 2}
    out = {}
    for pair in pairs:
        of_body = [[at for key, at in starts.items() if key[:2] == (pair.name, body)] for body in pair.bodies]
        most = max((len(places) for places in of_body), default=0)
        rows = [places + places[-1:] * (most - len(places)) for places in of_body]
        out[pair.name] = np.array(rows, int).reshape(len(rows), most, 1) + np.arange(3)
    return out


def read_forces(
    sensordata: Float[Array, " nsensordata"], places: Mapping[str, np.ndarray]
) -> dict[str, Float[Array, " bodies"]]:
    """The strongest contact of each body of each pair, newtons."""
    return {name: _strongest(sensordata, at) for name, at in places.items()}


def no_forces(places: Mapping[str, np.ndarray]) -> dict[str, Float[Array, " bodies"]]:
    """What the pairs feel before the first step."""
    return {name: jnp.zeros(len(at)) for name, at in places.items()}


def _strongest(sensordata: Float[Array, " nsensordata"], at: np.ndarray) -> Float[Array, " bodies"]:
    if at.size == 0:
        return jnp.zeros(len(at))
    flat = at.ravel()
    in_a_row = (np.diff(flat) == 1).all()
    block = slice(int(flat[0]), int(flat[-1]) + 1) if in_a_row else flat
    force = jnp.sqrt(jnp.sum(sensordata[block].reshape(at.shape) ** 2, axis=-1))
    return jnp.max(force, axis=-1)
