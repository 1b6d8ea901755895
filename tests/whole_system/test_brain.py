"""A hard question through everything: the small model hands it over, a brain answers, and the model says so itself."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from system import System, subscriber

from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.pictures import camera_jpeg
from vigil_recipe.exam.players.stand_in import StandIn
from vigil_recipe.scenarios import Result
from vigil_recipe.scenarios.script import Line, Said
from vigil_recipe.world import Kind, Span, Split, make_episode

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]

QUESTION = "What is 23 times 45?"
ANSWER = "It is 1035."
RESULT = Result(QUESTION, 6, Line(Said.RESULT, f"Result: {QUESTION} {ANSWER}"))
SESSION = "hard-question"
ASKED_S, FIRE_S, OUT_S = 3, 6, 40
WAIT_S = 60.0
MOST_TURNS = 10  # from the answer until the model was told: the worker hears of a result a moment after it is there


@pytest.fixture
async def stand_in(brain_port: int) -> AsyncIterator[StandIn]:
    """The brain that the running system asks."""
    async with StandIn().serving(brain_port) as serving:
        yield serving


class Client:
    """Shows an episode second by second."""

    def __init__(self, gateway: GatewayClient) -> None:
        self.gateway = gateway
        self.replies: list[str] = []
        spans = (Span(Kind.FIRE, FIRE_S, OUT_S),)
        self._episode = make_episode(901, Split.TEST, OUT_S, spans=spans, layout="room")

    async def show(self, text: str = "") -> str:
        """The next second; the model's reply."""
        second = len(self.replies)
        watches = {"watches": [{"name": "fire", "text": "Alert me when a fire starts."}]} if second == 0 else {}
        answer = await self.gateway.turn(SESSION, camera_jpeg(self._episode, second), float(second), text, watches)
        self.replies.append(answer.reply)
        return answer.reply


async def test_the_model_answers_from_what_the_brain_found_and_watches_meanwhile(
    vigil: System, stand_in: StandIn
) -> None:
    found = vigil.endpoints
    async with (
        aiohttp.ClientSession() as http,
        subscriber(vigil, "vigil.v1.delegation.*.demo.>") as delegations,
        subscriber(vigil, "vigil.v1.alert.demo.>") as alerts,
        stand_in.knowing([RESULT]),
    ):
        client = Client(GatewayClient(http, found["gateway_url"], found["api_key"], found["model"]))
        try:
            for _ in range(ASKED_S):
                await client.show()
            assert await client.show(QUESTION) == f"</response> Let me check. </delegation> {QUESTION}"
            await delegations.wait_for(lambda subject, _: ".opened." in subject, WAIT_S)
            await delegations.wait_for(lambda subject, _: ".started." in subject, WAIT_S)
            for _ in range(FIRE_S - ASKED_S + 2):
                await client.show()
            _, _, alert = await alerts.wait_for(lambda subject, _: subject.endswith(".opened"), WAIT_S)
            assert alert["data"]["watch"] == "fire"
            assert not any(".ready." in subject or ".closed." in subject for _, subject, _ in delegations.messages)
            stand_in.release(RESULT)
            await delegations.wait_for(lambda subject, _: ".ready." in subject, WAIT_S)
            told = await told_in(client)
            _, _, closed = await delegations.wait_for(lambda subject, _: ".closed." in subject, WAIT_S)
        finally:
            await client.gateway.end(SESSION)
    assert ANSWER in client.replies[told], "the model's own words"
    assert (closed["data"]["outcome"], closed["data"]["result"]) == ("answered", ANSWER)


async def told_in(client: Client) -> int:
    """The turn whose prompt has the result."""
    for _ in range(MOST_TURNS):
        await client.show()
        newest = len(client.replies) - 1
        if RESULT.line.text in await client.gateway.newest_lines(SESSION, newest):
            return newest
    raise AssertionError(f"the model was not told within {MOST_TURNS} turns: {client.replies}")
