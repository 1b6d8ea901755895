"""The kind `http`: a memory service of somebody else, asked with plain JSON. docs/memory.md says what is sent."""

import base64
from typing import Any

import msgspec

from vigil_memory.summarisers.http_client import HttpClient
from vigil_memory.summarisers.port import SummariserError, SummaryTask

_LEFT_OUT = ("frames", "due_us", "requested_at_us", "ttl_s", "model")


class ExternalSummariser:
    """Posts what is to be remembered to `url`; the answer is `{"text": "…"}`."""

    def __init__(self, client: HttpClient, url: str) -> None:
        self._client = client
        self._url = url

    async def write(self, task: SummaryTask) -> str:
        """See `Summariser`."""
        answer = await self._client.post(self._url, asked_of(task), task.deadline_s)
        match answer:
            case {"text": str(text)}:
                return text
        raise SummariserError("the memory service's answer has no `text`: see docs/memory.md", "invalid")


def asked_of(task: SummaryTask) -> dict[str, Any]:
    """The JSON of a task: the request as it is, its pictures as base64."""
    body: dict[str, Any] = msgspec.to_builtins(task.request)
    pictures = [
        {"time_ms": picture.time_ms, "jpeg": base64.b64encode(picture.jpeg).decode("ascii")}
        for picture in task.pictures
    ]
    kept = {name: value for name, value in body.items() if name not in _LEFT_OUT}
    return kept | {"pictures": pictures, "deadline_s": task.deadline_s}
