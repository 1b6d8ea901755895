"""Delegated questions: listed, shown, cancelled, and the files that brains made, only for who may."""

from pathlib import Path
from typing import Any

import aiohttp
import nats
import pytest
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.contract.artefacts import artefact_object
from vigil.core.ids import SessionKey
from vigil.core.task import TaskState
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil.testing.delegated import DIGEST, NOTE, QUESTION, answer, delegate, take, task_id
from vigil.testing.handled import handled
from vigil.testing.servers import NatsServer
from vigil_gateway.tasks.cancelling import REASON

Json = dict[str, Any]
PAGE = b"<!doctype html><script>document.title = 'iris'</script>"
FILES = (("flower.html", "text/html", PAGE), ("flower.png", "image/png", b"\x89PNG\r\n\x1a\n"))


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """Keys of two tenants, and a viewer's."""
    path = tmp_path / "keys.json"
    keys = [ApiKey(digest_of(f"a-key-of-{tenant}"), tenant) for tenant in ("demo", "rival")]
    path.write_bytes(encode_keys([*keys, ApiKey(digest_of("a-key-of-viewer"), "demo", KeyRole.VIEWER)]))
    return path


@pytest.fixture
def tasks(redis: Redis) -> TaskStore:
    """The store as a brain sees it."""
    return TaskStore(redis)


async def listed(http: aiohttp.ClientSession, session: str) -> list[Json]:
    async with http.get(f"/v1/sessions/{session}/tasks") as answered:
        found: Json = await answered.json()
        assert answered.status == 200, found
        return list(found["tasks"])


async def test_a_task_is_shown_from_the_turn_that_opened_it_to_its_answer(
    viewer: aiohttp.ClientSession, session: str, store: SessionStore, tasks: TaskStore, bus: Bus
) -> None:
    assert await listed(viewer, session) == []
    await delegate(store, session)
    (waiting,) = await listed(viewer, session)
    assert waiting == {
        "id": task_id(session),
        "session": session,
        "question": QUESTION,
        "note": NOTE,
        "state": "queued",
        "brain": "",
        "text": "",
        "artefacts": [],
        "sequence": 4,
        "time_s": 4.0,
        "opened_at": None,
        "started_at": None,
        "ended_at": None,
    }
    fence = await take(tasks, session)
    key = SessionKey("demo", session)
    await tasks.renew(key, task_id(session), fence, 60.0, TaskState.WAITING_APPROVAL, "It wants to look it up.")
    (running,) = await listed(viewer, session)
    assert (running["state"], running["brain"], running["text"]) == (
        "waiting_approval",
        "big",
        "It wants to look it up.",
    )
    assert running["opened_at"] == "2023-11-14T22:13:24Z"
    assert (running["started_at"] is None, running["ended_at"]) == (False, None)


async def test_an_answer_comes_with_its_files(
    viewer: aiohttp.ClientSession, session: str, store: SessionStore, tasks: TaskStore, bus: Bus
) -> None:
    await delegate(store, session)
    await answer(tasks, bus, session, *FILES)
    async with viewer.get(f"/v1/sessions/{session}/tasks/{task_id(session)}") as answered:
        shown = await answered.json()
    assert (shown["state"], shown["text"], shown["ended_at"] is None) == ("ready", DIGEST, False)
    paths = [f"/v1/sessions/{session}/tasks/{task_id(session)}/artefacts/{index}" for index in range(2)]
    assert shown["artefacts"] == [
        {"index": 0, "name": "flower.html", "media_type": "text/html", "size": len(PAGE), "path": paths[0]},
        {"index": 1, "name": "flower.png", "media_type": "image/png", "size": 8, "path": paths[1]},
    ]
    async with viewer.get(paths[0]) as page:
        assert (page.status, await page.read()) == (200, PAGE)
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'; ")
        assert page.headers["Content-Disposition"] == "inline; filename*=UTF-8''flower.html"
    async with viewer.get(paths[1]) as picture:
        assert (picture.content_type, await picture.read()) == ("image/png", FILES[1][2])


async def test_a_file_that_is_not_there_or_not_kept_any_more_is_said_so(
    http: aiohttp.ClientSession, session: str, store: SessionStore, tasks: TaskStore, bus: Bus
) -> None:
    await delegate(store, session)
    await answer(tasks, bus, session, *FILES)
    await bus.drop_artefacts([artefact_object("demo", task_id(session), 1)])
    for index in (1, 2):
        async with http.get(f"/v1/sessions/{session}/tasks/{task_id(session)}/artefacts/{index}") as answered:
            problem = await answered.json()
            assert (answered.status, problem["type"]) == (404, "urn:vigil:problem:unknown_artefact")
    async with http.get(f"/v1/sessions/{session}/tasks/{task_id(session)}/artefacts/8") as answered:
        assert answered.status == 422


