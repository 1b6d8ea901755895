"""Whether the engine decides as the reference implementation does, turn by turn over the exam's own episodes.

The exam writes what the system was shown and what it replied; this module, run by the engine environment's Python
(``python -m vigil_recipe.exam.players.parity --model FOLDER --episodes FILE``), reads it, lets the stock Hugging Face
classes decide on the same histories and prints how often the decision is the same: the first token, and where it
delegates.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vigil.core.control import CONTROL_TOKENS, DELEGATION, parse


@dataclass(frozen=True, slots=True)
class Shown:
    """One episode: the lines and the picture of every turn, and what the engine replied. Turns are a second each."""

    lines: tuple[tuple[str, ...], ...]
    replies: tuple[str, ...]
    jpegs: tuple[bytes, ...]


def to_json(episode: Shown) -> str:
    """One line of the file."""
    pictures = [base64.b64encode(jpeg).decode() for jpeg in episode.jpegs]
    return json.dumps({"lines": episode.lines, "replies": episode.replies, "jpegs": pictures})


def from_json(text: str) -> Shown:
    """Read a line. Raises ValueError when its lists differ in length."""
    data = json.loads(text)
    lines = tuple(tuple(turn_lines) for turn_lines in data["lines"])
    jpegs = tuple(base64.b64decode(jpeg) for jpeg in data["jpegs"])
    if not len(lines) == len(data["replies"]) == len(jpegs):
        raise ValueError(f"{len(lines)} turns of lines, {len(data['replies'])} replies, {len(jpegs)} pictures")
    return Shown(lines, tuple(data["replies"]), jpegs)


def same_decisions(replies: Sequence[str], decided: Sequence[Sequence[str]]) -> int:
    """In how many turns the reference decides as the engine's reply does. ``decided`` holds its token at each place of
    the reply: the first one opens the reply (any but the three control tokens is silence), and it delegates as often
    as the reply does."""
    return sum(_is_same(parse(reply).reply, tokens) for reply, tokens in zip(replies, decided, strict=True))


def _is_same(reply: str, tokens: Sequence[str]) -> bool:
    first = tokens[0] if tokens[0] in CONTROL_TOKENS else CONTROL_TOKENS[0]
    return reply.startswith(first) and reply.count(DELEGATION) == sum(token == DELEGATION for token in tokens)


def episodes(path: Path) -> Iterator[Shown]:
    """The episodes of a file, one a line."""
    with path.open() as file:
        yield from (from_json(line) for line in file if line.strip())


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, and print ``{"same": …, "compared": …}``."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.exam.players.parity", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder that the engine serves")
    parser.add_argument(
        "--episodes", type=Path, required=True, help="what the exam was shown and replied, as JSON lines"
    )
    options = parser.parse_args(argv)
    from vigil_recipe.export.check import SIZE
    from vigil_recipe.export.reference import Reference  # torch is needed from here on
    from vigil_recipe.render.frames import visual_tokens

    reference = Reference(options.model)
    same = compared = 0
    for episode in episodes(options.episodes):
        decided, _ = reference.decisions(episode.lines, episode.replies, episode.jpegs, visual_tokens(SIZE))
        same += same_decisions(episode.replies, decided)
        compared += len(episode.replies)
    sys.stdout.write(json.dumps({"same": same, "compared": compared}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
