"""The check of an API key."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of
from vigil.testing.eventually import DEADLINE_S
from vigil_gateway.api.auth import KeyRing, bearer_key
from vigil_gateway.api.errors import KeyExpired, KeyMissing, KeyWrong, RoleTooLow

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
VIEWER = ApiKey(digest_of("one"), "a", KeyRole.VIEWER)
ADMIN = ApiKey(digest_of("two"), "b", KeyRole.ADMIN, expires=NOON + timedelta(hours=1))
OLD = ApiKey(digest_of("old"), "b", KeyRole.ADMIN, expires=NOON)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing((VIEWER, ADMIN, OLD), now=lambda: NOON)


def test_each_key_speaks_for_its_tenant(ring: KeyRing) -> None:
    assert ring.admit("one", KeyRole.VIEWER) == VIEWER
    assert ring.admit("two", KeyRole.ADMIN) == ADMIN
    assert ring.of_tenant("b") == (ADMIN, OLD)


@pytest.mark.parametrize("key", ["three", digest_of("one"), "one ", "é", "\ud800", "x" * 10_000])
def test_any_other_key_is_wrong(ring: KeyRing, key: str) -> None:
    with pytest.raises(KeyWrong):
        ring.admit(key, KeyRole.VIEWER)


def test_no_key_is_missing(ring: KeyRing) -> None:
    with pytest.raises(KeyMissing):
        ring.admit(bearer_key("Basic abc"), KeyRole.VIEWER)


def test_a_role_that_does_not_suffice_is_told_which_one_would(ring: KeyRing) -> None:
    with pytest.raises(RoleTooLow, match="the role viewer may not do this: it takes the role operator"):
        ring.admit("one", KeyRole.OPERATOR)


def test_an_expired_key_is_told_since_when(ring: KeyRing) -> None:
    with pytest.raises(KeyExpired, match=r"has expired \(2026-01-31 12:00 UTC\)"):
        ring.admit("old", KeyRole.VIEWER)


def test_keys_that_are_replaced_hold_no_longer(ring: KeyRing) -> None:
    ring.replace((ADMIN,))
    with pytest.raises(KeyWrong):
        ring.admit("one", KeyRole.VIEWER)
    assert ring.admit("two", KeyRole.VIEWER) == ADMIN


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ((), KeyWrong),
        ((ApiKey(VIEWER.sha256, "a", KeyRole.OPERATOR),), KeyWrong),
        ((ApiKey(VIEWER.sha256, "b", KeyRole.VIEWER),), KeyWrong),
        ((ApiKey(VIEWER.sha256, "a", KeyRole.VIEWER, expires=NOON),), KeyExpired),
    ],
)
async def test_what_is_open_learns_that_its_key_holds_no_longer(
    ring: KeyRing, keys: tuple[ApiKey, ...], said: type[Exception]
) -> None:
    waiting = asyncio.create_task(ring.withdrawn(VIEWER))
    ring.replace(keys)
    with pytest.raises(said):
        async with asyncio.timeout(DEADLINE_S):
            await waiting
