"""A hand of known bones laid over the pixels of its 21 points: where it is, how it is turned, how its fingers bend.

A palm that is seen edge-on, as in most grasps from the side, tells by its five points hardly how it is turned, and
thereby not how far it is. Its fingers tell: they bend only towards the palm, and their bones are as long as they are.
Levenberg-Marquardt, all frames and starts at once (Levenberg 1944, Marquardt 1963), with Huber-like weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import jacfwd, vmap

from devi_jax.core.skeleton import INDEX, TIPS
from perception.contracts.hand import HAND21
from perception.human.skeleton_points import fingertips

BENDING = ("index", "middle", "ring", "pinky")
THICK_M = 0.012
"""Joints are in the middle of fingers and palms, so far above what these lie on."""
DISTAL = 0.6
"""The last joint of a finger bends so much of what its middle joint does."""
SIZE = 6 + 3 * len(BENDING) + 9
"""Numbers of a hand: its turn and place, three angles of each finger, three turns of the thumb."""


@dataclass(frozen=True)
class HandFitConfig:
    """What weighs how much: standard deviations, in radians where nothing else is said."""

    pixels: float = 0.05
    """Of a point in the picture, in the mean distance of all from their middle."""
    beyond: float = 0.1
    """By how much a finger bends beyond `knuckle` or `middle`."""
    knuckle: tuple[float, float] = (-0.2, 1.5)
    """A finger's first joint bends within this."""
    middle: tuple[float, float] = (0.0, 1.8)
    """Its second joint."""
    spread: float = 0.12
    """How far fingers are spread."""
    apart: float = 0.3
    """By how much a finger is bent otherwise than its neighbour."""
    thumb: tuple[float, float, float] = (0.5, 0.4, 0.4)
    """How far the thumb's joints turn from where they are in the T-pose."""
    sunk_m: float = 0.01
    """How far a joint is below `THICK_M`."""
    alike: float = 0.1
    """How far an angle is from the one it is like."""
    iterations: int = 30


@dataclass(frozen=True)
class HandFit:
    """Hands (S, T, ...) fitted from S starts to T frames, in the camera's frame.

    `turns` (S, T, 3, 3): of the wrist from the T-pose; `places` (S, T, 3): of the wrist, and `points` (S, T, 21, 3),
    the skeleton's, metres; `angles` (S, T, 21), radians, of fingers and thumb; `cost` (S, T): sum of squares over
    standard deviations, infinite where nothing was found.
    """

    turns: np.ndarray
    places: np.ndarray
    points: np.ndarray
    angles: np.ndarray
    cost: np.ndarray


