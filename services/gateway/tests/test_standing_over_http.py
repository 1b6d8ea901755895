import aiohttp
import pytest

from vigil.core.command import Ask, Clear, Instruct, Reset
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.session import SessionState
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.sessions import Commit, SessionStore

WATCH = {"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical", "hold_s": 2}


async def test_a_watch_is_pending_until_a_turn_has_shown_it(
    http: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    key = SessionKey("demo", session)
    async with http.post(f"/v1/sessions/{session}/watches", json=WATCH) as answer:
        assert answer.status == 202
        watch_id = (await answer.json())["id"]
    expected = {
        **WATCH,
        "id": watch_id,
        "hold_s": 2.0,
        "cooldown_s": 30.0,
        "update_interval_s": 10.0,
        "confirm_s": 0.0,
        "brain": "",
        "pending": True,
        "given_at": None,
    }
    async with http.get(f"/v1/sessions/{session}/watches") as answer:
        assert await answer.json() == {"watches": [expected]}
    async with http.get(f"/v1/sessions/{session}/instructions") as answer:
        assert await answer.json() == {"instructions": []}

    await store.take(key, 1)
    watch = Watch("fire", Severity.CRITICAL, hold_s=2)
    shown = Instruction(watch_id, WATCH["text"], watch, given_at=7)  # type: ignore[arg-type]
    await store.commit(key, 1, Commit(SessionState(next_sequence=8, instructions=(shown,)), consumed=1))
    async with http.get(f"/v1/sessions/{session}/watches") as answer:
        assert await answer.json() == {"watches": [{**expected, "pending": False, "given_at": 7}]}


async def test_a_watch_without_a_name_is_named_by_its_words(http: aiohttp.ClientSession, session: str) -> None:
    async with http.post(f"/v1/sessions/{session}/watches", json={"text": WATCH["text"]}) as answer:
        assert answer.status == 202
    async with http.get(f"/v1/sessions/{session}/watches") as answer:
        assert [watch["name"] for watch in (await answer.json())["watches"]] == ["fire-starts"]


@pytest.mark.parametrize(
    ("path", "body"), [("instructions", {"text": "Greet everyone."}), ("watches", {"name": "door", "text": "Door?"})]
)
async def test_what_stands_is_replaced_and_cleared_by_its_id(
    http: aiohttp.ClientSession, session: str, path: str, body: dict[str, str]
) -> None:
    base = f"/v1/sessions/{session}/{path}"
    async with http.post(base, json=body) as answer:
        instruction_id = (await answer.json())["id"]
    async with http.put(f"{base}/{instruction_id}", json={**body, "text": "Something else."}) as answer:
        assert (answer.status, (await answer.json())["id"]) == (202, instruction_id)
    async with http.get(base) as answer:
        assert [(shown["id"], shown["text"]) for shown in (await answer.json())[path]] == [
            (instruction_id, "Something else.")
        ]
    async with http.delete(f"{base}/{instruction_id}") as answer:
        assert answer.status == 202
    async with http.get(base) as answer:
        assert await answer.json() == {path: []}
    for method in ("PUT", "DELETE"):
        async with http.request(method, f"{base}/{instruction_id}", json=body) as answer:
            assert answer.status == 404
            assert (await answer.json())["type"] == "urn:vigil:problem:unknown_instruction"


async def test_commands_reach_the_inbox_in_order_and_nudge_the_worker(
    http: aiohttp.ClientSession, session: str, store: SessionStore, bus: Bus
) -> None:
    async with bus.subscribe(f"vigil.v1.command.demo.{session}", capacity=8) as nudges:
        async with http.post(f"/v1/sessions/{session}/queries", json={"text": "Who is there?"}) as answer:
            query = (await answer.json())["id"]
        async with http.post(f"/v1/sessions/{session}/instructions", json={"text": "Greet everyone."}) as answer:
            instruction = (await answer.json())["id"]
        async with http.delete(f"/v1/sessions/{session}/instructions/{instruction}") as answer:
            assert answer.status == 202
        async with http.post(f"/v1/sessions/{session}/reset") as answer:
            assert answer.status == 202
        assert [(await anext(nudges)).payload for _ in range(4)] == [b""] * 4
    assert await store.commands(SessionKey("demo", session)) == (
        Ask(query, "Who is there?"),
        Instruct(Instruction(instruction, "Greet everyone.")),
        Clear(instruction),
        Reset(),
    )
