"""The file of brains (`VIGIL_BRAINS_FILE`): which there are, and which of them answers what.

    {"brains": [{"name": "small", "kind": "openai", "url": "http://…/v1", "model": "qwen", "key_file": "/run/…"}],
     "default": "small", "tenants": {"demo": "small"}, "rules": [{"if": {"words_at_most": 12}, "brain": "small"}]}

A brain's own settings are those of its kind (`vigil_brain.brains.kinds`). Mistakes are told together, a line each. No
key stands in the file: `key_file` names a file, `key_env` a variable with the prefix `VIGIL_`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil.core.errors import InvalidToken
from vigil.core.ids import token
from vigil.runtime.process.config import named_secret
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.router import Condition, Routes, Rule

MAX_BRAINS = 64
MAX_RULES = 64
DEFAULT_TIMEOUT_S = 120.0
MAX_TIMEOUT_S = 86_400.0
DEFAULT_CONCURRENCY = 4
_COMMON = ("name", "kind", "key_env", "key_file", "timeout_s", "concurrency", "prompt")

# What is wrong with the settings of a brain of that kind, a line for each mistake.
Mistakes = Callable[[str, Mapping[str, object]], list[str]]


class BrainsFileInvalid(ValueError):
    """The file cannot be used. `problems` has one line for each mistake."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class BrainEntry:
    """A brain of the file: how it is opened, how many tasks it works on at once, and its own prompt if it has one."""

    spec: BrainSpec
    concurrency: int = DEFAULT_CONCURRENCY
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Brains:
    """What the file says."""

    entries: tuple[BrainEntry, ...] = ()
    routes: Routes = field(default_factory=Routes)


# What there is where nobody has written a file: the embedded model, which refuses every task with what to do about it
# where it is not installed.
WITHOUT_FILE = Brains(
    (BrainEntry(BrainSpec("embedded", "embedded", timeout_s=DEFAULT_TIMEOUT_S), concurrency=1),),
    Routes(frozenset({"embedded"}), "embedded"),
)


class _Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words_at_most: int | None = None
    words_at_least: int | None = None
    priority_at_least: int | None = None
    contains: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    has_pictures: bool | None = None


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"condition": "if"}):
    brain: str
    condition: _Condition


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    brains: tuple[dict[str, Any], ...]
    default: str = ""
    tenants: dict[str, str] = {}
    rules: tuple[_Rule, ...] = ()


class _Common(msgspec.Struct, frozen=True):
    name: str
    kind: str
    key_env: str = ""
    key_file: str = ""
    timeout_s: float = DEFAULT_TIMEOUT_S
    concurrency: int = DEFAULT_CONCURRENCY
    prompt: str = ""


def read(path: Path, mistakes: Mistakes) -> Brains:
    """Read the file. Raises `BrainsFileInvalid`."""
    try:
        return decode(path.read_bytes(), mistakes)
    except OSError as error:
        raise BrainsFileInvalid((f"the file {path} cannot be read: {error.strerror}",)) from error


def decode(text: bytes, mistakes: Mistakes) -> Brains:
    """What the text of a file says. Raises `BrainsFileInvalid`."""
    try:
        found = msgspec.json.decode(text, type=_File)
    except UNREADABLE as error:
        raise BrainsFileInvalid((f"it is not valid: {error}",)) from None
    problems: list[str] = []
    entries = [_entry(number, brain, mistakes, problems) for number, brain in enumerate(found.brains, 1)]
    names = [entry.spec.name for entry in entries if entry is not None]
    problems += [f"brain {name!r} stands there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    problems += _misrouted(found, frozenset(names))
    if len(found.brains) > MAX_BRAINS or len(found.rules) > MAX_RULES:
        problems.append(f"it has {len(found.brains)} brains and {len(found.rules)} rules: at most {MAX_BRAINS} of each")
    if problems:
        raise BrainsFileInvalid(tuple(problems))
    rules = tuple(Rule(Condition(*msgspec.structs.astuple(rule.condition)), rule.brain) for rule in found.rules)
    whole = tuple(entry for entry in entries if entry is not None)
    default = found.default or (names[0] if len(names) == 1 else "")
    return Brains(whole, Routes(frozenset(names), default, found.tenants, rules))


def _entry(number: int, brain: Mapping[str, Any], mistakes: Mistakes, problems: list[str]) -> BrainEntry | None:
    """A brain of the file; None when something is wrong with it, which is then among `problems`."""
    name = brain.get("name")
    where = f"brain {name!r}" if isinstance(name, str) and name else f"brain {number}"
    before = len(problems)
    try:
        common = msgspec.convert({key: value for key, value in brain.items() if key in _COMMON}, _Common)
    except msgspec.ValidationError as error:
        problems.append(f"{where}: {error}")
        return None
    settings = {key: value for key, value in brain.items() if key not in _COMMON}
    problems += [f"{where}: {wrong}" for wrong in (*_common_mistakes(common), *mistakes(common.kind, settings))]
    key = _key(common, where, problems)
    if len(problems) > before:
        return None
    spec = BrainSpec(common.name, common.kind, settings, key, common.timeout_s)
    return BrainEntry(spec, common.concurrency, common.prompt)


def _common_mistakes(common: _Common) -> list[str]:
    found = []
    try:
        token(common.name, "name")
    except InvalidToken as error:
        found.append(str(error))
    if not 0 < common.timeout_s <= MAX_TIMEOUT_S:
        found.append(f"'timeout_s' is {common.timeout_s:g}: give more than 0 and at most {MAX_TIMEOUT_S:g}")
    if not 1 <= common.concurrency <= 1_000:
        found.append(f"'concurrency' is {common.concurrency}: give 1 to 1,000")
    return found


def _key(common: _Common, where: str, problems: list[str]) -> str:
    """The key of a brain; empty where it has none."""
    if common.key_env and common.key_file:
        problems.append(f"{where}: give 'key_env' or 'key_file', not both")
        return ""
    try:
        key = named_secret(common.key_env) if common.key_env else ""
        key = Path(common.key_file).read_text("utf-8").strip() if common.key_file else key
    except OSError as error:
        problems.append(f"{where}: the key file {common.key_file} cannot be read: {error.strerror}")
        return ""
    except ValueError as error:  # also what is not UTF-8
        problems.append(f"{where}: its key cannot be read: {error}")
        return ""
    if not key and (common.key_env or common.key_file):
        problems.append(f"{where}: its key is empty: {common.key_env or common.key_file}")
    return key


def _misrouted(found: _File, names: frozenset[str]) -> list[str]:
    """Every place that names a brain which is not there."""
    named = [("'default'", found.default)] if found.default else []
    named += [(f"tenant {tenant!r}", brain) for tenant, brain in found.tenants.items()]
    named += [(f"rule {number}", rule.brain) for number, rule in enumerate(found.rules, 1)]
    return [f"{where}: there is no brain {brain!r}" for where, brain in named if brain not in names]
