"""Sessions: asked for, listed, changed, ended."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.errors import StoreCorrupt, UnknownSession
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.lifecycle import announce_change
from vigil_gateway.api.models.sessions import SessionDetail, SessionIn, SessionList, SessionOut, SessionPatch
from vigil_gateway.ports import Key, Ports, PortsOf, Tenant
from vigil_gateway.sessions.capacity import check_context, take_place
from vigil_gateway.sessions.erasing import erase_for_client
from vigil_gateway.sessions.lifecycle import end_for_client, ended_reason
from vigil_gateway.sessions.notices import notices_of
from vigil_gateway.sessions.opening import open_session
from vigil_gateway.sessions.spec import changed_spec
from vigil_gateway.sessions.status import roles_status, workers_of
from vigil_gateway.sessions.views import progress_out, session_out

log = get_log()

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

Erase = Annotated[bool, Query(description="Whether what is kept of the session is removed, too")]


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_session(ports: PortsOf, tenant: Tenant, body: SessionIn, response: Response) -> SessionOut:
    """Watch a source. It is opened once before the session is made, so a bad address is told at once."""
    spec = await open_session(ports, tenant, body)
    response.headers["Location"] = f"/v1/sessions/{spec.session}"
    return _shown(ports, spec, None)


@router.get("")
async def list_sessions(ports: PortsOf, tenant: Tenant) -> SessionList:
    """Your sessions: those that are open, and those that ended within the last hour."""
    keys = await ports.store.sessions(tenant)
    found = [await _view(ports, key) for key in keys]
    return SessionList(sessions=[session for session in found if session is not None])


@router.get("/{session}")
async def show_session(ports: PortsOf, key: Key) -> SessionDetail:
    """One session: as it was asked for, how far it is, and what each role says of it."""
    spec = await ports.store.spec(key)
    shown = _shown(ports, spec, await ended_reason(ports, key))
    return SessionDetail(
        **dict(shown),
        progress=progress_out(await ports.store.history(key)),
        status=await roles_status(ports.store, key),
        workers=await workers_of(ports.placement, key),
    )


@router.patch("/{session}")
async def change_session(ports: PortsOf, key: Key, body: SessionPatch) -> SessionOut:
    """Change what may change while the session runs; it takes effect from one of the next turns on. A session that is
    to hear or to speak from now on needs a worker that does so, which stays with it."""
    before = await ports.store.spec(key)
    wanted = changed_spec(before, body)
    if body.cadence.frames_per_turn is not None:
        await check_context(ports.placement, wanted)
    more = [role for role in wanted.roles if role not in before.roles]
    if more and await ports.store.ended(key) is None:
        await take_place(ports.placement, key, more)
    spec = await ports.store.change_spec(key, lambda before: changed_spec(before, body))
    await announce_change(ports.bus, spec, "the client changed it")
    return _shown(ports, spec, await ended_reason(ports, key))


@router.delete("/{session}", status_code=status.HTTP_204_NO_CONTENT)
async def end_session(ports: PortsOf, key: Key, erase: Erase = False) -> None:
    """End a session. Its history stays readable for an hour. Ending it again changes nothing.

    With `erase` nothing of it stays: the pictures of its alerts and the files of its brains are removed at once, its
    history, memory and dialogue within a minute. A session that has ended can be erased, too. Events stay in their
    streams, where downstream systems read them.
    """
    await (erase_for_client(ports, key) if erase else end_for_client(ports, key))


def _shown(ports: Ports, spec: SessionSpec, ended: str | None) -> SessionOut:
    return session_out(spec, ended, notices_of(spec, ports.settings.rendered_sources))


async def _view(ports: Ports, key: SessionKey) -> SessionOut | None:
    """A session of the list; None when it was forgotten while the list was made, or cannot be read: that must not hide
    the others."""
    try:
        return _shown(ports, await ports.store.spec(key), await ended_reason(ports, key))
    except UnknownSession:
        return None
    except StoreCorrupt as error:
        log.error("session not read", session=key.session, error=str(error))
        return None
