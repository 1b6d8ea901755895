"""The key file: read again when it changes, with the gateway running."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_gateway.api.auth import KeyRing
from vigil_gateway.api.errors import KeyWrong
from vigil_gateway.api.key_file import KeyFile, KeyFileInvalid

FIRST, SECOND = ApiKey(digest_of("first"), "demo"), ApiKey(digest_of("second"), "acme")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "keys.json"
    written.write_bytes(encode_keys([FIRST]))
    return written


@pytest.fixture
async def followed(path: Path) -> AsyncIterator[KeyRing]:
    file = KeyFile(path)
    ring = file.load()
    following = asyncio.create_task(file.follow(ring))
    yield ring
    following.cancel()
    await asyncio.wait({following})


def knows(ring: KeyRing, key: str) -> bool:
    try:
        ring.admit(key, KeyRole.VIEWER)
    except KeyWrong:
        return False
    return True


def reasons(logged: Sequence[MutableMapping[str, Any]], *texts: str) -> bool:
    """Whether one of the texts is a reason why keys were not read."""
    found = [entry["reason"] for entry in logged if entry["event"] == "API keys not read"]
    return any(text in reason for reason in found for text in texts)


def remove(path: Path) -> None:
    path.rename(path.with_suffix(".gone"))


def replace(path: Path, content: bytes) -> None:
    """As `vigil keys` does it: nobody reads half a file."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.replace(path)


async def test_a_key_that_is_added_holds_and_one_that_is_removed_does_not(followed: KeyRing, path: Path) -> None:
    replace(path, encode_keys([SECOND]))
    await eventually(lambda: knows(followed, "second") and not knows(followed, "first"), what="the new keys")


@pytest.mark.parametrize("content", [b"not json", b'{"keys": []}'])
async def test_a_file_that_cannot_be_used_changes_nothing_until_it_is_mended(
    followed: KeyRing, path: Path, content: bytes
) -> None:
    with capture_logs() as logged:
        replace(path, content)
        await eventually(lambda: reasons(logged, "has no keys", "is not valid"), what="a word in the log")
        assert knows(followed, "first")
        remove(path)
        await eventually(lambda: reasons(logged, "cannot be read"), what="a word in the log")
    assert knows(followed, "first")
    replace(path, encode_keys([SECOND]))
    await eventually(lambda: knows(followed, "second"), what="the mended file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "cannot be used: it is not valid"),
        (b'{"keys": []}', "has no keys"),
        (b'{"keys": [{"sha256": "abc", "tenant": "a"}]}', "not 64 hex digits"),
    ],
)
def test_a_bad_key_file_at_the_start_says_what_to_mend(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(KeyFileInvalid, match=said) as caught:
        KeyFile(path).load()
    assert "keys.json" in str(caught.value)


def test_a_missing_key_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(KeyFileInvalid, match=r"cannot be read .* make one with `vigil keys add`"):
        KeyFile(tmp_path / "nothing.json").load()


async def test_a_running_gateway_takes_keys_up_and_lets_go_of_them(
    front: str, http: aiohttp.ClientSession, session: str, keys_file: Path
) -> None:
    async with http.get(f"/v1/sessions/{session}/events") as stream:
        assert stream.status == 200
        replace(keys_file, encode_keys([ApiKey(digest_of("fresh"), "demo")]))
        async with asyncio.timeout(DEADLINE_S):
            text = (await stream.read()).decode()
    assert "event: end" in text
    assert "the API key is not known here" in text.split("event: end")[1]
    async with http.get("/v1/sessions") as answer:
        assert (answer.status, (await answer.json())["type"]) == (401, "urn:vigil:problem:key_wrong")
    fresh = {"Authorization": "Bearer fresh"}
    async with aiohttp.ClientSession(front, headers=fresh) as other, other.get("/v1/sessions") as answer:
        assert [shown["id"] for shown in (await answer.json())["sessions"]] == [session]
