"""Tools that a model may call: what they are called, what they take, and whether they change anything."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `schema` is the JSON schema of its arguments. One that is not `is_read_only` needs an approval for each
    call."""

    name: str
    description: str
    schema: Mapping[str, Any]
    is_read_only: bool = False

    def as_function(self) -> dict[str, Any]:
        """As chat completions name it."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.schema)}
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for."""

    id: str
    tool: str
    arguments: Mapping[str, Any]


class Toolbox(Protocol):
    """Tools, and how they are called."""

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools that there are at the moment."""
        ...

    async def call(self, call: ToolCall) -> str:
        """The tool's result as text, or what went wrong in words for the model. Never raises for a tool's failure."""
        ...


# Opens the tools for one task, and closes them with it.
OpenTools = Callable[[], AbstractAsyncContextManager[Toolbox]]


class _Empty:
    tools: Sequence[Tool] = ()

    async def call(self, call: ToolCall) -> str:
        return f"There is no tool {call.tool}."


@asynccontextmanager
async def no_tools() -> AsyncIterator[Toolbox]:
    """No tools at all."""
    yield _Empty()
