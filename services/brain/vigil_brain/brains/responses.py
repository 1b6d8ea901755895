"""The kind `responses`: OpenAI's Responses API in background mode.

The work runs at the other end under an id, so nothing is lost when the connection is: the state is asked for again and
again, and cancelling the task cancels the response there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec

from vigil_brain.brains.answer_text import without_thoughts
from vigil_brain.brains.bounded import BoundedText
from vigil_brain.brains.http_client import HttpClient, cancelled_remotely, http_session, in_time, shortened
from vigil_brain.brains.port import Answer, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.prompt import ANSWER_PROMPT, data_url, newest, picture_label, system_text, user_text
from vigil_brain.brains.remote_id import remote_id
from vigil_brain.brains.spec import BrainSpec

POLL_FIRST_S = 0.25
POLL_MOST_S = 2.0
MAX_LOST_POLLS = 5
_GOING_ON = frozenset({"queued", "in_progress"})


class ResponsesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. `url` is the API's root, which ends in `/v1`. `pictures` is how many of the
    newest the model is shown."""

    url: str
    model: str
    pictures: Annotated[int, msgspec.Meta(ge=0, le=64)] = 4
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 4_096


class ResponsesBrain:
    """Creates a response in the background, and waits for it."""

    def __init__(self, client: HttpClient, settings: ResponsesSettings, timeout_s: float) -> None:
        self._client = client
        self._settings = settings
        self._timeout_s = timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._timeout_s, task.deadline_s)):
            response = await self._client.json("POST", "/responses", self._body(task))
            path = f"/responses/{remote_id(response.get('id'))}"
            async with cancelled_remotely(lambda: self._client.json("POST", f"{path}/cancel")):
                return _answer(await self._finished(path, response, told))

    async def _finished(self, path: str, response: dict[str, Any], told: Told) -> dict[str, Any]:
        """Ask until the response is not going on any more. A few polls in a row may fail."""
        wait_s, lost, said = POLL_FIRST_S, 0, ""
        while (status := response.get("status")) in _GOING_ON:
            if status != said:
                said = str(status)
                await told.progress("is queued" if status == "queued" else "is working")
            await asyncio.sleep(wait_s)
            wait_s = min(POLL_MOST_S, wait_s * 1.5)
            try:
                response = await self._client.json("GET", path)
                lost = 0
            except BrainError as error:
                lost += 1
                if not error.is_transient or lost > MAX_LOST_POLLS:
                    raise
        return response

    def _body(self, task: BrainTask) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "input_text", "text": user_text(task)}]
        for picture in newest(task.pictures, self._settings.pictures):
            content.append({"type": "input_text", "text": picture_label(picture)})
            content.append({"type": "input_image", "image_url": data_url(picture), "detail": "auto"})
        return {
            "model": self._settings.model,
            "instructions": system_text(task, ANSWER_PROMPT),
            "input": [{"role": "user", "content": content}],
            "background": True,
            "store": True,  # background mode asks for it: the state is kept until it is fetched
            "max_output_tokens": self._settings.max_tokens,
        }


@asynccontextmanager
async def open_responses(settings: ResponsesSettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """A model behind the Responses API at `settings.url`."""
    async with http_session(spec.trusted) as http:
        yield ResponsesBrain(HttpClient(http, settings.url, spec.key), settings, spec.timeout_s)


def _answer(response: dict[str, Any]) -> Answer:
    status = response.get("status")
    if status not in ("completed", "incomplete"):
        error = response.get("error")
        said = error.get("message") if isinstance(error, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        reason = f"the brain's response is {shortened(status)}" + (f" ({shortened(said)})" if said else "")
        raise BrainError(reason, is_transient=code in ("server_error", "rate_limit_exceeded"))
    text = BoundedText()
    for piece in _texts(response.get("output")):
        text.append(piece)
    if status == "incomplete":
        text.cut()
    found = without_thoughts(text.text)
    if not found:
        raise BrainError("the brain answered nothing: raise its max_tokens, or ask another model")
    return Answer(found, was_cut=text.was_cut)


def _texts(output: object) -> list[str]:
    """The texts of the messages in a response's output; what the model reasoned is no message."""
    messages = [item for item in _objects(output) if item.get("type") == "message"]
    parts = [part for message in messages for part in _objects(message.get("content"))]
    return [str(part.get("text", "")) for part in parts if part.get("type") == "output_text"]


def _objects(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
