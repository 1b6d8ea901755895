"""One run's settings, read from one TOML file and checked before anything starts.

The same file serves a CPU, one GPU and several (start those with ``torchrun -m vigil_recipe.training``).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from vigil_recipe.lessons.samples import DATA_KINDS, WORDS_ALONE
from vigil_recipe.training.objective import VARIANTS, Objective
from vigil_recipe.world import Stage as WorldStage

FRESH = "fresh small"
CHECKED = ConfigDict(extra="forbid", strict=False)
Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0, le=0.1)]
Variant = Literal["plain", "paper", "harness", "weights", "focal"]
Share = Annotated[float, Field(ge=0, le=1)]


class SettingsError(Exception):
    """The settings cannot be used; the message names the file, the entry and what is wrong with it."""


@dataclass(frozen=True, slots=True, config=CHECKED)
class World:
    """Training on rendered clips of the procedural world: where they lie and how many there must be of each stage.

    ``validation_cases`` held-out interactions of each kind of data are scored at every validation.
    """

    clips: Path
    train_clips: dict[WorldStage, Positive]
    validation_clips: dict[WorldStage, Positive]
    validation_cases: Positive = 3


@dataclass(frozen=True, slots=True, config=CHECKED)
class Records:
    """Training on records of the public form (see ``vigil_recipe.data``): one file or several, and their videos.

    ``join`` puts a batch's sequences behind one another in one row instead of padding them side by side. It pays where
    attention skips what is masked, as flash attention on a GPU does; elsewhere padding is the faster of the two.
    ``unprompted`` allows answers before any question, as free commentary has them.
    """

    files: tuple[Path, ...]
    videos: Path = Path()
    frames: Path = Path("build/train/frames")
    cache_bytes: Positive = 20_000_000_000
    profile: Literal["joyai", "vigil-small"] = "joyai"
    images_per_second: Literal[1, 2, 4] = 1
    turns: Positive = 100
    token_budget: Positive = 32_768
    join: bool = False
    shuffle_buffer: Positive = 256
    on_error: Literal["skip", "refuse"] = "refuse"
    unprompted: bool = False


@dataclass(frozen=True, slots=True, config=CHECKED)
class Phase:
    """Until ``until`` (share of the stage): the chance of each episode length in turns and of each kind of data.

    ``blind`` is the share of batches that are words alone, of those kinds of the mix that need no picture: cheap
    lessons in copying and in reckoning with time. ``thin`` is the share of a scenario's idle turns that are left out,
    so that more of what is learnt is speech.
    """

    until: Share
    turns: dict[str, Share]
    mix: dict[str, Annotated[float, Field(ge=0)]]
    blind: Share = 0.0
    thin: Share = 0.0

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        unknown = sorted(set(self.mix) - set(DATA_KINDS))
        if unknown:
            raise ValueError(f"unknown kind of data {unknown[0]!r} in mix: choose from {', '.join(DATA_KINDS)}")
        if not all(length.isdigit() and int(length) > 0 for length in self.turns):
            raise ValueError("turns maps numbers of turns to chances, such as {12 = 0.5, 24 = 0.5}")
        if not sum(self.turns.values()) > 0 or not sum(self.mix.values()) > 0:
            raise ValueError("turns and mix each need a share above 0")
        if self.blind and not any(self.mix.get(kind, 0) > 0 for kind in WORDS_ALONE):
            raise ValueError(f"a phase with blind batches needs one of {', '.join(sorted(WORDS_ALONE))} in its mix")
        return self


@dataclass(frozen=True, slots=True, config=CHECKED)
class Stage:
    """One part of a run. ``sight`` trains the vision tower alone, ``interaction`` the whole model; ``mean`` trains
    nothing and takes the mean of the stages ``of``, by their names.

    ``sight_share`` is the vision tower's share of the rate: at the full rate a young language model's gradients undo
    what it has learnt. ``connector_share`` is that of the layers between the two, by default the same.
    ``objective`` names a variant of ``objective.VARIANTS``. A step of an interaction stage takes episodes of up to
    ``turn_budget`` turns together, a step of a sight stage ``frame_budget`` frames.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    kind: Literal["sight", "interaction", "mean"]
    steps: Count = 0
    rate: Rate = 1e-3
    sight_share: Share = 0.5
    connector_share: Share | None = None
    warm_up: Count = 100
    objective: Variant = "paper"
    turn_budget: Positive = 96
    frame_budget: Positive = 128
    probe: bool = True
    of: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()

    @property
    def weighting(self) -> Objective:
        """The objective by its name."""
        return VARIANTS[self.objective]

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if (self.kind == "mean") != bool(self.of) or len(self.of) == 1:
            raise ValueError(f"stage {self.name!r}: a mean, and nothing else, is of two earlier stages or more")
        if self.kind != "mean" and not self.steps:
            raise ValueError(f"stage {self.name!r} needs steps above 0")
        ends = [phase.until for phase in self.phases]
        if ends and (ends != sorted(ends) or ends[-1] != 1):
            raise ValueError(f"the phases of stage {self.name!r} must be in order and the last one end at 1.0")
        longest = max((int(length) for phase in self.phases for length in phase.turns), default=0)
        if longest > self.turn_budget:
            raise ValueError(f"stage {self.name!r} has episodes of {longest} turns, over its turn_budget")
        return self


