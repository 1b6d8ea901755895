"""From a clip and an interaction to token ids, labels and weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer

from vigil_recipe import layout
from vigil_recipe.dialogue import RESPONSE, SILENCE, Turn

IGNORED = -100
FIRST_SILENCE = 1.0
REPEATED_SILENCE = 0.4
RESPONDING = 1.5
OTHER = 1.0


@dataclass(frozen=True, slots=True)
class Sequenced:
    """One chunk as tokens. ``labels`` is -100 where nothing is learnt; ``weights`` are those of the paper's eq. 1.

    ``decisions`` holds, for each supervised turn, the position of its control token and whether it should speak.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    weights: tuple[float, ...]
    decisions: tuple[tuple[int, bool], ...]


class Sequencer:
    """Turns interactions into tokens with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        def encode(text: str) -> tuple[int, ...]:
            return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

        self._encode = lru_cache(maxsize=20_000)(encode)

    def sequence(self, turns: Sequence[Turn], images: int, image_tokens: int) -> Sequenced:
        """Tokens of one chunk. A turn whose shown reply is a planted mistake is in the history but not learnt."""
        ids = list(self._encode(layout.system_block()))
        labels = [IGNORED] * len(ids)
        weights = [0.0] * len(ids)
        decisions = []
        silent_before = False
        for turn in turns:
            user = self._user(turn, images, image_tokens)
            reply = self._encode(turn.said + layout.TURN_END)
            learnt = turn.said == turn.reply
            if learnt:
                decisions.append((len(ids) + len(user), turn.reply != SILENCE))
            ids += [*user, *reply, *self._encode("\n")]
            labels += [IGNORED] * len(user) + (list(reply) if learnt else [IGNORED] * len(reply)) + [IGNORED]
            first = control_weight(turn.reply, silent_before=silent_before)
            weights += [0.0] * len(user) + [first] + [OTHER] * (len(reply) - 1) + [0.0]
            silent_before = turn.reply == SILENCE
        return Sequenced(tuple(ids), tuple(labels), tuple(weights), tuple(decisions))

    def _user(self, turn: Turn, images: int, image_tokens: int) -> list[int]:
        """The user block; the long run of image tokens is repeated by id, not encoded again each time."""
        one, many = self._encode(layout.IMAGE_PAD)[0], [image_tokens] * images
        text = layout.user_block(turn.lines, turn.marker_s, [1] * images)
        ids: list[int] = []
        for token in self._encode(text):
            ids += [one] * many[0] if token == one else [token]
        return ids


def control_weight(reply: str, *, silent_before: bool) -> float:
    """The weight of a reply's control token (paper, eq. 1)."""
    if reply == SILENCE:
        return REPEATED_SILENCE if silent_before else FIRST_SILENCE
    if not reply.startswith(RESPONSE):
        raise ValueError(f"a reply starts with {SILENCE} or {RESPONSE}, got {reply!r}")
    return RESPONDING
