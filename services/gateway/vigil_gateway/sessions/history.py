"""What a session has decided so far."""

from typing import Annotated

from fastapi import APIRouter, Query

from vigil_gateway.api.models.history import HistoryOut
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.sessions.views import exchange_out, recalled_with, turn_out

MAX_TURNS = 1_000

router = APIRouter(prefix="/v1/sessions/{session}", tags=["sessions"])

Limit = Annotated[int, Query(ge=1, le=MAX_TURNS, description="At most so many turns, the newest ones")]


@router.get("/history")
async def show_history(ports: PortsOf, key: Key, limit: Limit = 100) -> HistoryOut:
    """The last turns, oldest first, and the questions that were asked. The last 1,000 turns are kept."""
    await ports.store.spec(key)
    turns = await ports.store.log(key, limit)
    state = await ports.store.history(key)
    return HistoryOut(
        session=key.session,
        turns=[turn_out(turn) for turn in turns],
        dialogue=[exchange_out(exchange, recalled_with(state, exchange)) for exchange in state.dialogue],
    )
