"""Ingestion goes away and comes back: the gateway finds it again within seconds."""

import pytest

from vigil.testing.eventually import eventually
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil_gateway.sessions.probe import SourceProbe, channel_to

AWAY_S = 6.0
BACK_S = 5.0


@pytest.mark.slow
async def test_ingestion_is_found_again_soon_after_it_was_away() -> None:
    """By itself gRPC waits longer after each try: four seconds by then, two minutes at last."""
    ingestion = ScriptedIngestion()
    async with ingestion.serve():
        target = ingestion.target
    async with channel_to(target) as channel:
        probe = SourceProbe(channel, 1.0)
        with pytest.raises(AssertionError):
            await eventually(lambda: _is_ok(probe), AWAY_S)
        async with ingestion.serve():
            await eventually(lambda: _is_ok(probe), BACK_S, "the gateway has found ingestion")


async def _is_ok(probe: SourceProbe) -> bool:
    return await probe.state() == "ok"
