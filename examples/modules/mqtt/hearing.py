"""From one message after the other to what is told. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from mqtt.rule import Rule
from mqtt.topic import matched

MOST_PAYLOAD_BYTES = 4_096
MOST_VALUE_CHARS = 100
MOST_HEARD = 1_000  # topics and rules together; strangers may make up topics
LEAST_S = 1.0  # between two findings of one rule and topic, however often its value goes to and fro
SECOND_US = 1_000_000

_Key: TypeAlias = tuple[Rule, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a rule knows of a topic: whether its number is beyond a limit, which words were told last, and when."""

    is_beyond: bool = False
    words: str = ""
    told_us: int = -(2**62)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is known of all topics."""

    heard: Mapping[_Key, Heard] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence for the model, by the rule that tells it."""

    rule: Rule
    text: str


def hear(
    hearing: Hearing, rules: Sequence[Rule], topic: str, payload: bytes, at_us: int
) -> tuple[Hearing, tuple[Finding, ...]]:
    """Take in one message. What is no value of a rule (damaged, too long, no number) tells nothing."""
    heard, findings = dict(hearing.heard), []
    for rule in rules:
        if matched(rule.topic, topic) is None or (value := value_of(payload, rule)) is None:
            continue
        key = rule, topic
        if key not in heard and len(heard) >= MOST_HEARD:
            continue
        heard[key], text = _judge(heard.get(key, Heard()), rule, value, at_us)
        if text:
            findings.append(Finding(rule, rule.said(text, _plain(topic), _shown(value))))
    return Hearing(MappingProxyType(heard)), tuple(findings)


def value_of(payload: bytes, rule: Rule) -> float | str | None:
    """The value that the rule asks for; None when the payload has none."""
    if len(payload) > MOST_PAYLOAD_BYTES:
        return None
    try:
        found: Any = payload.decode()
        if rule.field:
            found = json.loads(found)
            for name in rule.field.split("."):
                found = found[name]
        if rule.is_of_numbers:
            number = float(found)
            return number if math.isfinite(number) else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    words = _plain(str(found)) if isinstance(found, str | int | float) else ""
    return words if words and (not rule.words or words in rule.words) else None


def _judge(heard: Heard, rule: Rule, value: float | str, at_us: int) -> tuple[Heard, str]:
    """What is known after this value, and the text that it tells; empty for none."""
    quiet_s = (at_us - heard.told_us) / SECOND_US
    if not isinstance(value, float):
        is_due = quiet_s >= (rule.every_s if value == heard.words else LEAST_S)
        return (Heard(False, value, at_us), rule.text) if is_due else (heard, "")
    is_beyond = rule.is_beyond(value, heard.is_beyond)
    if is_beyond != heard.is_beyond:
        if quiet_s < LEAST_S:
            return heard, ""
        return Heard(is_beyond, told_us=at_us), rule.text if is_beyond else rule.back_text
    if is_beyond and quiet_s >= rule.every_s:
        return Heard(True, told_us=at_us), rule.text
    return heard, ""


def _shown(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else value


def _plain(words: str) -> str:
    """The words as one printable line."""
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())[:MOST_VALUE_CHARS]
