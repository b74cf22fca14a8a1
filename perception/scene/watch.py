"""A film watched once: its first frame, the hands in every frame, and what moves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.hand import Side
from perception.landmarks.estimate import PersonLandmarks, load_networks
from perception.landmarks.hands_alone import estimate_hands
from perception.landmarks.pose import find_people
from perception.scene.box_mask import mask_about_box, mask_in_box, whole_piece
from perception.scene.moved_thing import Box, FilmMotion, find_moved_thing, taken_from
from perception.video.video import Video, read

PERSON_EVERY, PERSON_PART, PERSON_SCORE = 15, 0.5, 0.9
"""A whole person is looked for once in so many frames, and is there if seen this surely in this part of them."""
BEFORE = 10
"""So many frames before a thing leaves its place the hand that takes it is looked for."""
BOX_PART = 0.06
"""A box around what is seen to move is smaller than the thing by so much of its longer side."""


@dataclass(frozen=True, eq=False)
class WatchedFilm:
    """What a film of hands shows: `first` (H, W, 3) uint8."""

    first: np.ndarray
    hands: PersonLandmarks
    motion: FilmMotion

    @property
    def summary(self) -> str:
        """How often each hand is seen."""
        shares = {side: float(hand.seen.mean()) for side, hand in self.hands.hands.items()}
        return ", ".join(f"{side} hand in {share:.0%} of frames" for side, share in shares.items() if share)

    def points(self, side: Side) -> np.ndarray:
        """Pixels (T, 21, 2) of a hand, NaN where it is not seen."""
        hand = self.hands.hands[side]
        return np.where(hand.seen[:, None, None], hand.xy, np.nan)


@dataclass(frozen=True, eq=False)
class TakenThing:
    """The thing's pixels in the first frame (H, W) bool, the frame in which it leaves its place, and the hand there."""

    mask: np.ndarray
    taken: int
    side: Side


def watch(video: Video, one_side: Side | None, progress: Callable[[int], None]) -> WatchedFilm:
    """Follow hands and motion through the film.

    Raises:
        EstimateError: a whole person is seen, or what `estimate_hands` raises.
    """
    motion, networks = FilmMotion(), load_networks()
    first: list[np.ndarray] = []
    persons: list[bool] = []

    def seen() -> Iterator[np.ndarray]:
        for image in read(video):
            if not first:
                first.append(image)
            if len(motion.frames) % PERSON_EVERY == 0:
                persons.append(any(found.score >= PERSON_SCORE for found in find_people(networks.person, image)))
            motion.add(image)
            yield image

    hands = estimate_hands(seen(), video.fps, one_side, networks=networks, progress=progress)
    if np.mean(persons) > PERSON_PART:
        raise EstimateError(
            f"a person's face is seen in {100 * np.mean(persons):.0f} % of the frames: this is no film of hands alone",
            where="the film",
            valid="hands and forearms; a scene is not yet made out of a film of a whole person",
            fix="write scene.json and the camera by hand: python -m devi_jax.extract FILM --scene=FILE --camera=FILE",
        )
    return WatchedFilm(first[0], hands, motion)


def find_taken_thing(film: WatchedFilm, box: Box | None = None, mask: np.ndarray | None = None) -> TakenThing:
    """The thing in `mask`, in `box`, or that a hand is seen to take.

    Raises:
        EstimateError: no hand is seen where it leaves its place, or what the search and the cut raise.
    """
    sides: tuple[Side, ...] = ("left", "right")
    points = {side: film.points(side) for side in sides}
    fps = film.hands.body.fps
    if mask is not None:
        piece = whole_piece(mask)
        taken = taken_from(film.motion, piece, fps)
    elif box is not None:
        piece = mask_in_box(film.first, box)
        taken = taken_from(film.motion, piece, fps)
    else:
        found = find_moved_thing(film.motion, list(points.values()), fps)
        piece, taken = mask_about_box(film.first, found.box.grown(BOX_PART)), found.taken
    rows, columns = np.nonzero(piece)
    middle = np.array([columns.mean(), rows.mean()])

    def away(side: Side) -> float:
        about = points[side][max(0, taken - BEFORE) : taken + 1, 9]
        about = about[np.isfinite(about[:, 0])]
        return float(np.linalg.norm(about - middle, axis=-1).min()) if len(about) else np.inf

    side = min(sides, key=away)
    if not np.isfinite(away(side)):
        raise EstimateError(
            f"no hand is seen in frames {max(0, taken - BEFORE)} to {taken}, in which the thing leaves its place",
            where="the film",
            valid="a hand in view while it grasps",
            fix="check what --box or --mask mean, or film the hand nearer and in more light",
        )
    return TakenThing(piece, taken, side)
