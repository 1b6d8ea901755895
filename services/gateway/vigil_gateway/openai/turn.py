"""What a chat request says and what a decision answers, as values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigil.contract.decision import StoredDecision, decision_json
from vigil.core.control import Output
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil_gateway.api.models.history import DecisionOut
from vigil_gateway.api.turn_errors import ChatUnsupported, NothingShown, SessionHeaderInvalid
from vigil_gateway.openai.models import (
    CachedTokens,
    ChatChoice,
    ChatIn,
    ChatMessage,
    ChatOut,
    ChatPart,
    ChatReply,
    ChatUsage,
)

MAX_PICTURES = 8
SESSION_HEADER, OTHER_SESSION_HEADER = "x-session-id", "x-streaming-session"


@dataclass(frozen=True, slots=True)
class Said:
    """The user's last message: data URLs of its pictures, and its text."""

    pictures: tuple[str, ...]
    text: str


def session_of(tenant: str, header: str | None, other_header: str | None) -> SessionKey:
    """The session that the headers name, within the caller's tenant. There is no default session."""
    named = {name for name in (header, other_header) if name}
    if not named:
        raise SessionHeaderInvalid(f"the request names no session in its header {SESSION_HEADER}")
    if len(named) > 1:
        raise SessionHeaderInvalid(f"{SESSION_HEADER} and {OTHER_SESSION_HEADER} name different sessions")
    try:
        return SessionKey(tenant, named.pop())
    except InvalidToken as error:
        raise SessionHeaderInvalid(str(error)) from None


def said(body: ChatIn) -> Said:
    """What the user shows and says in a request. Raises `ChatUnsupported`, `NothingShown`."""
    if body.stream or body.n != 1:
        raise ChatUnsupported("a turn is answered whole and once: leave out stream and n")
    last = next((message for message in reversed(body.messages) if message.role == "user"), None)
    parts = _parts(last) if last else []
    pictures = tuple(_url(part) for part in parts if part.type == "image_url")
    if not 1 <= len(pictures) <= MAX_PICTURES:
        raise NothingShown(f"the last user message has {len(pictures)} pictures: send 1 to {MAX_PICTURES}")
    return Said(pictures, "\n".join(part.text for part in parts if part.type == "text").strip())


def chat_out(decision: StoredDecision, model: str) -> ChatOut:
    """A decision as a chat completion."""
    output = Output(decision.action, decision.text, decision.question)
    usage = ChatUsage(
        prompt_tokens=decision.prompt_tokens,
        completion_tokens=decision.completion_tokens,
        total_tokens=decision.prompt_tokens + decision.completion_tokens,
        prompt_tokens_details=CachedTokens(cached_tokens=decision.cached_tokens),
    )
    return ChatOut(
        id=f"chatcmpl-{decision.key.session}-{decision.sequence}",
        created=decision.emit_time_us // 1_000_000,
        model=model,
        choices=[ChatChoice(message=ChatReply(content=output.reply))],
        usage=usage,
        vigil=DecisionOut.model_validate(decision_json(decision)),
    )


def _parts(message: ChatMessage) -> Sequence[ChatPart]:
    content = message.content or []
    return [ChatPart(type="text", text=content, image_url=None)] if isinstance(content, str) else content


def _url(part: ChatPart) -> str:
    found = part.image_url.get("url") if isinstance(part.image_url, dict) else part.image_url
    return found if isinstance(found, str) else ""
