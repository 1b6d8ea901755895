"""The model card: what the weights are, how they were made and what they score."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vigil_recipe.training.run_log import read_log, spent_s

CARD = """---
license: apache-2.0
pipeline_tag: image-text-to-text
---
# vigil-small

A very small interaction model ({parameters:.1f} M parameters) in the stock Qwen3-VL architecture. It watches one
fixed camera, one frame a second, and says each second `</silence>`, `</response> …`, or
`</response> … </delegation> …`. It was trained from nothing, by this repository's recipe, on this repository's
procedural world, so that Vigil's first run needs no download. It knows that world's drawn scenes and its scripts'
wordings and nothing else: on real cameras its answers mean nothing.

## What it does
- Standing instructions for four conditions: a fire, a fallen person, an object left behind, an open door; one or two
  at a time, e.g. "Alert me when a fire starts." or "Let me know when the door opens." Cleared by
  "Stop watching: " and the same text, then "Keep watching: " and the text of each watch that still stands. While an
  asked-for condition holds it says the same sentence every second.
- "What do you see?" is answered once, with a list.
- The other families of `vigil_recipe.scenarios`: counting, timing, translation of a sign, commentary, questions about
  before, now and later, chat, questions about a memory text, and delegation of what no picture can answer.
- Memory for its own later chunks: "Summarise the frames." over key frames, "Merge the memories." over such texts.
- It should stay silent on everything else: conditions nobody asked for, clothes, lamps and screens in the colours of
  fire, people who crouch or carry a bag, animals, cars, changing light.

## Input
ChatML with the system text "You watch a camera."; each user turn is the new lines, one marker such as
`<12.0 seconds>`, then the image. Frames of 160x96 become 15 visual tokens; 128x96 and 128x128 were trained too. The
chat template writes content parts one after the other as they are: separate two images of one turn with a text part of
one newline. Decode greedily.

## Training
- Data: `vigil_recipe.render.clips`, train seeds only, 100 frames a clip, JPEG-decoded frames as serving sees them.
  Validation and test episodes come from seed sequences that hash the split's name, so no episode is in two splits.
{stages}
- AdamW, bfloat16 autocast{duration}. `libs/recipe/small.toml` holds seed, rates, objectives and curriculum.
{notes}
## Scores
{scores}
"""
STAGES = (
    "Stages, in order: {stages}. The vision tower learns alone what single frames show; the language model learns in "
    "words alone, then both by lessons with pictures and by every scenario, with planted mistakes in the history that "
    "carry no loss. Where the settings end with a mean of stages, the weights are that."
)
UNSURE = (0.1, 0.9)
SHARES = ("recall", "precision", "answer_accuracy", "exact_episodes")


def write_card(path: Path, log: Path, parameters: int, exam: Mapping[str, Any] | None, notes: Sequence[str]) -> None:
    """Fill in the card from the run's log, what an exam of the weights has found and remarks about the run."""
    lines = read_log(log)
    text = CARD.format(
        parameters=parameters / 1e6,
        stages=_remark(STAGES.format(stages=_stages(lines))),
        duration=f", {spent_s(lines) / 60:.0f} minutes in all" if lines else "",
        notes="".join(f"{_remark(note)}\n" for note in notes),
        scores="\n".join([*(exam_lines(exam) if exam else ["No exam was taken."]), *_validation_lines(lines)]),
    )
    path.write_text(text)


def _stages(lines: Sequence[Mapping[str, Any]]) -> str:
    """Each stage of the log with its last step."""
    steps = {str(line["stage"]): int(line["step"]) for line in lines}
    return ", ".join(f"{name} ({count} steps)" for name, count in steps.items()) or "not logged"


