"""`POST /v1/sessions/{id}/say`: an operator has the session say something aloud."""

import asyncio
import time

from fastapi import APIRouter, status
from pydantic import Field

from vigil.contract.events.announcements import announcement_outgoing
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.errors import SessionEnded
from vigil.runtime.placement.leases import Placement
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway.api.errors import NotSpeaking, NoVoice
from vigil_gateway.api.models.base import Accepted, In, Text
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.sessions.commands import new_id

# A worker takes a new session up within a second, and one of a worker that was killed when its lease has run out.
VOICE_WAIT_S = 3.0
_ASK_AGAIN_S = 0.25

router = APIRouter(prefix="/v1/sessions/{session}", tags=["speech"])


class AnnouncementIn(In):
    """What the session is to say."""

    text: Text = Field(description="The words", examples=["Please leave the building by the nearest exit."])


@router.post("/say", status_code=status.HTTP_202_ACCEPTED)
async def say(ports: PortsOf, key: Key, body: AnnouncementIn) -> Accepted:
    """Have the session say this aloud, as an announcement of yours: the model neither says nor hears it. It waits while
    something else is spoken, at most 5 s; a newer one takes its place. Where no voice is there within 3 s, as right
    after the session was opened, it is refused (`no_voice`). `speech` events tell what became of it: their
    `utterance` ends with the id of this answer."""
    look = await ports.store.look(key)
    if look.ended is not None:
        raise SessionEnded.because(key, look.ended.reason)
    if not look.spec.voice.is_on:
        raise NotSpeaking(key.session)
    if not await _voice_comes(ports.placement, key):
        ended = await ports.store.ended(key)
        raise NoVoice(key.session) if ended is None else SessionEnded.because(key, ended.reason)
    announcement = new_id("say")
    outgoing = announcement_outgoing(key, announcement, body.text, now_us())
    await ports.bus.publish(outgoing.subject, outgoing.payload)
    return Accepted(id=announcement, session=key.session)


async def _voice_comes(placement: Placement, key: SessionKey) -> bool:
    """Whether a tts worker hears what the session is to say, within `VOICE_WAIT_S` seconds: nobody keeps an
    announcement for one that comes later."""
    end_s = time.monotonic() + VOICE_WAIT_S
    while not await placement.is_heard(Role.TTS, key):
        if time.monotonic() >= end_s:
            return False
        await asyncio.sleep(_ASK_AGAIN_S)
    return True
