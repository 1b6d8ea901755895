"""The kind `a2a`, against the server of the official SDK."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandlerV2
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Part, Task, TaskState, TaskStatus
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from vigil.testing.eventually import eventually
from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.port import Answer, BrainError, BrainTask
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold

Serve = Callable[[Starlette], AbstractAsyncContextManager[str]]


class Agent(AgentExecutor):
    """Does what `plan` says with each message."""

    def __init__(self, plan: str) -> None:
        self.plan = plan
        self.heard: list[str] = []
        self.pictures: list[bytes] = []
        self.cancelled: list[str] = []

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        self.heard.append(context.get_user_input())
        if context.message is not None:
            self.pictures += [part.raw for part in context.message.parts if part.raw]
        updater = TaskUpdater(event_queue, context.task_id or "", context.context_id or "")
        if context.current_task is None:
            status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
            await event_queue.enqueue_event(Task(id=updater.task_id, context_id=updater.context_id, status=status))
        await updater.start_work(updater.new_agent_message([Part(text="is looking it up")]))
        await self._go(updater, is_first=len(self.heard) == 1)

    async def _go(self, updater: TaskUpdater, *, is_first: bool) -> None:
        match self.plan:
            case "hang":
                await asyncio.Event().wait()
            case "fail":
                await updater.failed(updater.new_agent_message([Part(text="out of credits")]))
                return
            case "flood":
                for number in range(8):  # all of them also come once more with the task at the end
                    await updater.add_artifact([Part(text="x" * 5_000_000)], artifact_id="a", append=number > 0)
            case "ask" if is_first:
                await updater.requires_input(updater.new_agent_message([Part(text="May I open a ticket?")]))
                return
        await updater.add_artifact([Part(text="It is ")], artifact_id="text", name="answer")
        await updater.add_artifact([Part(text="408.")], artifact_id="text", append=True)
        page = Part(raw=b"<p>408</p>", media_type="text/html", filename="page.html")
        await updater.add_artifact([page], artifact_id="page", name="page")
        await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        self.cancelled.append(context.task_id or "")
        await TaskUpdater(event_queue, context.task_id or "", context.context_id or "").cancel()


def app(agent: Agent, *, streams: bool = True, binding: str = "HTTP+JSON") -> Starlette:
    """The SDK's server for the agent. Its card names its own address, which is known when it is asked for."""
    capabilities = AgentCapabilities(streaming=streams)
    path = {"HTTP+JSON": "/a2a", "JSONRPC": "/rpc"}[binding]
    interface = AgentInterface(url=path, protocol_binding=binding, protocol_version="1.0")
    card = AgentCard(name="stand-in", description="d", version="1", capabilities=capabilities)
    card.supported_interfaces.append(interface)
    card.default_input_modes.append("text/plain")
    card.default_output_modes.append("text/plain")

    async def at_its_address(shown: AgentCard) -> AgentCard:
        shown.supported_interfaces[0].url = f"{ADDRESS[0]}{path}"
        return shown

    handler = DefaultRequestHandlerV2(agent, InMemoryTaskStore(), card)
    routes = [
        *create_agent_card_routes(card, card_modifier=at_its_address),
        *create_jsonrpc_routes(handler, "/rpc"),
        Mount("/a2a", routes=create_rest_routes(handler)),
    ]
    return Starlette(routes=[route for route in routes if isinstance(route, Route | Mount)])


ADDRESS = [""]


async def solve(url: str, task: BrainTask, told: RecordedTold, timeout_s: float = 60.0) -> Answer:
    ADDRESS[0] = url
    async with open_brain(BrainSpec("agent", "a2a", {"url": url}, timeout_s=timeout_s)) as brain:
        return await brain.solve(task, told)


@pytest.mark.parametrize("binding", ["HTTP+JSON", "JSONRPC"])
@pytest.mark.parametrize("streams", [True, False])
async def test_it_answers_with_text_and_artefacts(
    serve: Serve, task: BrainTask, told: RecordedTold, binding: str, streams: bool
) -> None:
    agent = Agent("answer")
    async with serve(app(agent, streams=streams, binding=binding)) as url:
        answer = await solve(url, task, told)
    assert answer.text == ("It is 408." if streams else "It is \n408.")
    assert [(made.name, made.media_type, made.content) for made in answer.artefacts] == [
        ("page.html", "text/html", b"<p>408</p>")
    ]
    assert "What is 12 times 34?" in agent.heard[0]
    assert agent.pictures == [picture.jpeg for picture in task.pictures]
    if streams:
        assert told.said == ["is looking it up"]


async def test_cancelling_cancels_the_task_of_the_agent(serve: Serve, task: BrainTask, told: RecordedTold) -> None:
    agent = Agent("hang")
    async with serve(app(agent)) as url:
        work = asyncio.create_task(solve(url, task, told))
        await eventually(lambda: told.said, what="the agent works")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert len(agent.cancelled) == 1


async def test_a_task_that_takes_too_long_is_cancelled_as_well(
    serve: Serve, task: BrainTask, told: RecordedTold
) -> None:
    agent = Agent("hang")
    async with serve(app(agent)) as url:
        with pytest.raises(BrainError, match="did not answer within"):
            await solve(url, task, told, timeout_s=2.0)
        assert len(agent.cancelled) == 1


async def test_a_task_that_fails_says_why(serve: Serve, task: BrainTask, told: RecordedTold) -> None:
    async with serve(app(Agent("fail"))) as url:
        with pytest.raises(BrainError, match=r"task is failed \(out of credits\)"):
            await solve(url, task, told)


async def test_a_flood_is_not_read(serve: Serve, task: BrainTask, told: RecordedTold) -> None:
    async with serve(app(Agent("flood"))) as url:
        with pytest.raises(BrainError, match="sent more than"):
            await solve(url, task, told)


@pytest.mark.parametrize("is_granted", [True, False])
async def test_an_operator_says_whether_the_agent_may_go_on(serve: Serve, task: BrainTask, is_granted: bool) -> None:
    told, agent = RecordedTold(grants=is_granted), Agent("ask")
    async with serve(app(agent)) as url:
        if is_granted:
            assert "408" in (await solve(url, task, told)).text
        else:
            with pytest.raises(BrainError, match="no operator gave it: May I open a ticket"):
                await solve(url, task, told)
            assert len(agent.cancelled) == 1
    assert [action.summary for action in told.asked] == ["The agent asks: May I open a ticket?"]
    assert len(agent.heard) == (2 if is_granted else 1)


async def test_an_agent_that_is_away_may_come_back(task: BrainTask, told: RecordedTold) -> None:
    with pytest.raises(BrainError, match="gives no agent card: it cannot be reached") as caught:
        await solve("http://127.0.0.1:9", task, told)
    assert caught.value.is_transient
