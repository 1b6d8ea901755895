"""For load balancers: liveness and readiness, on the port of the API; and health for its users."""

import asyncio
from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from vigil.runtime.process.health import OK
from vigil_gateway.api.models.health import HealthOut, RoleOut
from vigil_gateway.ports import PortsOf
from vigil_gateway.sessions.capacity import capacity, sources_taken

router = APIRouter()


@router.get("/healthz", include_in_schema=False)
async def alive() -> JSONResponse:
    """The process runs, whatever its dependencies do."""
    return JSONResponse({"alive": True})


@router.get("/readyz", include_in_schema=False)
async def ready(ports: PortsOf) -> JSONResponse:
    """Whether this process should get requests: 503 when NATS or Redis does not answer or it is shutting down.

    Ingestion is no part of it: while it is away no session on a camera or a file can be created, and everything else
    is served. Taking the gateway out of service for that would end live events and alerts' pictures too. `/v1/health`
    shows it.
    """
    readiness = await ports.health.check()
    return JSONResponse(readiness.as_json(), 200 if readiness.ready else 503)


@router.get("/v1/health", tags=["health"])
async def health(ports: PortsOf) -> HealthOut:
    """Whether sessions can be created, and how full the workers are. Needs no key."""
    readiness, probing = await asyncio.gather(ports.health.check(), ports.probe.state())
    roles = await capacity(ports.placement)
    taken = sources_taken(roles, can_check=probing == OK)
    sources = {kind: readiness.ready and is_taken for kind, is_taken in taken.items()}
    return HealthOut(
        ready=readiness.ready,
        takes_sessions=all(sources.values()),
        sources={str(kind): taken for kind, taken in sources.items()},
        checks=readiness.checks | {"ingestion": probing},
        capacity={str(role): RoleOut(**asdict(room)) for role, room in roles.items()},
    )