@dataclass(frozen=True, slots=True, config=CHECKED)
class Hardware:
    """How the run uses its machine. ``fsdp`` shards parameters over the GPUs of a torchrun.

    ``attention`` is the implementation that Transformers takes; flash attention needs its package and a GPU.
    """

    precision: Literal["bf16", "fp32"] = "bf16"
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    fsdp: bool = False
    cpu: bool = False  # even where there is a GPU
    accumulate: Positive = 1
    loader_workers: Count = 1
    gradient_checkpointing: bool = False


@dataclass(frozen=True, slots=True, config=CHECKED)
class Settings:
    """A whole run: ``base`` is "fresh small" or a checkpoint (a folder, or a name of the Hugging Face hub).

    What a stage draws depends on ``seed`` and on its name.
    """

    out: Path
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    base: str = FRESH
    world: World | None = None
    records: Records | None = None
    hardware: Hardware = Hardware()
    seed: Count = 20
    log_every: Positive = 10
    save_every: Positive = 200
    validate_every: Positive = 200

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if (self.world is None) == (self.records is None):
            raise ValueError("give exactly one source of data: a [world] or a [records] table")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError("two stages have the same name: each needs a folder of its own")
        for stage in self.stages:
            if stage.kind == "interaction" and self.world and not stage.phases:
                raise ValueError(f"stage {stage.name!r} trains on the world and needs [[stages.phases]]")
            if self.records and (stage.kind != "interaction" or stage.phases or stage.probe):
                raise ValueError(
                    f"stage {stage.name!r}: records carry no conditions to see and no curriculum, so only interaction "
                    "stages with probe = false and without phases can train on them"
                )
            if stage.probe and self.hardware.fsdp:
                raise ValueError(f"stage {stage.name!r}: set probe = false with fsdp (the aid is not sharded)")
        return self


def read_settings(path: Path) -> Settings:
    """The settings in a TOML file. Raises SettingsError naming each wrong entry."""
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}: give the path of a run's TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    return check_settings(table, str(path))


def check_settings(table: dict[str, Any], name: str = "settings") -> Settings:
    """The settings of a parsed file; ``name`` stands in the errors. Raises SettingsError."""
    try:
        settings = TypeAdapter(Settings).validate_python(table)
    except ValidationError as error:
        wrong = [
            f"{name}: {_place(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise SettingsError("\n".join(wrong)) from error
    earlier: set[str] = set()
    for stage in settings.stages:
        unknown = [stage_name for stage_name in stage.of if stage_name not in earlier]
        if unknown:
            raise SettingsError(f"{name}: stage {stage.name!r} is a mean of {unknown[0]!r}, which is no earlier stage")
        earlier.add(stage.name)
    return settings


def _place(parts: tuple[int | str, ...]) -> str:
    """Where in the file an entry is: ``stages.0.rate``."""
    return ".".join(str(part) for part in parts) or "file"
