"""Rules: which messages are told, when, and in which words. Pure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mqtt.topic import fault_of, matched

MOST_RULES = 64
MOST_TEXT_CHARS = 300
_PLACE = re.compile(r"\{(\w*)\}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class InvalidRule(ValueError):
    """A rule that cannot be followed; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is told of the topics that fit the filter `topic`.

    `field` names the value in a payload of JSON ("" takes all of the payload; "a.b" the field b within a). With `above`
    or `below` the value is a number, and `text` is told when it goes beyond, `back_text` when it has come back by
    `margin`. With `words` it is told for those words alone; with none of these for every value. What goes on is told
    again after `every_s`, and shown to the model for `ttl_s`. `session` limits it to one session.

    In the texts `{value}` is the value, `{topic}` the topic, `{1}` what the first wildcard stands for.
    """

    topic: str
    kind: str
    text: str
    back_text: str = ""
    field: str = ""
    session: str = ""
    above: float | None = None
    below: float | None = None
    margin: float = 0.0
    words: tuple[str, ...] = ()
    every_s: float = 30.0
    ttl_s: float = 30.0

    def __post_init__(self) -> None:
        if fault := fault_of(self.topic):
            raise InvalidRule(f"the topic {self.topic!r} cannot be heard: {fault}")
        if not _TOKEN.fullmatch(self.kind):
            raise InvalidRule(f"the kind {self.kind!r} is none: give letters, digits, _ and -, as in `temperature`")
        if not self.text.strip():
            raise InvalidRule(f"the rule for {self.topic} needs a text")
        places = {"value", "topic", *map(str, range(1, 1 + sum(self.topic.count(wildcard) for wildcard in "+#")))}
        for text in (self.text, self.back_text):
            if len(text) > MOST_TEXT_CHARS:
                raise InvalidRule(f"a text of {self.topic} is longer than {MOST_TEXT_CHARS} characters: shorten it")
            if unknown := set(_PLACE.findall(text)) - places:
                raise InvalidRule(f"a text of {self.topic} has {sorted(unknown)} in braces: there are {sorted(places)}")
        if self.words and self.is_of_numbers:
            raise InvalidRule(f"the rule for {self.topic} has words and a limit: make two rules of it")
        if self.back_text and not self.is_of_numbers:
            raise InvalidRule(f"the rule for {self.topic} has a back_text, but no limit that a value comes back from")
        if self.above is not None and self.below is not None and self.above - self.below < 2 * self.margin:
            raise InvalidRule(
                f"no value of {self.topic} is back within its limits: set below under above, by 2 margins"
            )
        if self.margin < 0 or not 1 <= self.every_s <= 3_600 or not 0.2 <= self.ttl_s <= 600:
            raise InvalidRule(f"of {self.topic}, margin is 0 or more, every_s 1 to 3600, ttl_s 0.2 to 600")

    @property
    def is_of_numbers(self) -> bool:
        """Whether it has a limit."""
        return self.above is not None or self.below is not None

    def is_beyond(self, value: float, was_beyond: bool) -> bool:
        """Whether the value is beyond a limit; one that was comes back only by `margin`."""
        margin = self.margin if was_beyond else 0.0
        return (self.above is not None and value > self.above - margin) or (
            self.below is not None and value < self.below + margin
        )

    def said(self, text: str, topic: str, value: str) -> str:
        """A text of the rule with its places filled; what fills them is never read as a place itself."""
        known = {"value": value, "topic": topic}
        known.update((str(number), level) for number, level in enumerate(matched(self.topic, topic) or (), 1))
        return _PLACE.sub(lambda place: known[place[1]], text)


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a TOML file with tables `[[rule]]`. Raises `InvalidRule`."""
    try:
        tables = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as error:
        raise InvalidRule(f"the file of rules is no TOML: {error}") from None
    if not isinstance(tables, list) or not 1 <= len(tables) <= MOST_RULES:
        raise InvalidRule(f"the file of rules needs 1 to {MOST_RULES} tables [[rule]]")
    return tuple(_rule(table) for table in tables)


def _rule(table: Mapping[str, Any]) -> Rule:
    known = {field.name: field for field in fields(Rule)}
    if unknown := set(table) - set(known):
        raise InvalidRule(f"a rule has the unknown fields {sorted(unknown)}: there are {sorted(known)}")
    if missing := {"topic", "kind", "text"} - set(table):
        raise InvalidRule(f"a rule has no {' and no '.join(sorted(missing))}")
    given: dict[str, Any] = {}
    for name, value in table.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        is_words = isinstance(value, list) and all(isinstance(word, str) for word in value)
        fits = (
            is_words if name == "words" else is_number if "float" in str(known[name].type) else isinstance(value, str)
        )
        if not fits:
            raise InvalidRule(f"{name} of the rule for {table['topic']} cannot be {value!r}")
        given[name] = tuple(value) if is_words else value
    return Rule(**given)
