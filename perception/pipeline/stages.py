"""The stages from a video to an aligned motion, a file each: made, kept from an earlier run, or the user's own."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from devi_jax.core.errors import ClipError
from perception.contracts import (
    BodyMotion,
    Estimate,
    HandMotion,
    Keypoints,
    ObjectMotion,
    PointTracks,
    Side,
    load,
    save,
)
from perception.human.motion import SkeletonMotion
from perception.human.motion_io import load_motion, save_motion
from perception.human.scene_prior import ScenePrior
from perception.landmarks.estimate import PersonLandmarks
from perception.pipeline import inputs, mixed_sources, steps
from perception.pipeline.config import PipelineConfig, Stage
from perception.pipeline.inputs import AUTO
from perception.pipeline.stage_cache import StageCache, StageState, digest, key_of
from perception.readers import table
from perception.readers.shot import Shot, shot_of
from perception.video.video import Video, read

SIDES: tuple[Side, ...] = ("left", "right")


class StageReporter(Protocol):
    """What a stage says of itself: a note for its line, and how far it is, 0 to 1."""

    def __call__(self, note: str) -> None: ...

    def part(self, done: float) -> None: ...


Step = Callable[[str], AbstractContextManager[StageReporter]]
"""Times what happens inside, which may say what came of it."""

E = TypeVar("E", bound=Estimate)
R = TypeVar("R")


@dataclass
class ExtractionPipeline:
    """One extraction. `known_key` stands for the scene; `told` is what the clip's provenance says of each stage.

    Every method raises a `DeviError` for what is wrong with its file, its tool's file, or the video.
    """

    sources: PipelineConfig
    video: Video
    known: ScenePrior
    known_key: str
    ledger: StageCache
    step: Step
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def shot(self) -> Shot:
        """What readers have to know of the video."""
        return shot_of(self.video, self.known.camera.K)

    def human(self) -> steps.EstimatedHuman:
        """The human before alignment, its first frame where the scene has it."""
        steps.check_hands(self._hands_seen(), self.known)
        s = self.sources
        if s.body == AUTO:
            hands = self._person if s.hands == AUTO else mixed_sources.with_hands(self._person, self._hands)
            human = steps.from_landmarks(hands, self.known)
        elif s.hands == AUTO:
            human = mixed_sources.from_body_and_landmarks(self._body, self._person, self.known, s.first_frame, s.unify)
        else:
            human = steps.from_tools(self._body, self._hands, self.known, s.first_frame, s.unify)
        key = self._key(self._seen_by, s.first_frame, asdict(s.unify))
        return steps.EstimatedHuman(self._motion("motion", key, lambda _: human.motion), human.body, human.hands)

    def body_alone(self) -> SkeletonMotion:
        """The human as the body's estimator has it by itself, its first frame where the scene has it."""
        s = self.sources
        if s.body == AUTO:
            return steps.from_landmarks(mixed_sources.with_hands(self._person, {}), self.known).motion
        return steps.from_tools(self._body, {}, self.known, s.first_frame, s.unify).motion

    def points(self) -> PointTracks:
        """The object's tracks."""
        value, name = self.sources.points, "points.npz"

        def follow(say: StageReporter) -> dict[str, PointTracks]:
            if value == AUTO:
                return {name: steps.track_object(self.video, self.known, self._frames(say))}
            return {name: inputs.read_estimate(value, table.POINTS, PointTracks, "--points", self.shot)}

        return self._estimates("points", [name], self._key([], *_given(value, table.POINTS)), follow, PointTracks)[name]

    def thing(self, points: PointTracks) -> ObjectMotion:
        """The object's poses."""
        name = "object.npz"

        def follow(say: StageReporter) -> dict[str, ObjectMotion]:
            return {name: steps.track_object_pose(read(self.video), points, self.known, self._frames(say))}

        found = self._estimates("object", [name], self._key(["points"]), follow, ObjectMotion)[name]
        self.told["object"]["found"] = float(found.found.mean())
        return found

    def aligned(self, human: steps.EstimatedHuman, points: PointTracks, path: ObjectMotion) -> SkeletonMotion:
        """The motion after visual HOI alignment."""
        s = self.sources
        key = self._key(["points", "object", "motion", *self._seen_by], asdict(s.align), asdict(s.contact))

        def align(say: StageReporter) -> SkeletonMotion:
            def shown(step: int, _: float) -> None:
                say.part((step + 1) / s.align.iterations)

            return steps.align(human, points, self.known, s.align, s.contact, shown, path)

        return self._motion("aligned", key, align)

    @property
    def _seen_by(self) -> list[Stage]:
        """The stages that see the human."""
        body, hands = self.sources.body != AUTO, self.sources.hands != AUTO
        named: tuple[tuple[Stage, bool], ...] = (("landmarks", not (body and hands)), ("body", body), ("hands", hands))
        return [stage for stage, used in named if used]

    def _hands_seen(self) -> dict[str, bool]:
        if self.sources.hands == AUTO:
            return {side: bool(hand.seen.any()) for side, hand in self._person.hands.items()}
        return {side: bool(hand.valid.any()) for side, hand in self._hands.items()}

    @cached_property
    def _person(self) -> PersonLandmarks:
        names = ["landmarks-body.npz", *(f"landmarks-{side}.npz" for side in SIDES)]

        def see(say: StageReporter) -> dict[str, Keypoints]:
            person = steps.detect_landmarks(self.video, self.known, self._frames(say))
            if (persons := person.body.origin.provenance["persons_in_first_frame"]) > 1:
                say(f"{persons} persons, the one nearest to where the scene has its human")
            return dict(zip(names, [person.body, *(person.hands[side] for side in SIDES)], strict=True))

        found = self._estimates("landmarks", names, self._key([]), see, Keypoints, whole=True)
        hands: dict[Side, Keypoints] = {side: found[name] for side, name in zip(SIDES, names[1:], strict=True)}
        return PersonLandmarks(found[names[0]], hands)

    @cached_property
    def _body(self) -> BodyMotion:
        value, name = self.sources.body, "body.npz"

        def take(_: StageReporter) -> dict[str, BodyMotion]:
            return {name: inputs.read_estimate(value, table.BODY, BodyMotion, "--body", self.shot)}

        return self._estimates("body", [name], self._key([], *_given(value, table.BODY)), take, BodyMotion)[name]

    @cached_property
    def _hands(self) -> dict[str, HandMotion]:
        value, names = self.sources.hands, [f"hands-{side}.npz" for side in SIDES]

        def take(_: StageReporter) -> dict[str, HandMotion]:
            hands = inputs.read_hands(value, table.HANDS, "--hands", self.shot)
            return {f"hands-{side}.npz": hand for side, hand in hands.items()}

        found = self._estimates("hands", names, self._key([], *_given(value, table.HANDS)), take, HandMotion)
        return {hand.side: hand for hand in found.values()}

    def _frames(self, say: StageReporter) -> Callable[[int], None]:
        """What takes the number of frames done."""
        return lambda done: say.part(done / self.video.frames)

    def _estimates(
        self,
        stage: Stage,
        names: Sequence[str],
        key: str,
        make: Callable[[StageReporter], Mapping[str, E]],
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

        def redo(say: StageReporter) -> list[str]:
            made = make(say)
            for name, estimate in made.items():
                save(estimate, self.ledger.folder / name)
            return [*made]

        found = self._stage(stage, names, key, redo, read)
        self.told[stage]["origin"] = {name: asdict(estimate.origin) for name, estimate in found.items()}
        return found

    def _motion(self, stage: Stage, key: str, make: Callable[[StageReporter], SkeletonMotion]) -> SkeletonMotion:
        name = f"{stage}.npz"
        path = self.ledger.folder / name

        def read() -> SkeletonMotion:
            motion = load_motion(path)
            self.shot.check_length(motion.frames, str(path))
            if motion.frame != "world_zup":
                raise ClipError("the motion is not in the scene's world", where=str(path), valid="frame 'world_zup'")
            return motion

        def redo(say: StageReporter) -> list[str]:
            save_motion(make(say), path)
            return [name]

        return self._stage(stage, [name], key, redo, read)

    def _stage(
        self,
        stage: Stage,
        names: Sequence[str],
        key: str,
        redo: Callable[[StageReporter], list[str]],
        read: Callable[[], R],
    ) -> R:
        """Do the stage if it is due and read what it left, with a line that says which and how long it took."""
        with self.step(stage) as say:
            state = self.ledger.state(stage, names, key)
            if state == "due":
                made = redo(say)
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


_SAID: dict[StageState, str] = {"due": "done", "kept": "kept from an earlier run", "own": "your own file"}


def _given(value: str, readers: Mapping[str, Any]) -> list[str]:
    """What a flag says, and the digests of what is in its files."""
    return [value, *(digest(path) for path in ([] if value == AUTO else inputs.named_files(value, readers, "")))]
