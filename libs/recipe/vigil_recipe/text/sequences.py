"""From an interaction to token ids, labels and the role of every learnt token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Protocol

from tokenizers import Tokenizer

from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import DELEGATION, RESPONSE, SILENCE

IGNORED = -100


class Role(IntEnum):
    """How the objective weighs a token that is learnt (paper, eq. 1): by the kind of control token, or as a word."""

    WORD = 0
    FIRST_SILENCE = 1
    REPEATED_SILENCE = 2
    RESPONSE = 3
    DELEGATION = 4


class Exchanged(Protocol):
    """One user turn and its reply. ``said`` is what the history shows; it differs from ``reply`` for a planted
    mistake, which is not learnt."""

    @property
    def user(self) -> str:
        """The content of the user's message, each picture as ``prompt_format.image_block(1)``."""

    @property
    def reply(self) -> str:
        """The right reply in its control form."""

    @property
    def said(self) -> str:
        """The reply as the history shows it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An ``Exchanged`` that holds its three texts."""

    user: str
    reply: str
    said: str


@dataclass(frozen=True, slots=True)
class Sequenced:
    """One chunk as tokens. ``labels`` is -100 where nothing is learnt; ``roles`` says what each learnt token is.

    ``decisions`` holds, for each learnt turn, its index, where its reply begins and where it ends.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    roles: tuple[Role, ...]
    decisions: tuple[tuple[int, int, int], ...]


class Sequencer:
    """Turns interactions into tokens with one tokenizer and one system text."""

    def __init__(self, tokenizer: Tokenizer, system: str = prompt_format.SYSTEM) -> None:
        def encode(text: str) -> tuple[int, ...]:
            return tuple(tokenizer.encode(text, add_special_tokens=False).ids)

        self._encode = lru_cache(maxsize=20_000)(encode)
        self._system = system
        self._pad = encode(prompt_format.IMAGE_PAD)[0]
        self._delegates = encode(DELEGATION)[0]

    def sequence(self, exchanges: Sequence[Exchanged], image_tokens: Sequence[int]) -> Sequenced:
        """Tokens of one chunk; ``image_tokens`` holds the visual tokens of every picture, in order.

        Raises ValueError when the pictures of the text and of ``image_tokens`` are not equally many.
        """
        sizes = iter(image_tokens)
        ids = list(self._encode(prompt_format.system_block(self._system)))
        labels = [IGNORED] * len(ids)
        roles = [Role.WORD] * len(ids)
        decisions = []
        silent_before = False
        for index, exchange in enumerate(exchanges):
            user = self._user(exchange.user, sizes)
            reply = self._encode(exchange.said + prompt_format.TURN_END)
            learnt = exchange.said == exchange.reply
            if learnt:
                decisions.append((index, len(ids) + len(user), len(ids) + len(user) + len(reply)))
            ids += [*user, *reply, *self._encode("\n")]
            labels += [IGNORED] * len(user) + (list(reply) if learnt else [IGNORED] * len(reply)) + [IGNORED]
            roles += [Role.WORD] * len(user) + self._roles(exchange.reply, reply, silent_before) + [Role.WORD]
            silent_before = exchange.reply == SILENCE
        if next(sizes, None) is not None:
            raise ValueError("there are more pictures than the text has places for")
        return Sequenced(tuple(ids), tuple(labels), tuple(roles), tuple(decisions))

    def _user(self, content: str, sizes: Iterator[int]) -> list[int]:
        """The user block; the long run of image tokens is repeated by id, not encoded again each time."""
        ids: list[int] = []
        for token in self._encode(prompt_format.user_text_block(content)):
            ids += [token] * (_next_size(sizes) if token == self._pad else 1)
        return ids

    def _roles(self, right: str, shown: Sequence[int], silent_before: bool) -> list[Role]:
        words = [Role.DELEGATION if token == self._delegates else Role.WORD for token in shown[1:]]
        return [control_role(right, silent_before=silent_before), *words]


def control_role(reply: str, *, silent_before: bool) -> Role:
    """The role of a reply's first token. Raises ValueError when the reply does not start with a control token."""
    if reply == SILENCE:
        return Role.REPEATED_SILENCE if silent_before else Role.FIRST_SILENCE
    if reply.startswith(DELEGATION):
        return Role.DELEGATION
    if not reply.startswith(RESPONSE):
        raise ValueError(f"a reply starts with {SILENCE}, {RESPONSE} or {DELEGATION}, got {reply!r}")
    return Role.RESPONSE


def _next_size(sizes: Iterator[int]) -> int:
    size = next(sizes, None)
    if size is None:
        raise ValueError("the text has places for more pictures than there are")
    return size
