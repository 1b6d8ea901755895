"""How far a client has come in each stream of its session: the `id` of a server-sent event, and back. Pure.

`d12-u3-a55-s7-t0-p0-m0-h0-v0`: a letter for the kind of event, then the sequence in its stream (JetStream's) of the
newest event of that kind that was sent. Whoever sends the id back (`Last-Event-ID`) gets what came after all of these,
each once.
"""

import re
from collections.abc import Mapping

from vigil_gateway.live.feed import EventKind

LETTERS = {
    EventKind.DECISION: "d",
    EventKind.UTTERANCE: "u",
    EventKind.ALERT: "a",
    EventKind.SESSION: "s",
    EventKind.DELEGATION: "t",
    EventKind.APPROVAL: "p",
    EventKind.MEMORY: "m",
    EventKind.TRANSCRIPT: "h",  # what was heard
    EventKind.SPEECH: "v",  # the voice
}
PATTERN = r"^([a-z][0-9]{1,18}(-[a-z][0-9]{1,18}){0,25})?$"
_PLACE = re.compile(r"([a-z])([0-9]{1,18})")

Places = Mapping[EventKind, int]


def written(places: Places) -> str:
    """The id of an event after which the client is at `places`."""
    return "-".join(f"{LETTERS[kind]}{places[kind]}" for kind in LETTERS if kind in places)


def read(text: str) -> dict[EventKind, int]:
    """The places that an id of the form `PATTERN` names; letters of a newer gateway are passed over."""
    kinds = {letter: kind for kind, letter in LETTERS.items()}
    return {kinds[letter]: int(number) for letter, number in _PLACE.findall(text) if letter in kinds}
