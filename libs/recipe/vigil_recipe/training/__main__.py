"""Train a model through the stages of a settings file, or go on after a stop.

``python -m vigil_recipe.training libs/recipe/small.toml``; with several processes
``torchrun --nproc-per-node=8 -m vigil_recipe.training libs/recipe/large.toml``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from vigil_recipe.data.records import BadRecords
from vigil_recipe.training.checkpoint import CheckpointError
from vigil_recipe.training.run import rehearsed, run, stages_named
from vigil_recipe.training.settings import SettingsError, read_settings


def main(argv: Sequence[str] | None = None) -> int:
    """Train or go on training."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.training", description=__doc__)
    parser.add_argument("settings", type=Path, help="the run's TOML file")
    parser.add_argument("--base", help="start from this checkpoint instead of the file's")
    parser.add_argument("--out", type=Path, help="write there instead of where the file says")
    parser.add_argument(
        "--rehearse",
        type=int,
        metavar="STEPS",
        help="so many steps of every stage, on few clips, into a folder of its own: does all of it run here?",
    )
    parser.add_argument("--only", action="append", help="run only this stage; may be repeated")
    options = parser.parse_args(argv)
    disable_progress_bar()
    try:
        settings = read_settings(options.settings)
        if options.rehearse is not None:
            settings = rehearsed(settings, options.rehearse)
        settings = replace(settings, base=options.base or settings.base, out=options.out or settings.out)
        if options.rehearse is not None and settings.out.exists():
            raise SettingsError(f"{settings.out} is there already: a rehearsal goes through all stages anew, remove it")
        if options.only:
            settings = replace(settings, stages=stages_named(settings.stages, options.only))
        sys.stdout.write(f"trained: {run(settings)}\n")
    except (SettingsError, CheckpointError, BadRecords, FileNotFoundError) as error:
        sys.stderr.write(f"train: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
