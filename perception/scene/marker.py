"""A printed marker of known size beside the thing: how the camera looks down, and the scale, at once."""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.contracts.checks import EstimateError

DICTIONARIES = ("DICT_APRILTAG_36h11", "DICT_4X4_50", "DICT_5X5_100", "DICT_6X6_250", "DICT_ARUCO_ORIGINAL")
MOST_ROLL_DEG = 8.0


@dataclass(frozen=True)
class Marker:
    """The plane that the marker lies on, in the camera's frame: `up` (3,) and a point of it (3,), metres."""

    name: str
    up: np.ndarray
    centre: np.ndarray

    @property
    def pitch_deg(self) -> float:
        """How far the camera looks down."""
        return float(np.degrees(np.arctan2(-self.up[2], -self.up[1])))

    @property
    def roll_deg(self) -> float:
        """How far it leans to a side, which a scene has as none."""
        return float(np.degrees(np.arcsin(self.up[0])))

    def depth_at(self, ray: np.ndarray) -> float:
        """Depth, metres, at which a ray (3,) of depth one meets the plane."""
        return float((self.centre @ self.up) / (ray @ self.up))


def find_marker(image: np.ndarray, side_m: float, K: np.ndarray) -> Marker:
    """The marker of edge `side_m` (of its black square) in a picture (H, W, 3) uint8.

    Raises:
        EstimateError: there is none, or several, or the camera leans to a side.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found = []
    for name in DICTIONARIES:
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
        corners, ids, _ = cv2.aruco.ArucoDetector(dictionary, cv2.aruco.DetectorParameters()).detectMarkers(grey)
        found += [(f"{name} {int(k)}", c[0]) for c, k in zip(corners, [] if ids is None else ids.ravel(), strict=True)]
    if len(found) != 1:
        raise EstimateError(
            f"{len(found) or 'no'} markers are seen in the first frame" + "".join(f", {name}" for name, _ in found),
            where="--marker-m",
            valid=f"one marker of {', '.join(DICTIONARIES)}, flat on what the thing stands on",
        )
    name, px = found[0]
    half = side_m / 2
    square = np.array([[-half, half, 0], [half, half, 0], [half, -half, 0], [-half, -half, 0]])
    ok, rotvec, centre = cv2.solvePnP(square, px.astype(float) + 0.5, K, np.zeros(4), flags=cv2.SOLVEPNP_IPPE_SQUARE)
    up = cv2.Rodrigues(rotvec)[0][:, 2]
    marker = Marker(name, up, centre[:, 0])
    if not ok or abs(marker.roll_deg) > MOST_ROLL_DEG:
        raise EstimateError(
            f"by the marker {name} the camera leans {marker.roll_deg:.0f} degrees to a side",
            where="--marker-m",
            valid=f"at most {MOST_ROLL_DEG:g} degrees, and a marker that lies flat",
        )
    return marker
