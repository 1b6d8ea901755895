"""Public benchmarks scored from what an interaction model said by itself, as near to their papers as that allows. Pure.

StreamingBench, Proactive Output: the first utterance after the instruction within two seconds of the ground truth
(its own scorer polls "is it the right time?" once a second until four seconds after, and takes the first yes).

OVO-Bench, forward: plain accuracy over probes, as its released scorer has it; nothing is asked at a probe, what was
said until then is the answer. REC: the last number said. CRR: whether anything was said since the question. SSR:
whether something was said in the last two seconds. The decayed scores of its paper are not computed.

OVO-Bench, choices: of what was said within ten seconds, from the turn on that showed the question, the first that names
an option. A holding reply names none, so a delegated question is right when its result is back within that time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vigil_recipe.exam.benchmarks.cases import ANSWER_WITHIN_S, LETTERS, BenchmarkCase, Task
from vigil_recipe.exam.scoring.episode_scores import Metrics, mean

WITHIN_S = 2.0
NO_OPTION = -1
_LETTER = re.compile(
    rf"^\W*([{LETTERS}])(?=\W*$|\s*[.):,\n])|^\W*([{LETTERS[1:]}])\b|^\W*([{LETTERS.lower()}])\W*$"
    rf"|(?i:\b(?:answer|option|choice)(?: is)?:? *\(?)([{LETTERS}{LETTERS.lower()}])\b(?!['\u2019])"
)  # "A cup" begins with an article
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words, and when they were said (seconds of the video)."""

    time_s: float
    text: str


@dataclass(frozen=True, slots=True)
class CaseScore:
    """The share of right probes of a case (one probe for PO), and how far its first words were from their moment."""

    case: BenchmarkCase
    first_s: float | None
    right: tuple[bool, ...]

    @property
    def error_s(self) -> float | None:
        """First words minus the expected moment; None when either is missing."""
        if self.first_s is None or self.case.expected_s is None:
            return None
        return self.first_s - self.case.expected_s


def score_case(case: BenchmarkCase, spoken: Sequence[Spoken]) -> CaseScore:
    """Score one case. Words before the instruction do not count."""
    after = sorted(
        (utterance for utterance in spoken if utterance.time_s >= case.ask_s), key=lambda utterance: utterance.time_s
    )
    first_s = after[0].time_s if after else None
    if case.task is Task.PROACTIVE:
        if case.expected_s is None:
            raise ValueError("a proactive case needs the time at which words are expected")
        in_time = first_s is not None and abs(first_s - case.expected_s) <= WITHIN_S
        return CaseScore(case, first_s, (in_time,))
    if case.task.is_choice:
        return _choice(case, spoken)
    right = tuple(_probe(case.task, after, probe.time_s) == probe.expected for probe in case.probes)
    return CaseScore(case, first_s, right)


def _choice(case: BenchmarkCase, spoken: Sequence[Spoken]) -> CaseScore:
    """All that is given was said since the question was shown, which may be a second early at a video's end."""
    in_time = [utterance for utterance in spoken if utterance.time_s <= case.ask_s + ANSWER_WITHIN_S]
    options = [chosen_option(utterance.text, case.options) for utterance in in_time]
    chosen = next((option for option in options if option != NO_OPTION), NO_OPTION)
    return CaseScore(case, spoken[0].time_s if spoken else None, (chosen == case.probes[0].expected,))


def chosen_option(text: str, options: Sequence[str]) -> int:
    """Which option an answer chooses: the one that it is word for word, else the letter that it begins with or gives as
    its answer, else the one option whose words it has; else `NO_OPTION`.

    Where it has the words of several, the longest that holds all the others counts: "a red cup" over "cup".
    """
    words = [_plain(option) for option in options]
    if (whole := _plain(text)) and whole in words:
        return words.index(whole)
    found = _LETTER.search(text)
    letter = LETTERS.index(found[found.lastindex or 0].upper()) if found else len(options)
    if letter < len(options):
        return letter
    said = [option for option in words if option and re.search(rf"(?<!\w){re.escape(option)}(?!\w)", text.casefold())]
    longest = max(said, key=len, default="")
    return words.index(longest) if said and all(option in longest for option in said) else NO_OPTION


def _plain(text: str) -> str:
    """Small letters, without the marks around and without the letter of a list before them."""
    return re.sub(rf"^[{LETTERS}][.)]\s+", "", text.strip()).casefold().strip(" .,:;!?\"'()")


def _probe(task: Task, spoken: Sequence[Spoken], time_s: float) -> int:
    before = [utterance for utterance in spoken if utterance.time_s <= time_s]
    if task is Task.CLUE:
        return int(bool(before))
    if task is Task.STEP:
        return int(bool(before) and time_s - before[-1].time_s <= WITHIN_S)
    numbers = [found[-1] for utterance in before if (found := _NUMBER.findall(utterance.text))]
    return int(numbers[-1]) if numbers else 0


def benchmark_summary(scores: Sequence[CaseScore]) -> Mapping[str, Metrics]:
    """For each task: cases, probes, accuracy over probes, the share that never spoke, the mean error of first words."""
    found: dict[str, Metrics] = {}
    for task in dict.fromkeys(scored.case.task for scored in scores):
        own = [scored for scored in scores if scored.case.task is task]
        found[task.value] = {
            "cases": len(own),
            "probes": sum(len(scored.right) for scored in own),
            "accuracy": mean([float(right) for scored in own for right in scored.right]),
            "never_spoke": mean([float(scored.first_s is None) for scored in own]),
            "mean_abs_error_s": mean([abs(scored.error_s) for scored in own if scored.error_s is not None]),
        }
    return found
