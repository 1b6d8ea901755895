"""Compare objectives: the same start, data, seed and budget, another loss each.

``python -m vigil_recipe.training.ablation libs/recipe/small.toml --base build/train/small/sight-of-more/model``

Each variant is one short run of the stage (see ``vigil_recipe.training.run``; it resumes in the same way) and is scored
on held-out clips with the history given. Writes ``ablation.json`` and ``ablation.md`` beside the runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from vigil_recipe.training import checkpoint as checkpoints
from vigil_recipe.training.batches import ClipPool
from vigil_recipe.training.checkpoint import CheckpointError
from vigil_recipe.training.model import hasten
from vigil_recipe.training.objective import VARIANTS
from vigil_recipe.training.run import run, stages_named
from vigil_recipe.training.settings import Settings, SettingsError, Stage, Variant, read_settings
from vigil_recipe.training.validation import Scores, make_validation
from vigil_recipe.world import Split

COMPARED: tuple[Variant, ...] = ("plain", "paper", "harness", "focal")
COLUMNS = (
    "onset recall",
    "late",
    "early",
    "false alarms in 1000 silent turns",
    "control tokens right",
    "replies exact",
)


def ablate(
    settings: Settings, stage: Stage, variants: Sequence[Variant], cases: int
) -> dict[str, dict[str, dict[str, int]]]:
    """Counts by variant and kind of data over ``cases`` of each kind, each variant trained in ``settings.out``/variant.

    Raises SettingsError without a world or with a stage that does not train interactions.
    """
    world = settings.world
    if world is None or stage.kind != "interaction":
        raise SettingsError("objectives are compared in an interaction stage on the world")
    scores: dict[str, dict[str, dict[str, int]]] = {}
    for variant in variants:
        variant_settings = replace(settings, stages=(replace(stage, objective=variant),), out=settings.out / variant)
        made = checkpoints.load(str(run(variant_settings)))
        held_out = ClipPool(world.clips, Split.VALIDATION, world.validation_clips)
        bf16 = settings.hardware.precision == "bf16"
        validation = make_validation(made.encoder, held_out, stage.phases[-1].mix, cases, bf16=bf16)
        scores[variant] = validation(hasten(made.model.eval()))
    return scores


def total_of(scores: Mapping[str, Mapping[str, int]]) -> Scores:
    """All kinds of data added up."""
    names = asdict(Scores())
    return Scores(**{name: sum(counts[name] for counts in scores.values()) for name in names})


def row_of(scores: Scores) -> dict[str, float]:
    """The figures of a table row, by column; shares of 1, but the false alarms. NaN where nothing was counted."""
    return {
        COLUMNS[0]: _share(scores.met, scores.onsets),
        COLUMNS[1]: _share(scores.late, scores.onsets),
        COLUMNS[2]: _share(scores.early, scores.silent),
        COLUMNS[3]: 1000 * _share(scores.false_alarms, scores.silent),
        COLUMNS[4]: _share(scores.right, scores.turns),
        COLUMNS[5]: _share(scores.exact, scores.onsets),
    }


def markdown(scores: Mapping[str, Mapping[str, Mapping[str, int]]], about: str) -> str:
    """The table over all kinds of data, a line a variant."""
    lines = [about, "", f"| objective | {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * len(COLUMNS)}"]
    for variant, kinds in scores.items():
        row = row_of(total_of(kinds))
        lines.append(f"| {variant} | {' | '.join(f'{row[column]:.3f}' for column in COLUMNS)} |")
    return "\n".join(lines) + "\n"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def main(argv: Sequence[str] | None = None) -> int:
    """Train and score every variant."""
    parser = argparse.ArgumentParser(
        prog="vigil_recipe.training.ablation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", type=Path, help="a run's TOML file")
    parser.add_argument("--stage", default="everything", help="the stage that is run with each objective")
    parser.add_argument("--base", required=True, help="checkpoint that every variant starts from")
    parser.add_argument("--steps", type=int, default=300, help="steps of each variant")
    parser.add_argument("--cases", type=int, default=12, help="held-out interactions of each kind that are scored")
    parser.add_argument("--out", type=Path, default=Path("build/train/ablation"))
    parser.add_argument("--variant", action="append", choices=sorted(VARIANTS), help="only this one; may be repeated")
    options = parser.parse_args(argv)
    if options.steps < 1:
        parser.error(f"--steps {options.steps}: give 1 or more")
    disable_progress_bar()
    try:
        settings = replace(read_settings(options.settings), base=options.base, out=options.out)
        stage = replace(stages_named(settings.stages, [options.stage])[0], steps=options.steps)
        settings = replace(settings, validate_every=options.steps)
        scores = ablate(settings, stage, options.variant or COMPARED, options.cases)
    except (SettingsError, CheckpointError, FileNotFoundError) as error:
        sys.stderr.write(f"ablate: {error}\n")
        return 1
    about = (
        f"Objectives compared: {options.steps} steps of stage {options.stage!r} each, seed {settings.seed}, from the "
        "same start; held-out clips, history given. Late and early are shares of onsets and of silent turns, each "
        "within two turns of an onset."
    )
    (options.out / "ablation.json").write_text(json.dumps({"about": about, "counts": scores}, indent=2) + "\n")
    (options.out / "ablation.md").write_text(markdown(scores, about))
    sys.stdout.write(markdown(scores, about))
    return 0


if __name__ == "__main__":
    sys.exit(main())
