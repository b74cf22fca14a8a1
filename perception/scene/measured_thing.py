"""The camera's tilt and the thing's distance, by what is said of them or by what the film shows."""

from dataclasses import dataclass, replace

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.keypoints import Keypoints
from perception.landmarks.hand_depth import hand_in_camera
from perception.scene.marker import find_marker
from perception.scene.size_by_hand import distance_by_hand
from perception.scene.square_edges import SquareCamera
from perception.scene.standing_thing import StandingThing, fit_standing_thing, standing_axes
from perception.scene.watch import TakenThing, WatchedFilm

WINDOW_S = 0.5
"""The hand is looked at so long before and after it takes the thing."""
ALIKE_DEG = 15.0
"""Upright edges and the thing's outline tell the same tilt if they differ by no more. Otherwise edges are not upright:
those of a desk that is seen from straight above are parallel as well."""
LEAST_PITCH_DEG = 10.0
"""Where the outline tells no tilt, edges tell it alone, if they meet below the picture."""


@dataclass(frozen=True)
class Said:
    """What the user says: the camera's tilt, the thing's height, a marker's edge; None where the film has to tell.

    `square`: what the film's edges tell, which counts for more than the thing's outline; `focal_by_edges`, whether the
    focal length is theirs too.
    """

    pitch_deg: float | None = None
    height_m: float | None = None
    marker_m: float | None = None
    square: SquareCamera | None = None
    focal_by_edges: bool = False


@dataclass(frozen=True, eq=False)
class MeasuredThing:
    """How the thing stands; `foot_m`, depth of its foot; `ground` (4,), the plane on which it stands, in the camera's
    frame: n x + d is a point's height; `notes`, how tilt and scale came to be known."""

    standing: StandingThing
    foot_m: float
    ground: np.ndarray
    notes: dict[str, str]


def measure_thing(
    film: WatchedFilm,
    found: TakenThing,
    vertices: np.ndarray,
    faces: np.ndarray,
    K: np.ndarray,
    offsets: np.ndarray,
    said: Said,
) -> MeasuredThing:
    """Tilt by marker, user, upright edges or outline; distance by marker, the thing's height or the hand that takes it.

    Args:
        vertices, faces: the thing's model (V, 3), metres, and (F, 3).
        offsets: the person's joints in their parents' frames (52, 3), metres.

    Raises what finding the marker, the fit and the hand raise.
    """
    marker = find_marker(film.first, said.marker_m, K) if said.marker_m else None
    pitch = marker.pitch_deg if marker else said.pitch_deg
    if pitch is not None:
        standing = fit_standing_thing(found.mask, vertices, faces, K, pitch)
        how = "by the marker" if marker else "as said"
    else:
        standing, how = _by_edges_or_outline(found.mask, vertices, faces, K, said)
    tilt = f"looks down by {standing.pitch_deg:.0f} degrees, {how}; overlap {standing.overlap:.0%}"
    if marker:
        foot_m, scale = marker.depth_at(np.linalg.solve(K, standing.foot_ray)), f"the marker {marker.name}"
    elif said.height_m:
        foot_m, scale = said.height_m / (standing.tall * float(np.ptp(vertices[:, 2]))), "its height"
    else:
        points = hand_in_camera(
            _near(film.hands.hands[found.side], found.taken, film.hands.body.fps), K, offsets, found.side
        )
        ray, up = np.linalg.solve(K, standing.foot_ray), standing_axes(standing.pitch_deg)[:, 2]
        radius = standing.wide * float(np.ptp(vertices[:, :2], axis=0).min()) / 2
        hand = distance_by_hand(points, found.side, found.taken, film.hands.body.fps, ray, up, radius)
        foot_m = hand.foot_m
        scale = f"the {found.side} hand's size ({hand.spread_m * 1e3:.0f} mm spread)"
    notes = {"tilt": tilt, "scale": f"thing {foot_m:.2f} m away, by {scale}"}
    return MeasuredThing(standing, foot_m, _ground(standing, foot_m, K), notes)


def _by_edges_or_outline(
    mask: np.ndarray, vertices: np.ndarray, faces: np.ndarray, K: np.ndarray, said: Said
) -> tuple[StandingThing, str]:
    """The thing at the tilt of upright edges, where its outline tells much the same; otherwise at that of its outline.

    Raises `EstimateError` where neither is told, or the outline contradicts edges that tell the focal length.
    """
    square = said.square
    try:
        by_outline = fit_standing_thing(mask, vertices, faces, K)
    except EstimateError:
        if square is None or square.pitch_deg < LEAST_PITCH_DEG:
            raise
        return fit_standing_thing(mask, vertices, faces, K, square.pitch_deg), "by upright edges alone"
    if square is None:
        return by_outline, "by the thing's outline"
    apart = f"edges say that the camera looks down by {square.pitch_deg:.0f} degrees"
    if abs(square.pitch_deg - by_outline.pitch_deg) > ALIKE_DEG:
        if said.focal_by_edges:
            raise EstimateError(
                f"{apart}, the thing's outline {by_outline.pitch_deg:.0f}",
                where="the film's straight edges, which tell its focal length",
                valid=f"at most {ALIKE_DEG:.0f} degrees apart",
                fix="--fov-deg=ANGLE (65 for a phone's main camera) or --focal-px, or --pitch-deg=ANGLE",
            )
        return by_outline, f"by the thing's outline; {apart}"
    by_edges = fit_standing_thing(mask, vertices, faces, K, square.pitch_deg)
    return by_edges, f"by upright edges; {by_outline.pitch_deg:.0f} by the thing's outline"


def _near(hand: Keypoints, frame: int, fps: float) -> Keypoints:
    """The hand, not seen but about a frame."""
    near = np.abs(np.arange(hand.frames) - frame) <= WINDOW_S * fps
    return replace(hand, conf=np.where(near[:, None], hand.conf, 0.0))


def _ground(standing: StandingThing, foot_m: float, K: np.ndarray) -> np.ndarray:
    up = standing_axes(standing.pitch_deg)[:, 2]
    return np.array([*up, -foot_m * (up @ np.linalg.solve(K, standing.foot_ray))])
