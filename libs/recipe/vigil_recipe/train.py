"""Train a model through the stages of a settings file: ``python -m vigil_recipe.train libs/recipe/small.toml``.

Clips that are not there yet are rendered first. Each stage ends in a checkpoint ``OUT/STAGE/model``; a stage that has one
is not trained again, and a stage that was stopped goes on from its last saved step.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import TrainingArguments, set_seed
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils.logging import disable_progress_bar

from vigil_recipe import checkpoint as checkpoints
from vigil_recipe.batches import ClipPool
from vigil_recipe.checkpoint import Checkpoint, CheckpointError
from vigil_recipe.clips import render_clips
from vigil_recipe.grow import deepen
from vigil_recipe.interactions import Frames, Interactions
from vigil_recipe.learning import InteractionTrainer, Sight, SightTrainer, StageTrainer
from vigil_recipe.model import SightProbe, hasten
from vigil_recipe.progress import StageLog
from vigil_recipe.settings import FRESH, Settings, SettingsError, Stage, World, read_settings
from vigil_recipe.validation import make_validation
from vigil_recipe.world import Split


def run(settings: Settings, log_path: Path | None = None) -> Path:
    """All stages that are not done yet; returns the folder of the last checkpoint."""
    source = settings.base
    for stage in settings.stages:
        done = settings.out / stage.name / "model"
        if not (done / "config.json").exists():
            set_seed(settings.seed)
            start = checkpoints.fresh() if source == FRESH else checkpoints.load(source)
            checkpoints.save(run_stage(settings, stage, start, log_path or settings.out / "log.jsonl"), done)
        source = str(done)
    return Path(source)


def run_stage(settings: Settings, stage: Stage, start: Checkpoint, log_path: Path) -> Checkpoint:
    """One stage from a checkpoint to the next."""
    if stage.kind == "grow":
        return deepen(start, stage.layers)
    trainer, probe = make_trainer(settings, stage, start, log_path)
    trainer.train(resume_from_checkpoint=last_saved(settings.out / stage.name))
    trainer.evaluate()
    return replace(start, probe=probe.state_dict() if probe is not None else start.probe)


def make_trainer(
    settings: Settings, stage: Stage, start: Checkpoint, log_path: Path
) -> tuple[StageTrainer, SightProbe | None]:
    """The trainer of a stage, ready to go on from where the stage stopped, and the probe that it trains."""
    arguments = training_arguments(settings, stage)
    if stage.probe and arguments.world_size > 1 and stage.kind == "interaction":
        raise SettingsError(f"stage {stage.name!r}: set probe = false with several processes (the aid is not shared)")
    done = steps_done(settings.out / stage.name)
    note = StageLog(log_path, stage.name, stage.steps, done)
    position = {
        "first": done * settings.hardware.accumulate,
        "total": stage.steps * settings.hardware.accumulate,
        "seed": settings.seed,
        "rank": arguments.process_index,
    }
    if settings.world is None:
        return _records_trainer(settings, stage, start, arguments, note, position)
    hasten(start.model)
    pool = ClipPool(settings.world.clips, Split.TRAIN, settings.world.train_clips)
    probe = load_probe(start) if stage.probe or stage.kind == "sight" else None
    if stage.kind == "sight":
        sight = Sight(start.model.model.visual, probe)
        return SightTrainer(sight, arguments, Frames(pool, **position), note), probe
    if probe is not None:
        start.model.probe = probe
    held_out = ClipPool(settings.world.clips, Split.VALIDATION, settings.world.validation_clips)
    trainer = InteractionTrainer(
        start.model,
        arguments,
        Interactions(pool, start.encoder, stage, **position),
        note,
        validate=make_validation(start.encoder, held_out, stage.phases[-1].mix),
        sight_share=stage.sight_share,
        objective=stage.weighting,
        fast=True,
    )
    return trainer, probe


def training_arguments(settings: Settings, stage: Stage) -> TrainingArguments:
    """The Trainer's own settings for a stage."""
    hardware = settings.hardware
    validates = stage.kind == "interaction" and settings.world is not None
    return TrainingArguments(
        output_dir=str(settings.out / stage.name),
        max_steps=stage.steps,
        learning_rate=stage.rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": 0.02},
        warmup_steps=min(stage.warm_up, stage.steps // 5),
        max_grad_norm=1.0,
        gradient_accumulation_steps=hardware.accumulate,
        gradient_checkpointing=hardware.gradient_checkpointing,
        bf16=hardware.precision == "bf16",
        use_cpu=hardware.cpu or not torch.cuda.is_available(),
        fsdp=hardware.fsdp,
        fsdp_config={"transformer_layer_cls_to_wrap": ["Qwen3VLTextDecoderLayer", "Qwen3VLVisionBlock"]}
        if hardware.fsdp
        else None,
        dataloader_num_workers=hardware.loader_workers,
        logging_steps=settings.log_every,
        logging_nan_inf_filter=False,
        save_steps=settings.save_every,
        save_total_limit=2,
        eval_strategy="steps" if validates else "no",
        eval_steps=settings.validate_every,
        seed=settings.seed,
        ignore_data_skip=True,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
    )


def steps_done(folder: Path) -> int:
    """Steps of a stage that its last saved state holds."""
    last = last_saved(folder)
    return int(json.loads((Path(last) / "trainer_state.json").read_text())["global_step"]) if last else 0


def last_saved(folder: Path) -> str | None:
    """The folder of the last saved state of a stage, if there is one."""
    return get_last_checkpoint(str(folder)) if folder.is_dir() else None


def load_probe(start: Checkpoint) -> SightProbe:
    """The probe that the checkpoint was trained with; a sight that it did not read yet begins anew."""
    probe = SightProbe()
    state = probe.state_dict()
    for name, value in (start.probe or {}).items():
        rows = min(len(value), len(state[name]))
        state[name][:rows] = value[:rows]
    probe.load_state_dict(state)
    return probe


def render_missing(world: World) -> None:
    """The clips that the run needs and that are not there yet."""
    for split, counts in ((Split.VALIDATION, world.validation_clips), (Split.TRAIN, world.train_clips)):
        for stage, count in counts.items():
            render_clips(world.clips, split, count, stage=stage)


def main(argv: Sequence[str] | None = None) -> int:
    """Train or go on training."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.train", description=__doc__)
    parser.add_argument("settings", type=Path, help="the run's TOML file")
    parser.add_argument("--base", help="start from this checkpoint instead of the file's")
    parser.add_argument("--out", type=Path, help="write there instead of where the file says")
    parser.add_argument("--only", action="append", help="run only this stage; may be repeated")
    options = parser.parse_args(argv)
    disable_progress_bar()
    try:
        settings = read_settings(options.settings)
        settings = replace(settings, base=options.base or settings.base, out=options.out or settings.out)
        if options.only:
            settings = replace(settings, stages=chosen(settings.stages, options.only))
        if settings.world is not None:
            render_missing(settings.world)
        sys.stdout.write(f"trained: {run(settings)}\n")
    except (SettingsError, CheckpointError, FileNotFoundError) as error:
        sys.stderr.write(f"train: {error}\n")
        return 1
    return 0


def chosen(stages: Sequence[Stage], names: Sequence[str]) -> tuple[Stage, ...]:
    """The stages of these names. Raises SettingsError for a name that there is not."""
    known = [stage.name for stage in stages]
    for name in names:
        if name not in known:
            raise SettingsError(f"there is no stage {name!r}: choose from {', '.join(known)}")
    return tuple(stage for stage in stages if stage.name in names)


if __name__ == "__main__":
    sys.exit(main())
