"""A run's log: one line for people, one JSON line for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class StageLog:
    """Appends to ``path`` and prints, for one stage of ``steps`` steps that begins, or goes on, at step ``began``."""

    path: Path
    stage: str
    steps: int
    began: int = 0
    began_s: float = field(default_factory=time.monotonic)

    def __call__(self, step: int, values: Mapping[str, Any]) -> None:
        """Note the values at a step, with the time spent and, for people, the time left."""
        elapsed_s = time.monotonic() - self.began_s
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as log:
            line = {"stage": self.stage, "step": step, "elapsed_s": round(elapsed_s, 1), **values}
            log.write(json.dumps(line) + "\n")
        left_s = (self.steps - step) * elapsed_s / max(1, step - self.began)
        shown = " ".join(f"{name}={_short(value)}" for name, value in values.items())
        sys.stdout.write(f"{self.stage} {step}/{self.steps} {elapsed_s:.0f}s left={left_s:.0f}s {shown}\n")
        sys.stdout.flush()


def read_log(path: Path) -> list[dict[str, Any]]:
    """All lines of a log; empty without one."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def spent_s(notes: list[dict[str, Any]]) -> float:
    """Seconds of training in all: the last elapsed time of every start of every stage, added up."""
    total = last = 0.0
    for note in notes:
        elapsed_s = float(note["elapsed_s"])
        total, last = total + (elapsed_s - last if elapsed_s >= last else elapsed_s), elapsed_s
    return total


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