def exam_lines(exam: Mapping[str, Any]) -> list[str]:
    """The exam's tables: scenarios, targets, wins against each baseline, memory and its texts.

    ``exam`` is the JSON report that ``exam.report.results`` makes.
    """
    settings = exam["settings"]
    about = (
        f"`vigil eval --seed {settings['seed']} --episodes {settings['episodes']}`, {settings['split']} split, "
        f"{settings['pace']}, through the running system; {settings['machine']}, {settings['began']}. Recall is exact "
        "words within one second, of a watched condition at its first second; precision is of all that was said what "
        "met something due."
    )
    head = ("scenario", "recall", "precision", "answers", "exact episodes", "false alarms a minute", "SW-F1")
    lines = [*textwrap.wrap(about, 119), "", *_table_head(head)]
    for name, found in exam["summary"].items():
        shares = [_share(found[key]) for key in SHARES]
        lines.append(_row([name, *shares, _figure(found["false_alarms_per_minute"]), _figure(found["sw_f1"])]))
    lines += ["", *_table_head(("target", "measured", "asked for"))]
    for target in exam["targets"]:
        asked = f"{'≥' if target['at_least'] else '≤'} {target['limit']:g}"
        lines.append(_row([target["claim"], _figure(target["value"]), asked]))
    lines += _head_to_head(exam["head_to_head"]) + _robustness(exam["robustness"])
    pending = exam["summary"].get("delegation", {}).get("watched_while_pending")
    if pending is not None:
        lines += ["", f"While a delegated question was pending, {pending:.1%} of what else was due was said in time."]
    lines += ["", *textwrap.wrap(_calibration(exam["calibration"]), 119)]
    if "memory" in exam["summary"]:
        lines += ["", *_table_head(("with memory", "without", "most frequent answer"))]
        memory = exam["summary"]["memory"]
        lines.append(_row([_figure(memory.get(key)) for key in ("memory_on", "memory_off", "most_frequent_answer")]))
    written = {kind: found for kind, found in exam["summariser"].items() if kind != "not_run"}
    if written:
        lines += ["", *_table_head(("memory texts", "exact", "sentences found", "of those said right"))]
    for kind, found in written.items():
        lines.append(_row([kind, *(_share(found[key]) for key in ("exact", "sentence_recall", "sentence_precision"))]))
    return [*lines, ""]


def _head_to_head(found: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    """A row for each scenario: won, tied and lost against each baseline."""
    head = ("win / tie / loss against, same weights", *(name.replace("_", " ") for name in found))
    scenarios = dict.fromkeys(scenario for rows in found.values() for scenario in rows)
    lines = ["", *_table_head(head)]
    for scenario in scenarios:
        tallies = [rows.get(scenario) for rows in found.values()]
        shown = [f"{tally['wins']} / {tally['ties']} / {tally['losses']}" if tally else "–" for tally in tallies]
        lines.append(_row([scenario, *shown]))
    return lines


def _robustness(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Alerting with each disturbance off and on, over the same episodes."""
    lines = ["", *_table_head(("alerting with", "onsets", "recall", "false alarms a minute"))] if found else []
    for name, row in found.items():
        lines.append(_row([name, str(row["dues"]), _share(row["recall"]), _figure(row["false_alarms_per_minute"])]))
    return lines


def _calibration(found: Mapping[str, Any]) -> str:
    """The mean gap between p(silence) and how often silence was right: of all turns, and where p is not near 0 or 1."""
    unsure = [bin_ for bin_ in found["bins"] if UNSURE[0] <= bin_["low"] < UNSURE[1]]
    turns = sum(bin_["turns"] for bin_ in unsure)
    gap = sum(bin_["turns"] * abs(bin_["mean_p"] - bin_["silence_right"]) for bin_ in unsure) / turns if turns else None
    return (
        f"p(silence) is off by {_figure(found['expected_error'])} on average; between {UNSURE[0]} and {UNSURE[1]} "
        f"({turns} turns) by {_figure(gap)}."
    )


def _table_head(cells: Sequence[str]) -> list[str]:
    return [_row(cells), _row(["---", *["---:"] * (len(cells) - 1)])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _validation_lines(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    validation = [line["validation"] for line in lines if "validation" in line]
    if not validation:
        return []
    out = ["Validation in training (48-turn windows, history given, mistakes planted in it), counts by kind:", ""]
    for kind, counts in validation[-1].items():
        said = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
        out.append(_remark(f"{kind}: {said}"))
    return out


def _remark(text: str) -> str:
    """One item of a list, wrapped."""
    return textwrap.fill(f"- {text}", 119, subsequent_indent="  ")
