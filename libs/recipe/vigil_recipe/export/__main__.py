"""Export a trained checkpoint for serving, with its card.

``python -m vigil_recipe.export --from build/train/small/whole/model --out build/train/vigil-small``

The weights that the repository ships are left alone unless ``--out models/vigil-small`` is given: their card reports
an exam that another model has not taken.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vigil_recipe.export.weights import ExportError, export
from vigil_recipe.training.checkpoint import CheckpointError


def main(argv: Sequence[str] | None = None) -> int:
    """Export a run."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.export", description=__doc__)
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        default=Path("build/train/small/whole/model"),
        help="checkpoint folder of a run's last stage",
    )
    parser.add_argument("--log", type=Path, help="the run's log.jsonl (default: two folders above the checkpoint)")
    parser.add_argument("--out", type=Path, default=Path("build/train/vigil-small"), help="folder of the checkpoint")
    parser.add_argument("--exam", type=Path, help="the JSON file of an exam of these weights, for the model card")
    parser.add_argument("--note", action="append", default=[], help="a remark for the model card; may be repeated")
    options = parser.parse_args(argv)
    try:
        exam = json.loads(options.exam.read_text()) if options.exam else None
    except (OSError, ValueError) as error:
        parser.error(f"--exam: {error}; give the JSON file that `vigil eval` wrote")
    log = options.log or options.source.parent.parent / "log.jsonl"
    try:
        export(options.source, options.out, log, exam, options.note)
    except (ExportError, CheckpointError) as error:
        sys.stderr.write(f"export: {error}\n")
        return 1
    sys.stdout.write(f"exported to {options.out}; examine it with: vigil eval --model-dir {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