def fit_hands(
    px: np.ndarray,
    K: np.ndarray,
    turns: np.ndarray,
    places: np.ndarray,
    bones: Mapping[str, np.ndarray],
    ground: np.ndarray | None = None,
    like: np.ndarray | None = None,
    config: HandFitConfig | None = None,
) -> HandFit:
    """The hand of `bones` (see `hand_bones`) fitted to the pixels `px` (T, 21, 2), from each start.

    Args:
        K: the camera's intrinsics (3, 3).
        turns: of the wrist in the camera's frame, (S, T, 3, 3).
        places: of the wrist there, (S, T, 3), metres.
        ground: a plane (4,) there that hands stay above: a point x is n x + d above it, for the unit vector n and d.
        like: angles (T, 21) that fingers and thumb have, roughly; free where these are NaN.
    """
    config = config or HandFitConfig()
    starts, frames = turns.shape[:2]
    size = np.linalg.norm(px - px.mean(axis=1, keepdims=True), axis=-1).mean(axis=1)
    sigma = np.broadcast_to(np.maximum(config.pixels * size, 0.5), (starts, frames))
    known = {name: torch.from_numpy(np.array(v, float)) for name, v in bones.items()}
    plane = None if ground is None else torch.from_numpy(np.array(ground, float))
    model = _Hand(known, torch.from_numpy(np.array(K, float)), plane, config)
    state = torch.zeros(starts * frames, SIZE, dtype=torch.float64)
    state[:, 3:6] = torch.from_numpy(places.reshape(-1, 3))
    state[:, 6 : 6 + 3 * len(BENDING) : 3] = 0.4
    state[:, 8 : 6 + 3 * len(BENDING) : 3] = 0.4
    wanted = torch.full((starts, frames, SIZE - 6), torch.nan, dtype=torch.float64)
    if like is not None:
        wanted[:] = torch.from_numpy(np.array(like, float))
    wanted = wanted.reshape(-1, SIZE - 6)
    state[:, 6:] = torch.where(torch.isnan(wanted), state[:, 6:], wanted)
    base = torch.from_numpy(np.array(turns.reshape(-1, 3, 3)))
    seen = torch.from_numpy(np.array(np.broadcast_to(px, (starts, *px.shape)).reshape(-1, *px.shape[1:])))
    scale = torch.from_numpy(np.array(sigma.reshape(-1)))
    fitted, cost = _descend(model, state, base, (seen, scale, wanted), config.iterations)
    with torch.no_grad():
        points = vmap(model.points)(fitted, base)
        turned = base @ vmap(_rotation)(fitted[:, :3])
    cost = torch.where(torch.isfinite(cost) & torch.isfinite(points).all(dim=-1).all(dim=-1), cost, torch.inf)
    parts = (turned, fitted[:, 3:6], points, fitted[:, 6:], cost)
    return HandFit(*(part.numpy().reshape(starts, frames, *part.shape[1:]) for part in parts))


def hand_bones(offsets: np.ndarray, side: str, shifts: np.ndarray) -> dict[str, np.ndarray]:
    """Each joint's place in its parent's frame (3,), by the names of `HAND21`, the `axis` about which fingers bend, and
    the `shifts`.

    Args:
        offsets: the skeleton's joints in their parents' frames (52, 3), metres.
        shifts: what makes landmarks of the skeleton's points, in the wrist's frame (21, 3).
    """
    tips = dict(zip(TIPS, fingertips(offsets), strict=True))
    out = {"shifts": shifts, "axis": np.array([0.0, 1.0 if side == "right" else -1.0, 0.0])}
    for name in HAND21[1:]:
        last = INDEX[f"{side}_{name.replace('_tip', '3')}"]
        out[name] = tips[last] if name.endswith("_tip") else offsets[last]
    return out


@dataclass(frozen=True)
class _Hand:
    """One hand's points and residuals, of its numbers `x` (27,) and the turn `base` (3, 3) it starts from."""

    bones: Mapping[str, Tensor]
    K: Tensor
    ground: Tensor | None
    config: HandFitConfig

    def points(self, x: Tensor, base: Tensor) -> Tensor:
        turn, at = base @ _rotation(x[:3]), x[3:6]
        found = {"wrist": at}
        axis, up = self.bones["axis"], torch.tensor([0.0, 0.0, 1.0], dtype=x.dtype)
        for k, finger in enumerate(BENDING):
            bend, spread, middle = x[6 + 3 * k : 9 + 3 * k].unbind()
            turns = (_rotation(spread * up) @ _rotation(bend * axis), _rotation(middle * axis))
            found |= self._chain(finger, at, turn, (*turns, _rotation(DISTAL * middle * axis)))
        thumb = x[-9:].reshape(3, 3)
        found |= self._chain("thumb", at, turn, tuple(_rotation(v) for v in thumb))
        return torch.stack([found[name] for name in HAND21])

    def _chain(self, finger: str, at: Tensor, turn: Tensor, turns: tuple[Tensor, ...]) -> dict[str, Tensor]:
        out = {}
        for part, own in zip(("1", "2", "3"), turns, strict=True):
            at = at + turn @ self.bones[finger + part]
            turn = turn @ own
            out[finger + part] = at
        out[f"{finger}_tip"] = at + turn @ self.bones[f"{finger}_tip"]
        return out

    def pixels(self, points: Tensor, turn: Tensor, px: Tensor, sigma: Tensor) -> Tensor:
        """How far the landmarks of points (21, 3) are from `px` (21, 2), in standard deviations."""
        there = (points + self.bones["shifts"] @ turn.mT) @ self.K.T
        return (there[:, :2] / there[:, 2:].clamp(min=0.02) - px) / sigma

    def sunk(self, points: Tensor) -> Tensor:
        if self.ground is None:
            return points.new_zeros(0)
        above = points @ self.ground[:3] + self.ground[3]
        return torch.relu(THICK_M - above) / self.config.sunk_m

    def priors(self, x: Tensor) -> Tensor:
        c = self.config
        bend, spread, middle = x[6:-9].reshape(len(BENDING), 3).unbind(dim=1)
        outside = [
            torch.relu(low - v) + torch.relu(v - high) for v, (low, high) in ((bend, c.knuckle), (middle, c.middle))
        ]
        thumb = x[-9:].reshape(3, 3) / torch.tensor(c.thumb, dtype=x.dtype)[:, None]
        steps = [torch.diff(bend) / c.apart, torch.diff(middle) / c.apart]
        return torch.cat([torch.cat(outside) / c.beyond, spread / c.spread, *steps, thumb.reshape(-1)])


