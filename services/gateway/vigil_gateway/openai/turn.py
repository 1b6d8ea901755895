"""What a chat request says and what a decision answers, as values. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigil.contract.decision import StoredDecision, decision_json
from vigil.core.control import Output
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil_gateway.api.models.history import DecisionOut
from vigil_gateway.api.turn_errors import NothingShown, SessionHeaderInvalid
from vigil_gateway.openai.fields import check_fields, check_parts, ignored
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
from vigil_gateway.sessions.session_id import id_of_name

MAX_PICTURES = 8
_TOLD = ("system", "developer", "tool", "function")  # roles that expect an effect, unlike the history
SESSION_HEADER, OTHER_SESSION_HEADER = "x-session-id", "x-streaming-session"


@dataclass(frozen=True, slots=True)
class Said:
    """The user's last message: data URLs of its pictures, and its text. `ignored` names what else the request has."""

    pictures: tuple[str, ...]
    text: str
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What a client calls its session, and the id that this name stands for. `header` is the name as it came."""

    name: str
    key: SessionKey
    header: str


def session_of(tenant: str, header: str | None, other_header: str | None) -> Named:
    """The session that the headers name, within the caller's tenant. There is no default session."""
    named = {name for name in (header, other_header) if name}
    if not named:
        raise SessionHeaderInvalid(f"the request names no session in its header {SESSION_HEADER}")
    if len(named) > 1:
        raise SessionHeaderInvalid(f"{SESSION_HEADER} and {OTHER_SESSION_HEADER} name different sessions")
    came = named.pop()
    name = _as_text(came)
    try:
        return Named(name, SessionKey(tenant, id_of_name(name)), came)
    except InvalidToken as error:
        raise SessionHeaderInvalid(str(error)) from None


def _as_text(header: str) -> str:
    """What a header says: the server reads Latin-1, and clients write UTF-8, as in a path."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def said(body: ChatIn) -> Said:
    """What the user shows and says in a request. Raises `ChatUnsupported`, `NothingShown`."""
    given = body.given()
    check_fields(given)
    last = next((message for message in reversed(body.messages) if message.role == "user"), None)
    parts = _parts(last) if last else []
    check_parts([part.type for part in parts])
    pictures = tuple(_url(part) for part in parts if part.type == "image_url")
    if not 1 <= len(pictures) <= MAX_PICTURES:
        raise NothingShown(f"the last user message has {len(pictures)} pictures: send 1 to {MAX_PICTURES}")
    text = "\n".join(part.text or "" for part in parts if part.type == "text").strip()
    unused = [message.role for message in body.messages if message is not last and message.role in _TOLD]
    return Said(pictures, text, ignored(given, unused))


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
