"""What the operator decided: whether faces are looked at at all, and in which sessions. Pure."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

PAGE = "docs/faces-privacy.md"
FIELDS = {"is_on", "sessions", "faces_file", "key_file"}


class InvalidConfig(ValueError):
    """A file that does not say what is needed; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Config:
    """`is_on` is false until somebody writes otherwise; `sessions` are the only ones that are looked at."""

    faces_file: Path
    key_file: Path
    is_on: bool = False
    sessions: tuple[str, ...] = ()

    def check_on(self) -> None:
        """Raise `InvalidConfig` unless the operator switched recognition on for named sessions."""
        if not self.is_on:
            raise InvalidConfig(f"recognition is off: read {PAGE}, then set is_on = true")
        if not self.sessions:
            raise InvalidConfig("no session is named: faces are looked at only in the sessions that `sessions` lists")


def read_config(text: str, folder: Path) -> Config:
    """The settings of a TOML file in `folder`, to which its paths are relative. Raises `InvalidConfig`."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfig(f"no TOML: {error}") from None
    if unknown := set(given) - FIELDS:
        raise InvalidConfig(f"unknown settings {sorted(unknown)}: there are {sorted(FIELDS)}")
    is_on, sessions = given.get("is_on", False), given.get("sessions", [])
    files = [str(given.get(name, "")) for name in ("faces_file", "key_file")]
    if not isinstance(is_on, bool):
        raise InvalidConfig(f"is_on is {is_on!r}: give true or false")
    if not isinstance(sessions, list) or not all(isinstance(session, str) for session in sessions):
        raise InvalidConfig("sessions is a list of session ids")
    if not all(files):
        raise InvalidConfig("faces_file and key_file name two files: where the faces are, and the key to them")
    faces_file, key_file = (folder / file for file in files)
    return Config(faces_file, key_file, is_on, tuple(sessions))
