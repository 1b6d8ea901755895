"""Wires the asr service: ports, the engine, claims, gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from vigil.core.source import Role
from vigil.runtime.process.tls import trusted_by
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.session.worker import claim_sessions, open_ports
from vigil.v1.asr_pb2_grpc import add_RecognizerServiceServicer_to_server
from vigil_asr.config import AsrSettings
from vigil_asr.end_of_turn.smart_turn import open_smart_turn
from vigil_asr.hearer import Hearer
from vigil_asr.ports import Ports
from vigil_asr.recognizer_service import NAME, RecognizerService
from vigil_asr.recognizers.kinds import open_recognizer


@asynccontextmanager
async def build(worker: Worker[AsrSettings]) -> AsyncIterator[None]:
    """Open the ports and claim sessions; NATS, Redis and the engine may come later than this process, and an engine
    that is down does not change its readiness."""
    settings = worker.settings
    is_judged = settings.asr_end_of_turn == "semantic"
    async with (
        open_recognizer(settings, trusted_by(settings.ca_file)) as recognizer,
        open_smart_turn(settings.asr_folder) if is_judged else nullcontext() as judge,
        open_ports(worker) as opened,
    ):
        ports = Ports(
            opened.store,
            opened.bus,
            opened.placement,
            recognizer,
            settings.rules,
            settings.asr_timeout_s,
            settings.asr_least_confidence,
            judge=judge,
        )
        service = RecognizerService(ports)
        worker.serve(NAME, lambda server: add_RecognizerServiceServicer_to_server(service, server))
        claim_sessions(worker, opened, Role.ASR, Hearer(ports).run)
        yield


def main() -> None:
    """Run the service."""
    run_worker("asr", AsrSettings, build)


if __name__ == "__main__":
    main()
