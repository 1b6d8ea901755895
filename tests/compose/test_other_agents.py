"""The layer for other agents, in real containers: a brain answers a delegated question, and the doors are open."""

import json
from pathlib import Path

import aiohttp
import pytest
from compose_stage import Deployment, Table
from system import rest, subscriber

from vigil.core import control
from vigil.testing.eventually import eventually

pytestmark = pytest.mark.timeout(900)

SOON_S = 120.0
BRAINS = {"brains": [{"name": "answers", "kind": "openai", "url": "http://127.0.0.1:9500/v1", "model": "answers"}]}
SILENT = {"text": control.SILENCE}
# The first turns are those by which a worker warms the engine up.
SCRIPT = [*[*[SILENT] * 4, {"text": f"{control.DELEGATION} Which vehicle is that?"}] * 6, SILENT]


async def test_a_delegated_question_is_answered_by_a_brain(
    deployment: Deployment, table: Table, tmp_path: Path
) -> None:
    await deployment.forget()
    brains, script = tmp_path / "brains", tmp_path / "script.json"
    brains.mkdir()
    (brains / "brains.json").write_text(json.dumps(BRAINS))
    script.write_text(json.dumps(SCRIPT))
    told = {"VIGIL_BRAINS_DIR": str(brains), "ENGINE_SCRIPT": str(script), "COMPOSE_PROFILES": ""}
    agents = deployment.with_files("compose.agents.yaml").with_layer("scripted.yaml", "brain.yaml").with_variables(told)
    await agents.run("up", "--detach")
    await agents.until(agents.is_healthy, "every container is healthy with a brain")
    async with rest(agents) as gateway, subscriber(agents, "vigil.v1.delegation.*.demo.>") as delegations:
        await agents.run("run", "--rm", "-T", "camera")
        session = await gateway.open("file:///media/demo.mp4", source={"loop": True})
        subject, *_ = (await delegations.wait_for(_is_ready, SOON_S))[1:]
        assert subject == f"vigil.v1.delegation.ready.demo.{session}"
        await eventually(lambda: _is_told(gateway.url, gateway.http, session), SOON_S, "the answer is in the session")
        async with gateway.http.get(f"{gateway.url}/.well-known/agent-card.json") as answer:
            table.note("agents find Vigil by its card", (await answer.json())["name"])


def _is_ready(subject: str, event: dict[str, object]) -> bool:
    return ".ready." in subject and "red van" in json.dumps(event)


async def _is_told(url: str, http: aiohttp.ClientSession, session: str) -> bool:
    async with http.get(f"{url}/v1/sessions/{session}/history") as answer:
        return "red van" in await answer.text()
