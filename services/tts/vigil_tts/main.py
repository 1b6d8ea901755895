"""Wires tts: ports, the speech engine, claims, gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.source import Role
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.session.worker import claim_sessions, open_ports
from vigil.v1.tts_pb2_grpc import add_SynthesizerServiceServicer_to_server
from vigil_tts.config import TtsSettings
from vigil_tts.offered_voices import OfferedVoices
from vigil_tts.ports import Ports
from vigil_tts.speaker import Speaker
from vigil_tts.synthesizer_service import NAME, SynthesizerService
from vigil_tts.synthesizers.kinds import open_synthesizer


@asynccontextmanager
async def build(worker: Worker[TtsSettings]) -> AsyncIterator[None]:
    """Open the ports and claim sessions; NATS and Redis may come later than this process. A speech engine that is down
    does not change its readiness: what sessions say stays text."""
    async with open_ports(worker) as ports, open_synthesizer(worker.settings) as engine:
        servicer = SynthesizerService(engine)
        worker.serve(NAME, lambda server: add_SynthesizerServiceServicer_to_server(servicer, server))
        offered = OfferedVoices(engine, worker.settings.capacity)
        worker.spawn("voices", offered.run())
        claim_sessions(worker, ports, Role.TTS, Speaker(Ports.of(ports, engine)).run, offer=offered)
        yield


def main() -> None:
    """Run the service."""
    run_worker("tts", TtsSettings, build)


if __name__ == "__main__":
    main()
