"""Watches of a session: standing instructions that raise alerts."""

from fastapi import APIRouter, status

from vigil.core.command import Clear, Instruct
from vigil.runtime.session.inbox import submit
from vigil_gateway.api.models.base import Accepted
from vigil_gateway.api.models.standing import WatchIn, WatchList
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.sessions.commands import add_standing, all_standing, new_id, one_standing
from vigil_gateway.sessions.spec import watch_of
from vigil_gateway.sessions.views import watch_out

router = APIRouter(prefix="/v1/sessions/{session}/watches", tags=["watches"])


@router.get("")
async def list_watches(ports: PortsOf, key: Key) -> WatchList:
    """The session's watches, oldest first."""
    found = await all_standing(ports, key)
    return WatchList(watches=[watch_out(standing) for standing in found if standing.instruction.watch is not None])


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def add_watch(ports: PortsOf, key: Key, body: WatchIn) -> Accepted:
    """Add a watch."""
    new = watch_of(new_id("w"), body)
    await add_standing(ports, key, new)
    return Accepted(id=new.id, session=key.session)


@router.put("/{watch_id}", status_code=status.HTTP_202_ACCEPTED)
async def replace_watch(ports: PortsOf, key: Key, watch_id: str, body: WatchIn) -> Accepted:
    """Replace a watch. With unchanged text only its severity and times change, and the model is told nothing."""
    old = await one_standing(ports, key, watch_id, watch=True)
    await submit(ports, key, Instruct(watch_of(old.id, body)))
    return Accepted(id=old.id, session=key.session)


@router.delete("/{watch_id}", status_code=status.HTTP_202_ACCEPTED)
async def clear_watch(ports: PortsOf, key: Key, watch_id: str) -> Accepted:
    """End a watch; an open alert of it is closed."""
    old = await one_standing(ports, key, watch_id, watch=True)
    await submit(ports, key, Clear(old.id))
    return Accepted(id=old.id, session=key.session)
