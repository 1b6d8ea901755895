"""One stage of a run: its trainer, made from the settings and the checkpoint before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import torch
from transformers import TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from vigil_recipe.training.averaging import mean
from vigil_recipe.training.batches import ClipPool
from vigil_recipe.training.checkpoint import Checkpoint, load
from vigil_recipe.training.datasets import Frames, Interactions
from vigil_recipe.training.model import SightProbe, hasten
from vigil_recipe.training.run_log import StageLog
from vigil_recipe.training.settings import Records, Settings, Stage, World
from vigil_recipe.training.trainer import InteractionTrainer, Sight, SightTrainer, StageTrainer
from vigil_recipe.training.validation import make_validation
from vigil_recipe.world import Split


def run_stage(settings: Settings, stage: Stage, start: Checkpoint, log_path: Path) -> Checkpoint:
    """One stage from a checkpoint to the next."""
    if stage.kind == "mean":
        return mean([load(str(settings.out / name / "model")) for name in stage.of])
    trainer, probe = make_trainer(settings, stage, start, log_path)
    trainer.train(resume_from_checkpoint=last_saved(settings.out / stage.name))
    state = trainer.accelerator.get_state_dict(trainer.model) if settings.hardware.fsdp else None
    return replace(start, state=state, probe=probe.state_dict() if probe is not None else start.probe)


def make_trainer(
    settings: Settings, stage: Stage, start: Checkpoint, log_path: Path
) -> tuple[StageTrainer, SightProbe | None]:
    """The trainer of a stage, ready to go on from where the stage stopped, and the probe that it trains."""
    arguments = training_arguments(settings, stage)
    done = steps_done(settings.out / stage.name)
    note = StageLog(log_path, stage.name, stage.steps, done)
    position = {
        "first": done * settings.hardware.accumulate,
        "total": stage.steps * settings.hardware.accumulate,
        "seed": crc32(f"{settings.seed} {stage.name}".encode()),  # no stage repeats the draws of another
        "rank": arguments.process_index,
    }
    if settings.records is not None:
        return _on_records(settings.records, stage, start, arguments, note, position), None
    if settings.world is None:
        raise ValueError("the settings name neither records nor a world: give one of them")
    return _on_world(settings.world, stage, start, arguments, note, position)


def _on_world(
    world: World,
    stage: Stage,
    start: Checkpoint,
    arguments: TrainingArguments,
    note: StageLog,
    position: Mapping[str, int],
) -> tuple[StageTrainer, SightProbe | None]:
    hasten(start.model)
    pool = ClipPool(world.clips, Split.TRAIN, world.train_clips)
    probe = load_probe(start)
    if stage.kind == "sight":
        sight = Sight(start.model.model.visual, probe)
        return SightTrainer(sight, arguments, Frames(pool, stage.frame_budget, **position), note), probe
    if stage.probe:
        start.model.probe = probe
    held_out = ClipPool(world.clips, Split.VALIDATION, world.validation_clips)
    trainer = InteractionTrainer(
        start.model,
        arguments,
        Interactions(pool, start.encoder, stage, **position),
        note,
        validate=make_validation(
            start.encoder, held_out, stage.phases[-1].mix, world.validation_cases, bf16=arguments.bf16
        ),
        sight_share=stage.sight_share,
        connector_share=stage.connector_share,
        objective=stage.weighting,
        fast=True,
    )
    return trainer, probe if stage.probe else None


def _on_records(
    records: Records,
    stage: Stage,
    start: Checkpoint,
    arguments: TrainingArguments,
    note: StageLog,
    position: Mapping[str, int],
) -> StageTrainer:
    from vigil_recipe.training.record_batches import RecordBatches  # decoding videos is needed here only

    batches = RecordBatches(records, start.encoder, ranks=arguments.world_size, **position)
    return InteractionTrainer(
        start.model,
        arguments,
        batches,
        note,
        sight_share=stage.sight_share,
        connector_share=stage.connector_share,
        objective=stage.weighting,
        fast=False,
    )


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
    """The probe that the checkpoint was trained with; labels that it did not know begin untrained."""
    probe = SightProbe()
    state = probe.state_dict()
    for name, value in (start.probe or {}).items():
        rows = min(len(value), len(state[name]))
        state[name][:rows] = value[:rows]
    probe.load_state_dict(state)
    return probe
