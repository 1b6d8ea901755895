"""Questions to the model, and the order to forget."""

from fastapi import APIRouter, status

from vigil.core.command import Reset
from vigil.runtime.session.inbox import submit
from vigil_gateway.api.models.base import Accepted
from vigil_gateway.api.models.standing import QueryIn
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.sessions import commands

router = APIRouter(prefix="/v1/sessions/{session}", tags=["sessions"])


@router.post("/queries", status_code=status.HTTP_202_ACCEPTED)
async def ask(ports: PortsOf, key: Key, body: QueryIn) -> Accepted:
    """Ask about what the camera shows. The answer comes as an `utterance` event, or not at all: the model decides."""
    return Accepted(id=await commands.ask(ports, key, body.text, body.brain), session=key.session)


@router.post("/reset", status_code=status.HTTP_202_ACCEPTED)
async def reset(ports: PortsOf, key: Key) -> Accepted:
    """Forget the history and the dialogue and close open alerts. Instructions and watches stay."""
    await submit(ports, key, Reset())
    return Accepted(id=commands.new_id("r"), session=key.session)
