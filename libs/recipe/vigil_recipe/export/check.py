"""Check a served checkpoint: ``python -m vigil_recipe.export.check --model models/vigil-small --url http://127.0.0.1:8000/v1``.

Unseen test episodes run freely (the model's own replies are its history) against the stock engine, frame by frame as
serving sends them. Counts onsets met within two seconds, false alarms, milliseconds a tick, prompt tokens, and the
decisions on which the engine and the reference implementation differ.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vigil_recipe.render.frames import fit, to_jpeg, visual_tokens
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import ALERT, RESPONSE, wordings
from vigil_recipe.world import Episode, Kind, Split, make_episode, render

SIZE = (160, 96)
SOURCE = (640, 384)
QUALITY = 85
WITHIN_S = 2
TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Case:
    """One episode with its standing instructions, given at the first turn."""

    episode: Episode
    asked: tuple[Kind, ...]
    lines: tuple[str, ...]


@dataclass(slots=True)
class Tick:
    """One turn as served: the frame sent, what the engine replied, and how long it took."""

    jpeg: bytes
    reply: str
    latency_ms: float
    prompt_tokens: int


@dataclass(slots=True)
class Tally:
    """What is counted over all cases."""

    ticks: int = 0
    onsets: int = 0
    onsets_met: int = 0
    first_second: int = 0
    false_alarms: int = 0
    late_stops: int = 0
    wrong_text: int = 0
    malformed: int = 0
    latencies_ms: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For the model card and the console."""
        ordered = sorted(self.latencies_ms)
        return {
            "unseen_test_ticks_served_by_vllm": self.ticks,
            f"asked_for_onsets_met_within_{WITHIN_S}_s": f"{self.onsets_met} of {self.onsets}",
            "of_these_on_the_first_second": self.first_second,
            "false_alarm_ticks": self.false_alarms,
            "ticks_still_speaking_in_the_second_after_an_end": self.late_stops,
            "speaking_ticks_with_a_wrong_sentence": self.wrong_text,
            "malformed_replies": self.malformed,
            "median_ms_a_tick": round(ordered[len(ordered) // 2]) if ordered else None,
            "p95_ms_a_tick": round(ordered[int(len(ordered) * 0.95)]) if ordered else None,
        }


def make_cases(count: int, seconds: int) -> Iterator[Case]:
    """Validation-split episodes; each kind asked in turn, every third episode two kinds."""
    kinds = list(Kind)
    for seed in range(count):
        asked = (kinds[seed % 4],) if seed % 3 else (kinds[seed % 4], kinds[(seed + 1) % 4])
        lines = tuple(wordings(kind)[seed % len(wordings(kind))] for kind in asked)
        yield Case(make_episode(seed, Split.VALIDATION, seconds), asked, lines)


class Served:
    """A chat with a served model, one turn after the other."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = f"{url}/chat/completions", name
        self._messages: list[dict[str, object]] = [{"role": "system", "content": prompt_format.SYSTEM}]

    def tick(self, lines: Sequence[str], marker_s: float, jpeg: bytes) -> Tick:
        """Send one turn and take its reply into the history."""
        text = "".join(f"{line}\n" for line in lines) + f"<{marker_s:.1f} seconds>\n"
        picture = {"url": "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()}
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": picture}]
        self._messages.append({"role": "user", "content": parts})
        began_s = time.perf_counter()
        request = urllib.request.Request(self._url, self._body(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            body = json.load(answer)
        latency_ms = (time.perf_counter() - began_s) * 1000
        reply = str(body["choices"][0]["message"]["content"]).strip()
        self._messages.append({"role": "assistant", "content": reply})
        return Tick(jpeg, reply, latency_ms, int(body["usage"]["prompt_tokens"]))

    def _body(self) -> bytes:
        request = {
            "model": self._name,
            "messages": self._messages,
            "temperature": 0,
            "max_tokens": 48,
            "skip_special_tokens": False,
        }
        return json.dumps(request).encode()


def run_case(case: Case, url: str, name: str) -> list[Tick]:
    """Every second of one episode through the engine."""
    chat = Served(url, name)
    ticks = []
    for second in range(case.episode.seconds):
        jpeg = to_jpeg(fit(render(case.episode, second + 0.2, SOURCE), SIZE), QUALITY)
        ticks.append(chat.tick(case.lines if second == 0 else (), float(second), jpeg))
    return ticks


def count(case: Case, replies: Sequence[str], tally: Tally) -> list[str]:
    """Add one case to the tally; returns a line for each miss and false alarm."""
    notes = []
    seconds = len(replies)
    speaking = [reply.startswith(RESPONSE) for reply in replies]
    for kind in case.asked:
        for span in case.episode.spans_of(kind):
            if span.start_s + WITHIN_S >= seconds:
                continue
            window = range(span.start_s, min(span.start_s + WITHIN_S + 1, span.end_s))
            heard = [second for second in window if ALERT[kind] in replies[second]]
            tally.onsets += 1
            tally.onsets_met += bool(heard)
            tally.first_second += bool(heard) and heard[0] == span.start_s
            if not heard:
                notes.append(f"seed {case.episode.seed}: missed {kind} at {span.start_s}..{span.end_s}")
    for second, reply in enumerate(replies):
        held = [kind for kind in Kind if kind in case.asked and kind in case.episode.truth(second)]
        just_before = case.episode.truth(second - 1) if second else frozenset()
        tally.malformed += not (speaking[second] or reply == "</silence>")
        for kind in Kind:
            if ALERT[kind] in reply and kind not in held:
                late = kind in just_before and kind in case.asked
                tally.late_stops += late
                tally.false_alarms += not late
                if not late:
                    notes.append(f"seed {case.episode.seed}: false {kind} at {second} s")
        expected = f"{RESPONSE} {' '.join(ALERT[kind] for kind in held)}"
        tally.wrong_text += bool(held) and speaking[second] and reply != expected
    tally.ticks += seconds
    return notes


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases, compare with the reference implementation, print and write the scores."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.export.check", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder, for the reference implementation")
    parser.add_argument("--url", required=True, help="OpenAI-compatible base address of the engine, ending in /v1")
    parser.add_argument("--name", default="vigil-small", help="served model name")
    parser.add_argument("--episodes", type=int, default=14)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--parity-ticks", type=int, default=240)
    parser.add_argument("--out", type=Path, help="write the scores there as JSON")
    options = parser.parse_args(argv)
    if options.episodes < 1 or options.seconds < 1:
        parser.error("--episodes and --seconds are 1 or more")
    try:
        tally, played = play(make_cases(options.episodes, options.seconds), options.url, options.name)
    except OSError as error:
        sys.stderr.write(f"check: the engine at {options.url} does not answer ({error}); start it, or correct --url\n")
        return 1
    scores = tally.as_dict() | compare(options.model, played, options.parity_ticks)
    sys.stdout.write(json.dumps(scores, indent=2) + "\n")
    if options.out:
        options.out.write_text(json.dumps(scores, indent=2) + "\n")
    return 0


def play(cases: Iterable[Case], url: str, name: str) -> tuple[Tally, list[tuple[Case, list[Tick]]]]:
    """All cases through the engine; a line is printed for each, and for each miss and false alarm."""
    tally = Tally()
    played: list[tuple[Case, list[Tick]]] = []
    for case in cases:
        ticks = run_case(case, url, name)
        played.append((case, ticks))
        tally.latencies_ms += [tick.latency_ms for tick in ticks[1:]]
        notes = count(case, [tick.reply for tick in ticks], tally)
        asked, met = "+".join(case.asked), f"{tally.onsets_met}/{tally.onsets} onsets met"
        notes.append(f"seed {case.episode.seed} {asked}: {met}, {tally.false_alarms} false ticks so far")
        sys.stdout.write("\n".join(notes) + "\n")
        sys.stdout.flush()
    return tally, played


def compare(model: Path, played: Sequence[tuple[Case, list[Tick]]], ticks: int) -> dict[str, object]:
    """Decisions and prompt lengths of the engine against the reference implementation on the same histories."""
    from vigil_recipe.export.reference import Reference  # torch is needed here only

    reference = Reference(model)
    same = compared = lengths_equal = 0
    for case, served in played:
        if compared >= ticks:
            break
        said = [tick.reply for tick in served]
        lines = [case.lines if second == 0 else () for second in range(len(said))]
        decisions, lengths = reference.decisions(lines, said, [tick.jpeg for tick in served], visual_tokens(SIZE))
        for tick, decided, length in zip(served, decisions, lengths, strict=True):
            compared += 1
            same += tick.reply.startswith(decided[0])
            lengths_equal += tick.prompt_tokens == length
    return {
        "decisions_equal_to_the_reference": f"{same} of {compared}",
        "prompt_lengths_equal_to_the_reference": f"{lengths_equal} of {compared}",
    }


if __name__ == "__main__":
    sys.exit(main())
