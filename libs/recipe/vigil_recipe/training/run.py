"""A training run: its stages one after the other, each from the checkpoint that the stage before it left.

Clips that are not there yet are rendered first. Each stage ends in a checkpoint ``OUT/STAGE/model``; a stage
that has one is not trained again, and a stage that was stopped goes on from its last saved step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import set_seed

from vigil_recipe.render.clips import render_clips
from vigil_recipe.training import checkpoint as checkpoints
from vigil_recipe.training.settings import FRESH, Settings, SettingsError, Stage, World
from vigil_recipe.training.stages import run_stage
from vigil_recipe.world import Split

REHEARSED_CLIPS = 16


def run(settings: Settings, log_path: Path | None = None) -> Path:
    """All stages that are not done yet; returns the folder of the last checkpoint."""
    processes = PartialState(cpu=settings.hardware.cpu or not torch.cuda.is_available())
    aided = [stage.name for stage in settings.stages if stage.probe and stage.kind == "interaction"]
    if aided and processes.num_processes > 1:
        raise SettingsError(f"stage {aided[0]!r}: set probe = false with several processes (the aid is not shared)")
    if settings.world is not None:
        with processes.main_process_first():
            render_missing(settings.world)
    source = settings.base
    for stage in settings.stages:
        done = settings.out / stage.name / "model"
        if not (done / "config.json").exists():
            set_seed(settings.seed)
            attention = settings.hardware.attention
            start = checkpoints.fresh() if source == FRESH else checkpoints.load(source, attention)
            end = run_stage(settings, stage, start, log_path or settings.out / "log.jsonl")
            if processes.is_main_process:
                checkpoints.save(end, done)
            processes.wait_for_everyone()
        source = str(done)
    return Path(source)


def render_missing(world: World) -> None:
    """The clips that the run needs and that are not there yet."""
    for split, counts in ((Split.VALIDATION, world.validation_clips), (Split.TRAIN, world.train_clips)):
        for stage, count in counts.items():
            render_clips(world.clips, split, count, stage=stage)


def rehearsed(settings: Settings, steps: int) -> Settings:
    """The same run in a few minutes, to see that every stage runs on a machine. The weights are of no use.

    At most ``steps`` steps of each stage, on ``REHEARSED_CLIPS`` clips of each kind, into a folder beside the run's
    own. Raises SettingsError for less than one step.
    """
    if steps < 1:
        raise SettingsError(f"--rehearse {steps}: give the number of steps of each stage, at least 1")
    stages = tuple(replace(stage, steps=min(stage.steps, steps)) for stage in settings.stages)
    world = settings.world
    if world is not None:
        few = {stage: min(count, REHEARSED_CLIPS) for stage, count in world.train_clips.items()}
        world = replace(world, train_clips=few)
    out = settings.out.with_name(f"{settings.out.name}-rehearsal")
    return replace(settings, out=out, stages=stages, world=world, validate_every=steps, save_every=steps)


def stages_named(stages: Sequence[Stage], names: Sequence[str]) -> tuple[Stage, ...]:
    """The stages of these names. Raises SettingsError for a name that there is not."""
    known = [stage.name for stage in stages]
    for name in names:
        if name not in known:
            raise SettingsError(f"there is no stage {name!r}: choose from {', '.join(known)}")
    return tuple(stage for stage in stages if stage.name in names)
