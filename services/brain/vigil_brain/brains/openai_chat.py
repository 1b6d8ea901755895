"""The kind `openai`: chat completions of any OpenAI-compatible server (vLLM, llama.cpp, Ollama, a cloud), streamed.

With a toolbox the model may call tools, for some rounds; a tool that is not marked read-only needs an approval first.
Closing the connection is how such a server is told to stop.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from vigil_brain.brains.answer_text import without_thoughts
from vigil_brain.brains.bounded import BoundedText, Flooded
from vigil_brain.brains.http_client import HttpClient, http_session, in_time, json_object, shortened
from vigil_brain.brains.mcp_tools import mcp_tools
from vigil_brain.brains.port import Action, Answer, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.prompt import (
    ANSWER_PROMPT,
    Example,
    data_url,
    fenced,
    newest,
    picture_label,
    system_text,
    user_text,
)
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.brains.tool_server import ToolServer
from vigil_brain.brains.toolbox import OpenTools, Toolbox, ToolCall, no_tools

MAX_ROUNDS = 8
MAX_CALLS_A_ROUND = 8
MAX_ARGUMENT_CHARS = 100_000


class OpenAISettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. `url` is the API's root, which ends in `/v1` for most. `pictures` is how many of
    the newest the model is shown: 0 for one that cannot see. `tools` are MCP servers whose tools it may call."""

    url: str
    model: str
    pictures: Annotated[int, msgspec.Meta(ge=0, le=64)] = 4
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1_024
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    tools: Annotated[list[ToolServer], msgspec.Meta(max_length=8)] = []


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How the model is asked. It is shown `examples` as turns of the chat before the question. `grammar` holds its
    answer to a form, in llama.cpp's notation (GBNF): for its server alone, others refuse or ignore the field."""

    model: str
    timeout_s: float = 120.0
    pictures: int = 4
    max_tokens: int = 1_024
    temperature: float | None = None
    prompt: str = ANSWER_PROMPT
    examples: Sequence[Example] = ()
    grammar: str = ""


@dataclass(slots=True)
class _Reply:
    """One answer of the model while it comes."""

    text: BoundedText
    calls: dict[int, dict[str, str]]
    is_finished: bool = False


class OpenAIBrain:
    """Asks a chat model, and runs the tools that it calls."""

    def __init__(self, client: HttpClient, options: ChatOptions, open_tools: OpenTools = no_tools) -> None:
        self._client = client
        self._options = options
        self._open_tools = open_tools

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._options.timeout_s, task.deadline_s)), self._open_tools() as toolbox:
            messages = self._messages(task)
            for _ in range(MAX_ROUNDS):
                reply = await self._ask(messages, toolbox)
                if not reply.calls:
                    return _answer(reply)
                messages.append(_assistant(reply))
                for call in _calls(reply):
                    content = await _run(toolbox, call, told)
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": content})
        raise BrainError(f"the brain called tools {MAX_ROUNDS} times and still had no answer")

    def _messages(self, task: BrainTask) -> list[dict[str, Any]]:
        pictures = newest(task.pictures, self._options.pictures)
        text = user_text(task)
        content: str | list[dict[str, Any]] = text
        if pictures:
            content = [{"type": "text", "text": text}]
            for picture in pictures:
                content.append({"type": "text", "text": picture_label(picture)})
                content.append({"type": "image_url", "image_url": {"url": data_url(picture)}})
        system = system_text(task, self._options.prompt)
        messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
        for example in self._options.examples:
            messages.append({"role": "user", "content": example.question})
            messages.append({"role": "assistant", "content": example.answer})
        return [*messages, {"role": "user", "content": content}]

    async def _ask(self, messages: list[dict[str, Any]], toolbox: Toolbox) -> _Reply:
        reply = _Reply(BoundedText(), {})
        async with self._client.response("POST", "/chat/completions", self._body(messages, toolbox)) as response:
            if "text/event-stream" not in response.headers.get("Content-Type", ""):
                _take_whole(reply, json_object(await self._client.whole(response)))
                return reply
            try:
                async for event in self._client.events(response):
                    if event.data.strip() == "[DONE]":
                        reply.is_finished = True
                        break
                    _take(reply, json_object(event.data))
                    if reply.text.was_cut:
                        break
            except Flooded:
                reply.text.cut()
        if not reply.is_finished and not reply.text.was_cut:
            raise BrainError("the brain broke off in the middle of its answer", is_transient=True)
        return reply

    def _body(self, messages: list[dict[str, Any]], toolbox: Toolbox) -> dict[str, Any]:
        options = self._options
        body: dict[str, Any] = {
            "model": options.model,
            "messages": messages,
            "stream": True,
            "max_tokens": options.max_tokens,
        }
        if options.temperature is not None:
            body["temperature"] = options.temperature
        if options.grammar:
            body["grammar"] = options.grammar
        if toolbox.tools:
            body["tools"] = [tool.as_function() for tool in toolbox.tools]
        return body