async def test_another_tenant_finds_nothing_of_it(
    rival: aiohttp.ClientSession, session: str, store: SessionStore, tasks: TaskStore, bus: Bus
) -> None:
    await delegate(store, session)
    await answer(tasks, bus, session, *FILES)
    of_task = f"/v1/sessions/{session}/tasks/{task_id(session)}"
    for method, path in (
        ("GET", f"/v1/sessions/{session}/tasks"),
        ("GET", of_task),
        ("DELETE", of_task),
        ("GET", f"{of_task}/artefacts/0"),
    ):
        async with rival.request(method, path) as answered:
            assert (answered.status, (await answered.json())["type"]) == (404, "urn:vigil:problem:unknown_session")


async def test_a_viewer_may_cancel_nothing(
    viewer: aiohttp.ClientSession, session: str, store: SessionStore, tasks: TaskStore
) -> None:
    await delegate(store, session)
    await take(tasks, session)
    async with viewer.delete(f"/v1/sessions/{session}/tasks/{task_id(session)}") as answered:
        assert answered.status == 403
    assert (await listed(viewer, session))[0]["state"] == "running"


async def test_a_cancelled_task_stops_its_brain_and_tells_the_model(
    http: aiohttp.ClientSession, session: str, store: SessionStore, tasks: TaskStore, nats_server: NatsServer
) -> None:
    key, path = SessionKey("demo", session), f"/v1/sessions/{session}/tasks/{task_id(session)}"
    await delegate(store, session)
    fence = await take(tasks, session)
    worker = await nats.connect(nats_server.url)
    try:
        heard = await worker.subscribe(subjects.task_cancelling(key))
        await handled(worker)
        for _ in range(2):  # to cancel it again changes nothing
            async with http.delete(path) as answered:
                assert answered.status == 204
        message = await heard.next_msg(timeout=10)
    finally:
        await worker.close()
    assert message.data.decode() == task_id(session)
    (task,) = await listed(http, session)
    assert (task["state"], task["text"]) == ("cancelled", REASON)
    assert not await tasks.renew(key, task_id(session), fence, 60.0), "its worker holds it no longer"
    waiting = (await store.look(key)).waiting.results
    assert [(result.task, result.text, result.is_ok) for result in waiting] == [(task_id(session), REASON, False)]


async def test_a_task_that_no_brain_has_seen_can_be_cancelled_too(
    http: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    await delegate(store, session, 3, 4)
    async with http.delete(f"/v1/sessions/{session}/tasks/{task_id(session, 3)}") as answered:
        assert answered.status == 204
    waiting = (await store.look(SessionKey("demo", session))).waiting.results
    assert [(result.task, result.is_ok) for result in waiting] == [(task_id(session, 3), False)]
    async with http.delete(f"/v1/sessions/{session}/tasks/{task_id(session, 5)}") as answered:
        problem = await answered.json()
        assert (answered.status, problem["type"]) == (404, "urn:vigil:problem:unknown_task")


async def test_a_session_names_its_brain_and_so_do_its_watches_and_instructions(
    http: aiohttp.ClientSession, workers: None, store: SessionStore
) -> None:
    body = {
        "source": {"url": "rtsp://camera.local/1"},
        "brain": "big",
        "watches": [{"text": "Alert me when a fire starts.", "brain": "quick"}],
    }
    async with http.post("/v1/sessions", json=body) as answered:
        created = await answered.json()
        assert (answered.status, created["brain"]) == (201, "big")
    session = created["id"]
    async with http.post(f"/v1/sessions/{session}/queries", json={"text": "Who?", "brain": "small"}) as answered:
        assert answered.status == 202
    commands = await store.commands(SessionKey("demo", session))
    brains = [getattr(command, "brain", None) or command.instruction.brain for command in commands]  # type: ignore[union-attr]
    assert brains == ["quick", "small"]
    async with http.get(f"/v1/sessions/{session}/watches") as answered:
        assert [watch["brain"] for watch in (await answered.json())["watches"]] == ["quick"]
    for change, left in (({"infer_when_idle": False}, "big"), ({"brain": "other"}, "other"), ({"brain": ""}, "")):
        async with http.patch(f"/v1/sessions/{session}", json=change) as answered:
            assert (await answered.json())["brain"] == left
    async with http.patch(f"/v1/sessions/{session}", json={"brain": "no such name!"}) as answered:
        assert answered.status == 422
