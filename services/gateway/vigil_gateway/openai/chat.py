"""The OpenAI-compatible door: one turn per call, for clients of other runtimes of such models."""

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Request, Response

from vigil.contract.decision import StoredDecision
from vigil.core.command import Ask, Reset
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.errors import SessionEnded
from vigil.runtime.session.inbox import submit
from vigil.runtime.store.turn_lease import TurnLease
from vigil_gateway.api.errors import NotServed
from vigil_gateway.api.turn_errors import AlreadyBegun, NoSuchModel
from vigil_gateway.openai.attempt import Attempted
from vigil_gateway.openai.fields import IGNORED_HEADER
from vigil_gateway.openai.models import ChatIn, ChatOut, ModelList, ModelOut, ResetOut, VigilIn
from vigil_gateway.openai.turn import OTHER_SESSION_HEADER, SESSION_HEADER, Named, Said, chat_out, said, session_of
from vigil_gateway.ports import Ports, PortsOf, Tenant, session_key
from vigil_gateway.pushed import push
from vigil_gateway.pushed.data_url import decoded
from vigil_gateway.pushed.deadline import Deadline
from vigil_gateway.pushed.fitting import fitted_in_thread
from vigil_gateway.pushed.named_session import in_turn_of_name
from vigil_gateway.pushed.repeat import Sent, answered, recognised, sent
from vigil_gateway.sessions.capacity import check_served
from vigil_gateway.sessions.commands import first_commands, new_id
from vigil_gateway.sessions.opening import begin_pushed
from vigil_gateway.sessions.session_id import may_begin
from vigil_gateway.sessions.spec import pushed_spec

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

_STARTED_S = int(time.time())
_SESSION = "Session of the turn, of your choice: its first turn begins it, and after its end the next turn another one"


async def _named_session(
    tenant: Tenant,
    header: Annotated[str | None, Header(alias=SESSION_HEADER, description=_SESSION)] = None,
    other_header: Annotated[str | None, Header(alias=OTHER_SESSION_HEADER, include_in_schema=False)] = None,
) -> Named:
    named = session_of(tenant, header, other_header)
    structlog.contextvars.bind_contextvars(session=named.key.session)
    return named


NamedSession = Annotated[Named, Depends(_named_session)]


@router.post("/chat/completions")
async def complete(
    ports: PortsOf, named: NamedSession, body: ChatIn, attempt: Attempted, request: Request, response: Response
) -> ChatOut:
    """One turn: the picture (and the question) of the last user message in, the model's decision out.

    The session's first call begins it. It remembers its history by itself: earlier messages, system messages and
    sampling parameters are not used. The answer's content is the control form: `</silence>`, `</response> words` or
    `</response> note </delegation> question`; `vigil` has it taken apart. Send a question once, when it is new.
    The request's `vigil` may hold the picture's time, for a recording that is shown faster or slower than it was
    taken, and with the first call what to watch for.

    A call that is sent again, with the same `time_s`, picture and question or the same `Idempotency-Key`, gets its
    decision once more; where its turn was dropped it is shown again. An error that is not to be sent again says so in
    the header `x-should-retry`.
    """
    time_s = body.vigil.time_s if body.vigil else None
    request.state.is_of_now = time_s is None
    message, deadline = said(body), Deadline.of_now(ports.settings.turn_deadline_s)
    urls = [url.encode() for url in message.pictures]
    pushed = sent(urls, time_s, attempt.key, question=message.text, is_again=attempt.number > 0)
    async with in_turn_of_name(ports, named.key) as lease:
        decision, spec = await _turn(ports, lease, named, body, message, pushed, deadline)
    response.headers[SESSION_HEADER] = named.header
    if message.ignored:
        response.headers[IGNORED_HEADER] = message.ignored
    return chat_out(decision, spec.model)


@router.get("/models")
async def list_models(ports: PortsOf, tenant: Tenant) -> ModelList:
    """The models that a session can have, the usual one first."""
    return ModelList(data=[_model(name) for name in await _models(ports)])


@router.get("/models/{model:path}")
async def show_model(ports: PortsOf, tenant: Tenant, model: str) -> ModelOut:
    """One model that a session can have."""
    served = await _models(ports)
    if model not in served:
        names = " or ".join(repr(name) for name in served)
        raise NoSuchModel(f"this deployment serves the model {names}, not {model[:80]!r}")
    return _model(model)


@router.post("/streaming/reset")
async def reset(ports: PortsOf, named: NamedSession) -> ResetOut:
    """Forget the session's history and dialogue from its next turn on; instructions and watches stay. Where the session
    has no turn yet, or has ended, the next turn begins one without history: then there is nothing to forget."""
    key = await session_key(ports, named.key.tenant, named.key.session)
    try:
        look = await push.found(ports, key)
    except SessionEnded:
        if not may_begin(named.key.session):
            raise
        look = None
    if look is not None:
        await submit(ports, key, Reset())
    return ResetOut(session=named.name)


async def _models(ports: Ports) -> list[str]:
    """The names of the models that a session can have, the usual one first."""
    usual, served = ports.settings.model, (await ports.placement.capacity(Role.INTERACTION)).models
    return [usual, *(name for name in served if name != usual)]


def _model(name: str) -> ModelOut:
    return ModelOut(id=name, created=_STARTED_S)


async def _turn(
    ports: Ports, lease: TurnLease, named: Named, body: ChatIn, message: Said, pushed: Sent, deadline: Deadline
) -> tuple[StoredDecision, SessionSpec]:
    """Everything is checked before anything is changed: a picture that cannot be read begins no session."""
    key = lease.key
    look = push.checked(key, lease.look)
    decision = await answered(ports, lease, pushed)
    if look is not None and decision is not None:
        return decision, look.spec
    own = body.vigil or VigilIn()
    spec = look.spec if look else await _new_spec(ports, key, named, body.model)
    if body.model != spec.model:
        raise NoSuchModel(f"this session has the model {spec.model!r}, not {body.model[:80]!r}")
    given = first_commands(own.watches or (), own.instructions or ())
    if look and given and recognised(lease, pushed) is None:
        raise AlreadyBegun(f"session {key.session} has begun without these watches and instructions")
    question = Ask(new_id("q"), message.text) if message.text else None
    pictures = await fitted_in_thread([decoded(url) for url in message.pictures], spec.profile, ports.pixels, deadline)
    if look is None:
        await begin_pushed(ports, spec, (*given, question) if question else given)
    elif question:
        question = await push.ask(ports, key, look.waiting.commands, question)
    return await push.turn(ports, lease, pictures, question, pushed, deadline), spec


async def _new_spec(ports: Ports, key: SessionKey, named: Named, model: str) -> SessionSpec:
    served = await _served(ports, model)
    return pushed_spec(ports.settings, key, served, source_id=named.key.session, name=named.name)


async def _served(ports: Ports, model: str) -> str:
    try:
        await check_served(ports.placement, model, ports.settings.model)
    except NotServed as error:
        raise NoSuchModel(str(error)) from None
    return model
