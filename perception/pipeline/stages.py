"""The stages from a video to an aligned motion, a file each: made, kept from an earlier run, or the user's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from devi_jax.core.errors import ClipError, ConfigError
from perception.contracts import (
    BodyMotion,
    Depth,
    Estimate,
    HandMotion,
    Keypoints,
    Masks,
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
from perception.landmarks.evidence import body_evidence, hand_evidence
from perception.pipeline import inputs, mixed_sources, steps
from perception.pipeline.config import READERS, PipelineConfig, Stage
from perception.pipeline.inputs import AUTO
from perception.pipeline.progress import StageReporter, Step
from perception.pipeline.run_tools import ToolRuns
from perception.pipeline.stage_cache import SAID, StageCache, digest, key_of
from perception.readers import table
from perception.readers.shot import Shot, shot_of
from perception.tools.tool import read_result
from perception.video.video import Video, read

SIDES: tuple[Side, ...] = ("left", "right")


E = TypeVar("E", bound=Estimate)
R = TypeVar("R")


@dataclass
class ExtractionPipeline:
    """One extraction. `known_key` stands for the scene; `told` is what the clip's provenance says of each stage.

    Every method raises a `DeviError` for what is wrong with its file, its tool's file, or the video.
    """

    config: PipelineConfig
    video: Video
    known: ScenePrior
    known_key: str
    cache: StageCache
    step: Step
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let the tools of --run serve the stages that no flag settles."""
        self.config = self.config.resolved()

    @property
    def shot(self) -> Shot:
        """What readers have to know of the video."""
        return shot_of(self.video, self.known.camera.K)

    def human(self) -> steps.EstimatedHuman:
        """The human before alignment, its first frame where the scene has it."""
        if self.known.person == "hands" and self.config.body != AUTO:
            raise ConfigError(
                "the scene was made of a film of hands: it has no body that another tool's could be laid over",
                where=f"--body={self.config.body}",
                valid="auto; hands of other tools are taken: --hands",
            )
        steps.check_hands(self._hands_seen(), self.known)
        s = self.config
        key = self._key(self._seen_by, s.first_frame, asdict(s.unify))
        if s.body == AUTO:
            person = self._followed
            motion = self._motion("motion", key, lambda _: steps.lift_person(person, self.known))
            return steps.EstimatedHuman(motion, body_evidence(person), hand_evidence(person))
        if s.hands == AUTO:
            human = mixed_sources.from_body_and_landmarks(self._body, self._person, self.known, s.first_frame, s.unify)
        else:
            human = steps.from_tools(self._body, self._hands, self.known, s.first_frame, s.unify)
        return steps.EstimatedHuman(self._motion("motion", key, lambda _: human.motion), human.body, human.hands)

    @property
    def _followed(self) -> PersonLandmarks:
        """The person's landmarks, with a tool's hands in place of the networks' where one is asked for."""
        return self._person if self.config.hands == AUTO else mixed_sources.with_hands(self._person, self._hands)

    def body_alone(self) -> SkeletonMotion:
        """The human as the body's estimator has it by itself, its first frame where the scene has it."""
        s = self.config
        if s.body == AUTO:
            return steps.lift_person(mixed_sources.with_hands(self._person, {}), self.known)
        return steps.from_tools(self._body, {}, self.known, s.first_frame, s.unify).motion

    def points(self) -> PointTracks:
        """The object's tracks."""
        value, name = self.config.points, "points.npz"

        def follow(say: StageReporter) -> dict[str, PointTracks]:
            if value == AUTO:
                return {name: steps.track_object(self.video, self.known, self._frames(say))}
            return {name: self._read("points", PointTracks)}

        found = self._estimates("points", [name], self._key([], *self._given("points")), follow, PointTracks)[name]
        steps.check_starts_on_object(found, self.known)
        return found

    def masks(self) -> Masks | None:
        """Which pixels show which thing, if a flag says where from; no other stage needs it."""
        return self._optional("masks", Masks)

    def depth(self) -> Depth | None:
        """The picture's depth, if a flag says where from; checked and kept, and nothing here needs it."""
        return self._optional("depth", Depth)

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
        s = self.config
        key = self._key(["points", "object", "motion", *self._seen_by], asdict(s.align), asdict(s.contact))

        def align(say: StageReporter) -> SkeletonMotion:
            if self.known.person == "hands":
                say("hands alone, which keep their grip")
                return steps.holding_hands(self._followed, points, self.known, s.contact, path)

            def shown(step: int, _: float) -> None:
                say.part((step + 1) / s.align.iterations)

            return steps.align(human, points, self.known, s.align, s.contact, shown, path)

        return self._motion("aligned", key, align)

    @property
    def _seen_by(self) -> list[Stage]:
        """The stages that see the human."""
        body, hands = self.config.body != AUTO, self.config.hands != AUTO
        named: tuple[tuple[Stage, bool], ...] = (("landmarks", not (body and hands)), ("body", body), ("hands", hands))
        return [stage for stage, used in named if used]

    def _hands_seen(self) -> dict[str, bool]:
        if self.config.hands == AUTO:
            return {side: bool(hand.seen.any()) for side, hand in self._person.hands.items()}
        return {side: bool(hand.valid.any()) for side, hand in self._hands.items()}

    @cached_property
    def _person(self) -> PersonLandmarks:
        names = ["landmarks-body.npz", *(f"landmarks-{side}.npz" for side in SIDES)]

        def see(say: StageReporter) -> dict[str, Keypoints]:
            person = steps.detect_landmarks(self.video, self.known, self._frames(say))
            if (persons := person.body.origin.provenance.get("persons_in_first_frame", 1)) > 1:
                say(f"{persons} persons, the one nearest to where the scene has its human")
            return dict(zip(names, [person.body, *(person.hands[side] for side in SIDES)], strict=True))

        found = self._estimates("landmarks", names, self._key([]), see, Keypoints, whole=True)
        hands: dict[Side, Keypoints] = {side: found[name] for side, name in zip(SIDES, names[1:], strict=True)}
        return PersonLandmarks(found[names[0]], hands)

    @cached_property
    def _body(self) -> BodyMotion:
        name = "body.npz"

        def take(_: StageReporter) -> dict[str, BodyMotion]:
            return {name: self._read("body", BodyMotion)}

        return self._estimates("body", [name], self._key([], *self._given("body")), take, BodyMotion)[name]

    @cached_property
    def _hands(self) -> dict[str, HandMotion]:
        value, names = self.config.hands, [f"hands-{side}.npz" for side in SIDES]

        def take(_: StageReporter) -> dict[str, HandMotion]:
            if tool := self.config.runs(value):
                hands = read_result(self._runs.result(tool), table.HANDS[value], self.shot)
            else:
                hands = inputs.read_hands(value, table.HANDS, "--hands", self.shot)
            return {f"hands-{side}.npz": hand for side, hand in hands.items()}

        found = self._estimates("hands", names, self._key([], *self._given("hands")), take, HandMotion)
        return {hand.side: hand for hand in found.values()}

    def _optional(self, stage: Literal["masks", "depth"], kind: type[E]) -> E | None:
        if not getattr(self.config, stage):
            return None
        name = f"{stage}.npz"
        key = self._key([], *self._given(stage))
        return self._estimates(stage, [name], key, lambda _: {name: self._read(stage, kind)}, kind)[name]

    def _read(self, stage: Stage, kind: type[E]) -> E:
        """The estimate that the stage's flag names: of a tool that is run, a tool's file, or a file of `kind`."""
        value = getattr(self.config, stage)
        if tool := self.config.runs(value):
            return read_result(self._runs.result(tool), READERS[stage][value], self.shot)
        return inputs.read_estimate(value, READERS[stage], kind, f"--{stage}", self.shot)

    def _given(self, stage: Stage) -> list[str]:
        """What the stage's flag says, and the digests of what it names; a tool of --run is run before."""
        value = getattr(self.config, stage)
        if value == AUTO:
            return [value]
        if tool := self.config.runs(value):
            return [value, digest(self._runs.result(tool).path)]
        return [value, *(digest(path) for path in inputs.named_files(value, READERS[stage], f"--{stage}"))]

    @cached_property
    def _runs(self) -> ToolRuns:
        return ToolRuns(self.config, self.video, self.known, self.known_key, self.cache, self.step, self.told)

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
            there = names if whole else [name for name in names if (self.cache.folder / name).is_file()]
            out = {name: load(self.cache.folder / name, kind) for name in there}
            for name, found in out.items():
                self.shot.check_length(found.frames, str(self.cache.folder / name))
                self.shot.check_size(*found.size_px, str(self.cache.folder / name))
            return out

        def redo(say: StageReporter) -> list[str]:
            made = make(say)
            for name, estimate in made.items():
                save(estimate, self.cache.folder / name)
            return [*made]

        found = self._stage(stage, names, key, redo, read)
        self.told[stage]["origin"] = {name: asdict(estimate.origin) for name, estimate in found.items()}
        return found

    def _motion(self, stage: Stage, key: str, make: Callable[[StageReporter], SkeletonMotion]) -> SkeletonMotion:
        name = f"{stage}.npz"
        path = self.cache.folder / name

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
            state = self.cache.state(stage, names, key)
            if state == "due":
                made = redo(say)
                for name in {*names} - {*made}:
                    (self.cache.folder / name).unlink(missing_ok=True)
                self.cache.enter(stage, made, key)
            found = read()
            there = [self.cache.folder / name for name in names if (self.cache.folder / name).is_file()]
            self.told[stage] = {"state": SAID[state], "sha256": {path.name: digest(path) for path in there}}
            say(SAID[state] if state != "own" else f"{SAID[state]}: {', '.join(map(str, there))}")
        return found

    def _key(self, after: Sequence[str], *settings: Any) -> str:
        """What a stage's result depends on: the video and scene, the files of the stages before it, its settings."""
        return key_of(self.known_key, [self.told[stage]["sha256"] for stage in after], [str(part) for part in settings])
