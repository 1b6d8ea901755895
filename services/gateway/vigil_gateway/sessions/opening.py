"""Opening a session for a client, through whichever door it came."""

import contextlib
from collections.abc import Sequence

from vigil.core.command import Command
from vigil.core.session import SessionSpec
from vigil.core.source import SourceKind, has_address
from vigil.runtime.errors import AlreadyExists, PortError, StoreError
from vigil.runtime.process.cancellation import while_wanted
from vigil.runtime.process.logs import get_log
from vigil_gateway.api.errors import CapacityFull, NoWorker, TooManySessions
from vigil_gateway.api.models.sessions import SessionIn
from vigil_gateway.api.turn_errors import TurnInFlight
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.capacity import check_capacity, check_context, check_served
from vigil_gateway.sessions.commands import first_commands
from vigil_gateway.sessions.lifecycle import begin, finish
from vigil_gateway.sessions.spec import new_spec

log = get_log()


async def open_session(ports: Ports, tenant: str, body: SessionIn, more: Sequence[Command] = ()) -> SessionSpec:
    """Check all that is asked for, then make the session; it begins with `more` commands than those of the body. A
    camera is opened once before, so that a bad address is told at once. Where a client sends the pictures there is
    nothing to open.

    Raises `CoreError`, `NotServed`, `NoWorker`, `CapacityFull`, `SourceRefused`, `ProbeUnavailable` and what the ports
    raise.
    """
    spec = new_spec(ports.settings, tenant, body)
    commands = (*first_commands(body.watches, body.instructions), *more)
    await ports.quota.check(tenant)
    await check_served(ports.placement, spec.model, ports.settings.model)
    await check_context(ports.placement, spec)
    await check_capacity(ports.placement, spec.roles)
    if spec.source.kind is SourceKind.PUSHED:
        await begin_pushed(ports, spec, commands)
    else:
        if has_address(spec.source.kind):
            await ports.probe.check(spec.source.url, tenant)
        await begin(ports, spec, commands)
    return spec


async def begin_pushed(ports: Ports, spec: SessionSpec, commands: Sequence[Command]) -> None:
    """Make the session with what its first turn is to show. Raises `NoWorker`, `CapacityFull`, `TurnInFlight`."""
    await ports.pushed.expect(spec.key, ports.settings.push_idle_s)  # first: a session is never without an end
    try:
        await begin(ports, spec, commands)
    except AlreadyExists:  # the turn ran out while this call was held up, and another began the session
        raise TurnInFlight("another call has just begun the session") from None
    except (NoWorker, CapacityFull, TooManySessions):
        # Nothing is left of it: a client that tries again and again would fill the set.
        with contextlib.suppress(StoreError):
            await ports.pushed.forget(spec.key)
        raise


async def open_while_wanted(ports: Ports, tenant: str, body: SessionIn, more: Sequence[Command] = ()) -> SessionSpec:
    """`open_session` for a caller that may be cancelled, also more than once: then the session is ended again, for
    nobody knows its id."""

    async def end_again(spec: SessionSpec) -> None:
        with contextlib.suppress(PortError):
            await finish(ports, spec, "its client did not wait for it")

    return await while_wanted(open_session(ports, tenant, body, more), end_again)
