"""`vigil eval` as its users run it: real vLLM, the shipped model, a report that holds what it promises."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from system import BIN, ROOT

from vigil_recipe.scenarios import TAUGHT

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]

PROMISED = {
    "recall",
    "precision",
    "mean_abs_error_s",
    "false_alarms_per_minute",
    "duplicate_rate",
    "sw_f1",
    "pauc",
}


async def test_an_exam_writes_its_figures_and_its_page(tmp_path: Path) -> None:
    arguments = ("--seed", "7", "--episodes", "9", "--split", "validation", "--at-once", "4")
    process = await asyncio.create_subprocess_exec(
        str(BIN / "vigil"),
        "eval",
        *arguments,
        *("--data-dir", str(tmp_path / "run"), "--out", str(tmp_path)),  # nothing runs there: it starts its own
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    found, page = await asyncio.to_thread(_written, tmp_path)
    assert found["failed"] == []
    assert not found["partial"]
    assert list(found["summary"]) == [one.value for one in TAUGHT]
    assert all(found["summary"][one.value].keys() >= PROMISED for one in TAUGHT)
    assert set(found["head_to_head"]) == {"polling", "ask_only", "last_4_frames"}
    assert set(found["robustness"]) == {
        f"{name} {way}" for name in ("night", "noise", "jitter") for way in ("on", "off")
    }
    assert found["summariser"].keys() == {"summary", "merge"}
    assert found["calibration"]["turns"] > 300
    assert found["parity"]["share"] >= 0.99, "the engine decides as the reference implementation does"
    assert all(one.value in page for one in TAUGHT)
    assert page.count("<svg") > len(TAUGHT), "a strip for each scenario, and the reliability of p(silence)"


def _written(folder: Path) -> tuple[dict[str, Any], str]:
    (figures,), (page,) = folder.glob("*.json"), folder.glob("*.html")
    return json.loads(figures.read_text()), page.read_text()