async def _run(toolbox: Toolbox, call: ToolCall, told: Told) -> str:
    """What the model is told of a tool call: its result as data, or why there is none."""
    tool = next((tool for tool in toolbox.tools if tool.name == call.tool), None)
    if tool is None:
        return f"There is no tool {shortened(call.tool)!r}."
    await told.progress(f"uses {tool.name}")
    if not tool.is_read_only:
        summary = f"{tool.name}: {shortened(tool.description or 'no description')}"
        if not await told.approve(Action(tool.name, call.arguments, summary)):
            return "The operator did not allow this call. Answer without it, and say that it was not allowed."
    return fenced(await toolbox.call(call))


@asynccontextmanager
async def open_openai(settings: OpenAISettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """A chat model at `settings.url`."""
    options = ChatOptions(settings.model, spec.timeout_s, settings.pictures, settings.max_tokens, settings.temperature)
    open_tools = mcp_tools(settings.tools, spec.trusted) if settings.tools else no_tools
    async with http_session(spec.trusted) as http:
        yield OpenAIBrain(HttpClient(http, settings.url, spec.key), options, open_tools)


def _take(reply: _Reply, chunk: dict[str, Any]) -> None:
    """Add one piece of a streamed answer."""
    if error := chunk.get("error"):
        said = error.get("message") if isinstance(error, dict) else error
        raise BrainError(f"the brain failed in the middle of its answer ({shortened(said)})", is_transient=True)
    for choice in _objects(chunk.get("choices"))[:1]:
        _take_message(reply, choice.get("delta"))
        if choice.get("finish_reason"):
            reply.is_finished = True


def _take_whole(reply: _Reply, body: dict[str, Any]) -> None:
    """Take an answer of a server that does not stream."""
    choices = _objects(body.get("choices"))
    if not choices:
        raise BrainError("the brain sent an answer without choices: is its url that of an OpenAI-compatible API?")
    _take_message(reply, choices[0].get("message"))
    reply.is_finished = True


def _take_message(reply: _Reply, message: object) -> None:
    if not isinstance(message, dict):
        return
    if isinstance(content := message.get("content"), str):
        reply.text.append(content)
    for place, piece in enumerate(_objects(message.get("tool_calls"))):
        index = piece.get("index", place)
        if not isinstance(index, int) or (index not in reply.calls and len(reply.calls) >= MAX_CALLS_A_ROUND):
            continue
        call = reply.calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        function = piece.get("function")
        given = {"id": piece.get("id"), **(function if isinstance(function, dict) else {})}
        for key in call:
            if isinstance(value := given.get(key), str):
                call[key] += value
        if len(call["arguments"]) > MAX_ARGUMENT_CHARS:
            raise BrainError(f"the brain called a tool with more than {MAX_ARGUMENT_CHARS:,} characters of arguments")


def _objects(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _calls(reply: _Reply) -> Iterable[ToolCall]:
    for place, call in sorted(reply.calls.items()):
        try:
            arguments = json.loads(call["arguments"] or "{}")
        except (ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            raise BrainError(f"the brain called the tool {shortened(call['name'])!r} with arguments that are no JSON")
        yield ToolCall(call["id"] or f"call-{place}", call["name"], arguments)


def _assistant(reply: _Reply) -> dict[str, Any]:
    calls = [
        {
            "id": call["id"] or f"call-{place}",
            "type": "function",
            "function": {"name": call["name"], "arguments": call["arguments"] or "{}"},
        }
        for place, call in sorted(reply.calls.items())
    ]
    return {"role": "assistant", "content": reply.text.text or None, "tool_calls": calls}


def _answer(reply: _Reply) -> Answer:
    text = without_thoughts(reply.text.text)
    if not text:
        raise BrainError("the brain answered nothing: raise its max_tokens, or ask another model")
    return Answer(text, was_cut=reply.text.was_cut)
