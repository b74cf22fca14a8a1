"""The stages from a video to an aligned motion, a file each: made, kept from an earlier run, or the user's own."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from devi_jax.core.errors import ClipError
from perception import recover
from perception.contracts import BodyMotion, Estimate, HandMotion, PointTracks, Side, load, save
from perception.contracts.keypoints import Keypoints
from perception.known import Known
from perception.landmarks.estimate import PersonLandmarks
from perception.ledger import Ledger, State, digest, key_of
from perception.motion import Motion
from perception.motionfile import load_motion, save_motion
from perception.readers import table
from perception.readers.shot import Shot, shot_of
from perception.sources import AUTO, Sources, Stage
from perception.video import Video

SIDES: tuple[Side, ...] = ("left", "right")

Step = Callable[[str], AbstractContextManager[Callable[[str], None]]]
"""Times what happens inside and takes a note of what came of it."""

E = TypeVar("E", bound=Estimate)
R = TypeVar("R")


@dataclass
class Stages:
    """One extraction. `known_key` stands for the scene; `told` is what the clip's provenance says of each stage.

    Every method raises a `DeviError` for what is wrong with its file, its tool's file, or the video.
    """

    sources: Sources
    video: Video
    known: Known
    known_key: str
    ledger: Ledger
    step: Step
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def shot(self) -> Shot:
        """What readers have to know of the video."""
        return shot_of(self.video, self.known.camera.K)

    def human(self) -> recover.Human:
        """The human before alignment, its first frame where the scene has it."""
        if self.sources.body == AUTO:
            person = self._landmarks()
            recover.check_hands({side: bool(hand.seen.any()) for side, hand in person.hands.items()}, self.known)
            human, after = recover.from_landmarks(person, self.known), ["landmarks"]
        else:
            body, hands = self._body(), self._hands()
            recover.check_hands({side: bool(hand.valid.any()) for side, hand in hands.items()}, self.known)
            s = self.sources
            human, after = recover.from_tools(body, hands, self.known, s.first_frame, s.unify), ["body", "hands"]
        key = self._key(after, self.sources.first_frame, asdict(self.sources.unify))
        motion = self._motion("motion", key, lambda: human.motion)
        return recover.Human(motion, human.body, human.hands)

    def points(self) -> PointTracks:
        """The object's tracks."""
        given, name = self.sources.points, "points.npz"

        def follow() -> dict[str, PointTracks]:
            if given == AUTO:
                return {name: recover.follow_object(self.video, self.known)}
            return {name: _read(given, table.POINTS, "--points", self.shot)}

        return self._estimates("points", [name], self._key([], *_given(given)), follow, PointTracks)[name]

    def aligned(self, human: recover.Human, points: PointTracks) -> Motion:
        """The motion after visual HOI alignment."""
        s = self.sources
        after = ["points", "motion", *(["landmarks"] if s.body == AUTO else ["body", "hands"])]
        key = self._key(after, asdict(s.align), asdict(s.contact))
        return self._motion("aligned", key, lambda: recover.align(human, points, self.known, s.align, s.contact))

    def _landmarks(self) -> PersonLandmarks:
        names = ["landmarks-body.npz", *(f"landmarks-{side}.npz" for side in SIDES)]

        def see() -> dict[str, Keypoints]:
            person = recover.see_person(self.video, self.known)
            return dict(zip(names, [person.body, *(person.hands[side] for side in SIDES)], strict=True))

        found = self._estimates("landmarks", names, self._key([]), see, Keypoints, whole=True)
        hands: dict[Side, Keypoints] = {side: found[name] for side, name in zip(SIDES, names[1:], strict=True)}
        return PersonLandmarks(found[names[0]], hands)

    def _body(self) -> BodyMotion:
        given = self.sources.body
        key = self._key([], *_given(given))
        name = "body.npz"
        return self._estimates(
            "body", [name], key, lambda: {name: _read(given, table.BODY, "--body", self.shot)}, BodyMotion
        )[name]

    def _hands(self) -> dict[str, HandMotion]:
        given = self.sources.hands
        names = [f"hands-{side}.npz" for side in SIDES]

        def take() -> dict[str, HandMotion]:
            hands = _read(given, table.HANDS, "--hands", self.shot)
            return {f"hands-{side}.npz": hand for side, hand in hands.items()}

        found = self._estimates("hands", names, self._key([], *_given(given)), take, HandMotion)
        return {hand.side: hand for hand in found.values()}

    def _estimates(
        self,
        stage: Stage,
        names: Sequence[str],
        key: str,
        make: Callable[[], Mapping[str, E]],
        kind: type[E],
        whole: bool = False,
    ) -> dict[str, E]:
        """A stage of contracts by the names of their files; `whole`: all of them have to be there."""

        def read() -> dict[str, E]:
            there = names if whole else [name for name in names if (self.ledger.folder / name).is_file()]
            out = {name: load(self.ledger.folder / name, kind) for name in there}
            for name, found in out.items():
                self.shot.check_length(found.frames, str(self.ledger.folder / name))
                self.shot.check_size(*found.size_px, str(self.ledger.folder / name))
            return out

        def redo() -> list[str]:
            made = make()
            for name, estimate in made.items():
                save(estimate, self.ledger.folder / name)
            return [*made]

        found = self._stage(stage, names, key, redo, read)
        self.told[stage]["origin"] = {name: asdict(estimate.origin) for name, estimate in found.items()}
        return found

    def _motion(self, stage: Stage, key: str, make: Callable[[], Motion]) -> Motion:
        name = f"{stage}.npz"
        path = self.ledger.folder / name

        def read() -> Motion:
            motion = load_motion(path)
            self.shot.check_length(motion.frames, str(path))
            if motion.frame != "world_zup":
                raise ClipError("the motion is not in the scene's world", where=str(path), valid="frame 'world_zup'")
            return motion

        def redo() -> list[str]:
            save_motion(make(), path)
            return [name]

        return self._stage(stage, [name], key, redo, read)

    def _stage(
        self, stage: Stage, names: Sequence[str], key: str, redo: Callable[[], list[str]], read: Callable[[], R]
    ) -> R:
        """Do the stage if it is due and read what it left, with a line that says which and how long it took."""
        with self.step(stage) as say:
            state = self.ledger.state(stage, names, key)
            if state == "due":
                made = redo()
                for name in {*names} - {*made}:
                    (self.ledger.folder / name).unlink(missing_ok=True)
                self.ledger.enter(stage, made, key)
            found = read()
            there = [self.ledger.folder / name for name in names if (self.ledger.folder / name).is_file()]
            self.told[stage] = {"state": _SAID[state], "sha256": {path.name: digest(path) for path in there}}
            say(_SAID[state] if state != "own" else f"{_SAID[state]}: {', '.join(map(str, there))}")
        return found

    def _key(self, after: Sequence[str], *settings: Any) -> str:
        """What a stage's result depends on: the video and scene, the files of the stages before it, its settings."""
        return key_of(self.known_key, [self.told[stage]["sha256"] for stage in after], [str(part) for part in settings])


_SAID: dict[State, str] = {"due": "done", "kept": "kept from an earlier run", "own": "your own file"}


def _given(source: str) -> list[str]:
    """`TOOL:FILE` and the digest of what is in the file."""
    path = Path(source.partition(":")[2])
    return [source, digest(path) if path.is_file() else ""]


def _read(source: str, readers: Mapping[str, Callable[[Path, Shot], R]], flag: str, shot: Shot) -> R:
    reader, path = table.named(source, readers, flag)
    return reader(path, shot)
