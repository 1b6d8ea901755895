"""Opening a session for a client, through whichever door it came."""

import asyncio
import contextlib

from vigil.core.session import SessionSpec
from vigil.core.source import SourceKind
from vigil.runtime.process.logs import get_log
from vigil_gateway.http.models.sessions import SessionIn
from vigil_gateway.live.push import begin_pushed
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.capacity import check_capacity, check_served
from vigil_gateway.sessions.commands import first_commands
from vigil_gateway.sessions.lifecycle import begin, finish
from vigil_gateway.sessions.spec import new_spec

log = get_log()


async def open_session(ports: Ports, tenant: str, body: SessionIn) -> SessionSpec:
    """Check all that is asked for, then make the session. A camera is opened once before, so that a bad address is
    told at once.

    Raises `CoreError`, `NotServed`, `NoWorker`, `CapacityFull`, `SourceRefused`, `ProbeUnavailable` and what the ports
    raise.
    """
    spec = new_spec(ports.settings, tenant, body)
    commands = first_commands(body.watches, body.instructions)
    await check_served(ports.placement, spec.model, ports.settings.model)
    await check_capacity(ports.placement, spec.roles)
    if spec.source.kind is SourceKind.PUSHED:
        await begin_pushed(ports, spec, commands)
    else:
        await ports.probe.check(spec.source.url)
        await begin(ports, spec, commands)
    return spec


async def open_while_wanted(ports: Ports, tenant: str, body: SessionIn) -> SessionSpec:
    """`open_session` for a caller that may be cancelled: then the session is ended again, for nobody knows its id."""
    opening = asyncio.create_task(open_session(ports, tenant, body), name="open session")
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await finish(ports, await opening, "its client did not wait for it")
        raise
