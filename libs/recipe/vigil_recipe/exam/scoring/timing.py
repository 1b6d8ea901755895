"""Two published scores of timed answers: SW-F1 and PAUC. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vigil_recipe.exam.scoring.utterances import Utterance
from vigil_recipe.scenarios import Due

TP_WEIGHT, FP_WEIGHT, FN_WEIGHT = 2.0, 0.2, 2.0
EARLY_TURNS = 1
LATE_TURNS = 2
PAUC_TURNS = 5
OMEGA = 0.5
RIGHT, SILENT = 2.0, 0.5


def good_window(due: Due) -> range:
    """The ground-truth window of a due: its span, one turn before it (not before it was asked for), and at least up to
    two turns after its best one."""
    return range(max(due.asked, due.first - EARLY_TURNS, 0), max(due.end, due.first + LATE_TURNS + 1))


def sw_f1(dues: Sequence[Due], said: Sequence[Utterance]) -> float:
    """Streaming-window F1, 0 to 1 (Streaming-Eval): 2·TP / (2·TP + 0.2·FP + 2·FN).

    TP and FN: dues whose window has, or has not, an utterance of their very words (and delegated question) that no due
    before it has taken. FP: turns in which something was said outside of every window. With nothing due and nothing
    said it is 1.
    """
    windows = [good_window(due) for due in dues]
    hits = _hits(dues, said)
    stray = len({utterance.turn for utterance in said if not any(utterance.turn in span for span in windows)})
    weighted = TP_WEIGHT * hits
    total = weighted + FP_WEIGHT * stray + FN_WEIGHT * (len(dues) - hits)
    return weighted / total if total else 1.0


def _hits(dues: Sequence[Due], said: Sequence[Utterance]) -> int:
    """How many dues have an utterance of their own: the due whose window ends first takes the first one in it."""
    free = sorted(said, key=lambda utterance: utterance.turn)
    hits = 0
    for due in sorted(dues, key=lambda due: (good_window(due).stop, due.first)):
        for utterance in free:
            if utterance.turn in good_window(due) and (utterance.text, utterance.question) == (due.text, due.question):
                free.remove(utterance)
                hits += 1
                break
    return hits


def pauc(due: Due, said: Sequence[Utterance], omega: float = OMEGA) -> float:
    """Proactive area under curve of one due, 0 to 1 (ProactiveVideoQA, arXiv 2507.09313).

    The span is the due's own, at least five turns. The judge is exact: all that was said in the span up to a moment
    scores 2 once the due's very words (and question) are among it, else 0; before anything is said the score is 0.5,
    so that silence (0.25 in all) is worth more than wrong words. ``omega`` = 1 leaves only whether they were right.
    """
    start, end = due.first, max(due.end, due.first + PAUC_TURNS)
    inside = [utterance for utterance in said if start <= utterance.turn < end]
    if not inside:
        return SILENT / RIGHT
    times = sorted({utterance.turn for utterance in inside})
    right = min(
        (utterance.turn for utterance in inside if (utterance.text, utterance.question) == (due.text, due.question)),
        default=end,
    )
    moved = [start + (1 - omega) * (turn - start) for turn in times]
    area = (moved[0] - start) * SILENT
    for turn, begin, until in zip(times, moved, [*moved[1:], float(end)], strict=True):
        area += (until - begin) * (RIGHT if turn >= right else 0.0)
    return area / ((end - start) * RIGHT)
