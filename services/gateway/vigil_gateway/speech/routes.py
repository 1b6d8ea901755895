"""`GET /v1/sessions/{id}/audio`: who may open the WebSocket of a session's sound, and how it is closed."""

import structlog
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from vigil.runtime.process.logs import get_log
from vigil_gateway.api.errors import NoSpeech
from vigil_gateway.live.events import LiveEvents, listening
from vigil_gateway.live.feed import speech_topics
from vigil_gateway.live.outflow import CLIENT_GONE
from vigil_gateway.ports import Ports, session_key
from vigil_gateway.speech.talk import DOOR, Talk, channels_of
from vigil_gateway.websocket.handshake import accept, close, deny, holder_of

log = get_log()

router = APIRouter(prefix="/v1/sessions/{session}")


@router.websocket("/audio")
async def open_audio(websocket: WebSocket, session: str) -> None:
    """Send the sound of a microphone; get what the session speaks, what was said to it, and whether somebody speaks."""
    ports: Ports = websocket.app.state.ports
    try:
        holder = await holder_of(ports, websocket)
        ports.rates.count(holder, DOOR)
        structlog.contextvars.bind_contextvars(tenant=holder.tenant)
        key = await session_key(ports, holder.tenant, session)
        spec = await ports.store.spec(key)
        if not (spec.hearing.is_on or spec.voice.is_on):
            raise NoSpeech(key.session)
        async with (
            channels_of(ports.bus, spec.key) as channels,
            listening(ports, spec, wanted=speech_topics(spec.key)) as events,
        ):
            await accept(websocket, DOOR)
            log.info("sound opened")
            reason = await _served(Talk(ports, spec, holder, websocket, channels), events)
            log.info("sound closed", reason=reason or "the client left")
            if reason != CLIENT_GONE:
                await close(websocket, ports)
    except Exception as error:
        if websocket.application_state is not WebSocketState.CONNECTING:
            raise
        await deny(websocket, DOOR, error)


async def _served(talk: Talk, events: LiveEvents) -> str:
    try:
        return await talk.run(events)
    except WebSocketDisconnect:
        return CLIENT_GONE
