"""The kind `openai`: chat completions of any OpenAI-compatible server.

Such a model follows instructions, whatever the session's own weights are: it is told in the words of `harness`.
"""

import base64
from typing import Any

from vigil.core.message import Image, Message, Text
from vigil.core.profile import HARNESS
from vigil_memory.prompt import messages
from vigil_memory.summarisers.http_client import HttpClient
from vigil_memory.summarisers.port import SummariserError, SummaryTask

_THOUGHTS = 4  # a model that thinks before it writes spends tokens on that, too


class ChatSummariser:
    """Asks the chat model at `url`, the root of its API."""

    def __init__(self, client: HttpClient, url: str, model: str) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._model = model

    async def write(self, task: SummaryTask) -> str:
        """See `Summariser`."""
        pixels = {picture.uuid: picture.jpeg for picture in task.pictures}
        body = {
            "model": self._model,
            "messages": [_message(message, pixels) for message in messages(HARNESS, task)],
            "max_tokens": _THOUGHTS * task.request.max_tokens,
            "temperature": 0.3,
        }
        return _content(await self._client.post(self._url, body, task.deadline_s))


def _message(message: Message, pixels: dict[str, bytes]) -> dict[str, Any]:
    if message.role == "system":
        return {"role": "system", "content": "".join(part.text for part in message.parts if isinstance(part, Text))}
    return {"role": message.role, "content": [_part(part, pixels) for part in message.parts]}


def _part(part: Text | Image, pixels: dict[str, bytes]) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    jpeg = base64.b64encode(pixels[part.ref.uuid]).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{jpeg}"}}


def _content(answer: Any) -> str:
    match answer:
        case {"choices": [{"message": {"content": str(text)}}, *_]}:
            return text
        case {"choices": [{"message": {"content": None}}, *_]}:
            return ""
    raise SummariserError("the summariser's answer is no chat completion: check VIGIL_SUMMARISER_URL", "invalid")
