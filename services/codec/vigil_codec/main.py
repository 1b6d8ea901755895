"""Wires the codec: ports, claims, gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.source import Role
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.session.worker import claim_sessions, open_ports
from vigil.v1.codec_pb2_grpc import add_CodecServiceServicer_to_server
from vigil_codec.codec_service import NAME, CodecService
from vigil_codec.coder import Coder
from vigil_codec.config import CodecSettings


@asynccontextmanager
async def build(worker: Worker[CodecSettings]) -> AsyncIterator[None]:
    """Open the ports and claim sessions; NATS and Redis may come later than this process."""
    async with open_ports(worker) as ports:
        worker.serve(NAME, lambda server: add_CodecServiceServicer_to_server(CodecService(), server))
        claim_sessions(worker, ports, Role.CODEC, Coder(ports).run)
        yield


def main() -> None:
    """Run the service."""
    run_worker("codec", CodecSettings, build)


if __name__ == "__main__":
    main()
