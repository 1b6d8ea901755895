"""Wires ingestion: ports, claims, gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.source import Role
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.session.worker import claim_sessions, open_ports
from vigil.v1.ingestion_pb2_grpc import add_IngestionServiceServicer_to_server
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.probe import NAME, serving
from vigil_ingestion.watcher import Watcher
from vigil_ingestion.webrtc.decode_errors import count_decode_errors


@asynccontextmanager
async def build(worker: Worker[IngestionSettings]) -> AsyncIterator[None]:
    """Open the ports and claim sessions; NATS and Redis may start later than this process."""
    settings = worker.settings
    count_decode_errors()
    async with open_ports(worker) as ports:
        with serving(settings) as service:
            worker.serve(NAME, lambda server: add_IngestionServiceServicer_to_server(service, server))
            watcher = Watcher(ports, settings)
            claim_sessions(worker, ports, Role.INGESTION, watcher.run, relieved=watcher.is_relieved)
            yield


def main() -> None:
    """Run the service."""
    run_worker("ingestion", IngestionSettings, build)


if __name__ == "__main__":
    main()
