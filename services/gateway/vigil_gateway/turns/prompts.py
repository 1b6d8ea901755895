"""The exact prompt of a turn, rebuilt from the stored state: within a chunk nothing before a turn ever changes."""

from fastapi import APIRouter

from vigil.contract.api_keys import KeyRole
from vigil.core.ids import SessionKey
from vigil.core.message import Image, Message, Text
from vigil.core.profile import profile
from vigil.core.prompt import asked_for
from vigil_gateway.api.errors import TurnGone
from vigil_gateway.api.models.turns import ImagePart, MessageOut, PromptOut, TextPart
from vigil_gateway.ports import Key, Operator, PortsOf, taking
from vigil_gateway.turns.paths import Sequence, frame_path

router = APIRouter(prefix="/v1/sessions/{session}/turns", tags=["turns"])

Frames = dict[str, tuple[int, int]]


@router.get("/{sequence}/prompt", openapi_extra=taking(KeyRole.OPERATOR))
async def show_prompt(ports: PortsOf, holder: Operator, key: Key, sequence: Sequence) -> PromptOut:
    """All that the engine was sent for a turn, part by part, and the reply. Takes the role `operator`: the questions
    and instructions of everybody are in it. For turns that were asked in the current chunk; of others it is
    `turn_gone`."""
    spec = await ports.store.spec(key)
    chunk = (await ports.store.history(key)).chunk
    messages = asked_for(profile(spec.profile), chunk, sequence)
    if messages is None:
        raise TurnGone(sequence)
    frames: Frames = {
        frame.uuid: (turn.sequence, index) for turn in chunk.turns for index, frame in enumerate(turn.frames)
    }
    return PromptOut(
        session=key.session,
        sequence=sequence,
        chunk=chunk.number,
        profile=spec.profile,
        model=spec.model,
        messages=[_shown(key, message, frames) for message in messages],
        reply=next(turn.reply for turn in chunk.turns if turn.sequence == sequence),
    )


def _shown(key: SessionKey, message: Message, frames: Frames) -> MessageOut:
    return MessageOut(role=message.role, parts=[_part(key, part, frames) for part in message.parts])


def _part(key: SessionKey, part: Text | Image, frames: Frames) -> TextPart | ImagePart:
    if isinstance(part, Text):
        return TextPart(text=part.text)
    found = frames.get(part.ref.uuid)
    path = None if found is None else frame_path(key.session, *found)
    return ImagePart(uuid=part.ref.uuid, width=part.ref.width, height=part.ref.height, path=path)
