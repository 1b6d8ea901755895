"""Standing instructions of a session: listed, added, replaced, cleared. Each reaches the model at the next turn."""

from fastapi import APIRouter, status

from vigil.core.command import Clear, Instruct
from vigil.core.instruction import Instruction
from vigil.runtime.session.inbox import submit
from vigil_gateway.api.models.base import Accepted
from vigil_gateway.api.models.standing import InstructionIn, InstructionList
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.sessions.commands import add_standing, all_standing, new_id, one_standing
from vigil_gateway.sessions.views import instruction_out

router = APIRouter(prefix="/v1/sessions/{session}/instructions", tags=["instructions"])


@router.get("")
async def list_instructions(ports: PortsOf, key: Key) -> InstructionList:
    """Standing instructions that are not watches, oldest first."""
    found = await all_standing(ports, key)
    plain = [instruction_out(standing) for standing in found if standing.instruction.watch is None]
    return InstructionList(instructions=plain)


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def add_instruction(ports: PortsOf, key: Key, body: InstructionIn) -> Accepted:
    """Add a standing instruction."""
    new = Instruction(new_id("i"), body.text, brain=body.brain)
    await add_standing(ports, key, new)
    return Accepted(id=new.id, session=key.session)


@router.put("/{instruction_id}", status_code=status.HTTP_202_ACCEPTED)
async def replace_instruction(ports: PortsOf, key: Key, instruction_id: str, body: InstructionIn) -> Accepted:
    """Replace a standing instruction: the model is told to forget the old one and given the new one."""
    old = await one_standing(ports, key, instruction_id, watch=False)
    await submit(ports, key, Instruct(Instruction(old.id, body.text, brain=body.brain)))
    return Accepted(id=old.id, session=key.session)


@router.delete("/{instruction_id}", status_code=status.HTTP_202_ACCEPTED)
async def clear_instruction(ports: PortsOf, key: Key, instruction_id: str) -> Accepted:
    """End a standing instruction."""
    old = await one_standing(ports, key, instruction_id, watch=False)
    await submit(ports, key, Clear(old.id))
    return Accepted(id=old.id, session=key.session)