def _descend(
    model: _Hand, state: Tensor, base: Tensor, seen: tuple[Tensor, Tensor, Tensor], iterations: int
) -> tuple[Tensor, Tensor]:
    """The numbers (N, 27) of least cost, and that cost (N,); `seen`: pixels, their deviations, angles to be like."""

    def residuals(x: Tensor, base: Tensor, px: Tensor, sigma: Tensor, like: Tensor) -> Tensor:
        points = model.points(x, base)
        off = model.pixels(points, base @ _rotation(x[:3]), px, sigma)
        # of an error r counts 2 (sqrt(1 + r^2) - 1): a point that the network put elsewhere pulls no more than others
        square = (off**2).sum(dim=-1, keepdim=True)
        weight = (2 / (1 + torch.sqrt(1 + square))).sqrt()
        unlike = torch.where(torch.isnan(like), 0.0, x[6:] - torch.nan_to_num(like)) / model.config.alike
        return torch.cat([(weight * off).reshape(-1), model.sunk(points), model.priors(x), unlike])

    value, slope = vmap(residuals), vmap(jacfwd(residuals))
    damping, eye = torch.full((len(state),), 1e-2, dtype=state.dtype), torch.eye(SIZE, dtype=state.dtype)
    with torch.no_grad():
        cost = (value(state, base, *seen) ** 2).sum(dim=1)
        for _ in range(iterations):
            J, r = slope(state, base, *seen), value(state, base, *seen)
            H, g = J.mT @ J, (J.mT @ r[..., None])[..., 0]
            scaled = H + damping[:, None, None] * (eye * H.diagonal(dim1=1, dim2=2)[:, None] + 1e-6 * eye)
            tried = state - torch.linalg.solve(scaled, g)
            new = (value(tried, base, *seen) ** 2).sum(dim=1)
            better = (new < cost) & (tried[:, 5] > 0.05)
            state, cost = torch.where(better[:, None], tried, state), torch.where(better, new, cost)
            damping = torch.where(better, damping / 3, damping * 4).clamp(1e-6, 1e6)
    return state, cost


def _rotation(rotvec: Tensor) -> Tensor:
    """Rotation matrix (3, 3) of a rotation vector (3,), smooth at zero (Rodrigues)."""
    square = (rotvec**2).sum() + 1e-12
    angle = square.sqrt()
    x, y, z = rotvec.unbind()
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3)
    eye = torch.eye(3, dtype=rotvec.dtype)
    return eye + torch.sin(angle) / angle * cross + (1 - torch.cos(angle)) / square * (cross @ cross)
