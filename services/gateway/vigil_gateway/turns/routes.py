"""What was decided in a session, turn by turn."""

from typing import Annotated

from fastapi import APIRouter, Query

from vigil.contract.decision import decision_json
from vigil_gateway.api.models.history import DecisionOut
from vigil_gateway.api.models.turns import TurnList
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.turns.decisions import decisions_before
from vigil_gateway.turns.paths import MAX_SEQUENCE

MAX_TURNS = 500

router = APIRouter(prefix="/v1/sessions/{session}/turns", tags=["turns"])

Limit = Annotated[int, Query(ge=1, le=MAX_TURNS, description="At most so many")]
Before = Annotated[
    int | None,
    Query(ge=0, le=MAX_SEQUENCE, description="Only turns before the one of this sequence: the `next` of an answer"),
]


@router.get("")
async def list_turns(ports: PortsOf, key: Key, limit: Limit = 100, before: Before = None) -> TurnList:
    """What was decided, newest turn first. Decisions are kept for a day, those of a session until an hour after it
    ended."""
    page = await decisions_before(ports.bus, await ports.store.spec(key), before, limit)
    turns = [DecisionOut.model_validate(decision_json(decision)) for decision in page.found]
    return TurnList(session=key.session, turns=turns, next=turns[-1].sequence if page.has_more else None)
