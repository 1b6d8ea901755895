"""Wires the interaction service: ports, engines, claims, gRPC."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.profile import profile
from vigil.core.session import DEFAULT_CHUNK_TURNS
from vigil.core.source import Role
from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.tls import trusted_by
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.session.worker import claim_sessions, open_ports
from vigil.v1.session_pb2_grpc import add_SessionServiceServicer_to_server
from vigil_interaction.config import InteractionSettings
from vigil_interaction.image_cache import image_capacity
from vigil_interaction.load import Load, offers
from vigil_interaction.ports import Ports
from vigil_interaction.readiness import WarmUp, preparing, wait_for_model
from vigil_interaction.session import ClaimedSession, relief
from vigil_interaction.session_service import Held, SessionServicer


@asynccontextmanager
async def build(worker: Worker[InteractionSettings]) -> AsyncIterator[None]:
    """Open the ports, wait until the model is there and knows its control words, then claim sessions."""
    settings = worker.settings
    key, tls = settings.engine_api_key.get_secret_value(), trusted_by(settings.ca_file)
    async with (
        open_ports(worker) as shared,
        EnginePool(settings.engines, api_key=key, tls=tls) as engines,
    ):
        worker.health.register("engine", engines.ping)
        warm_up = WarmUp(settings.warm_up_turns, settings.warm_up_s)
        await wait_for_model(engines, settings.model, profile(settings.profile), warm_up)
        engines.prepare_with(preparing(settings.model, profile(settings.profile), warm_up))
        load = Load(settings.capacity, max_late_share=settings.late_share)
        fits = image_capacity(round(settings.engine_images_gb * 2**30), profile(settings.profile), DEFAULT_CHUNK_TURNS)
        held = Held()
        ports = Ports(
            shared.store,
            shared.bus,
            shared.placement,
            engines,
            settings.engine_deadline_s,
            settings.worker,
            _now_us,
            load,
            prewarm_turns=settings.prewarm_turns,
            memory_lead_turns=settings.memory_lead_turns,
            recall_deadline_s=settings.recall_deadline_s,
        )

        async def run(claim: Claim) -> None:
            await held.run(ClaimedSession(ports, claim))

        servicer = SessionServicer(settings.worker, settings.capacity, held)
        worker.serve("vigil.v1.SessionService", lambda server: add_SessionServiceServicer_to_server(servicer, server))
        offer = offers(load, engines, settings.model, fits)
        claim_sessions(worker, shared, Role.INTERACTION, run, offer=offer, relieved=relief(ports.store))
        yield


def _now_us() -> int:
    return time.time_ns() // 1_000


def main() -> None:
    """Run the service."""
    run_worker("interaction", InteractionSettings, build)


if __name__ == "__main__":
    main()
