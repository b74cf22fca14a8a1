"""What the stages of perception hand to each other: one small type a file, checked, and one versioned `.npz` each.

Every convention is settled here, at the edge: camera of OpenCV (x right, y down, z forward), pixel (0, 0) the corner of
the first pixel, nothing mirrored, metres, radians, seconds; left and right are the person's.
"""

from perception.contracts.archive import load, save
from perception.contracts.body import LANDMARKS, BodyMotion
from perception.contracts.checks import EstimateError
from perception.contracts.depth import Depth, DepthKind
from perception.contracts.estimate import Estimate, Origin
from perception.contracts.hand import HAND21, HandMotion, Side
from perception.contracts.keypoints import Keypoints
from perception.contracts.masks import Masks
from perception.contracts.object_pose import ObjectMotion
from perception.contracts.tracks import PointTracks

__all__ = [
    "BodyMotion",
    "Depth",
    "DepthKind",
    "Estimate",
    "EstimateError",
    "HAND21",
    "HandMotion",
    "Keypoints",
    "LANDMARKS",
    "Masks",
    "ObjectMotion",
    "Origin",
    "PointTracks",
    "Side",
    "load",
    "save",
]
