"""A tool: what it takes, which role may call it, and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from vigil.contract.api_keys import KeyRole
from vigil_gateway.ports import Ports


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG, and what is to be known of it."""

    jpeg: bytes
    words: str


Answer = dict[str, Any] | Picture
Run = Callable[[Ports, str, Any], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Tool:
    """`run` is given the ports, the caller's tenant and the arguments as `takes`. One that `ends` something cannot be
    undone by another call."""

    name: str
    title: str
    description: str
    takes: type[BaseModel]
    run: Run
    needed: KeyRole = KeyRole.VIEWER
    ends: bool = False

    @property
    def is_act(self) -> bool:
        """Whether it changes something."""
        return self.needed is not KeyRole.VIEWER
