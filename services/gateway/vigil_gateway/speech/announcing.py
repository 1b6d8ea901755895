"""`POST /v1/sessions/{id}/say`: an operator has the session say something aloud."""

from fastapi import APIRouter, status
from pydantic import Field

from vigil.contract.events.announcements import announcement_outgoing
from vigil.runtime.errors import SessionEnded
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway.api.errors import NotSpeaking
from vigil_gateway.api.models.base import Accepted, In, Text
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.sessions.commands import new_id

router = APIRouter(prefix="/v1/sessions/{session}", tags=["speech"])


class AnnouncementIn(In):
    """What the session is to say."""

    text: Text = Field(description="The words", examples=["Please leave the building by the nearest exit."])


@router.post("/say", status_code=status.HTTP_202_ACCEPTED)
async def say(ports: PortsOf, key: Key, body: AnnouncementIn) -> Accepted:
    """Have the session say this aloud, as an announcement of yours: the model neither says nor hears it. It waits while
    something else is spoken, at most 5 s; a newer one takes its place. `speech` events tell what became of it: their
    `utterance` ends with the id of this answer."""
    look = await ports.store.look(key)
    if look.ended is not None:
        raise SessionEnded(key, f"session {key.session} has ended: {look.ended.reason}")
    if not look.spec.voice.is_on:
        raise NotSpeaking(key.session)
    announcement = new_id("say")
    outgoing = announcement_outgoing(key, announcement, body.text, now_us())
    await ports.bus.publish(outgoing.subject, outgoing.payload)
    return Accepted(id=announcement, session=key.session)
