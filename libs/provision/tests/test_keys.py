"""Keys and tenants: changes of the key file, by value and by the command."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil_client.testing.command import invoked
from vigil_provision import key_file, secrets
from vigil_provision.errors import ProvisionError
from vigil_provision.keys import SITE_KEY, UP_KEY, added, removed, rotated, with_own, without_tenant
from vigil_provision.site import KEYS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGER = ApiKey(digest_of("pager"), "acme", KeyRole.VIEWER, "pager", NOW, NOW + 2 * HOUR)
OWN = ApiKey(digest_of("own"), "demo", KeyRole.ADMIN, UP_KEY, NOW)


def test_a_key_is_added_with_a_digest_and_nothing_that_opens_anything() -> None:
    made = added((OWN,), ApiKey("", "acme", KeyRole.VIEWER, "pager", NOW))
    assert made.keys == (OWN, made.entry)
    assert made.entry.sha256 == digest_of(made.key)
    assert len(made.key) >= 32
    assert made.key not in repr(made)
    with pytest.raises(ProvisionError, match="the tenant acme has a key 'pager'"):
        added(made.keys, ApiKey("", "acme", name="pager"))
    assert len(added(made.keys, ApiKey("", "demo", name="pager")).keys) == 3, "another tenant's name is another name"


@pytest.mark.parametrize(("overlap", "until"), [(timedelta(), None), (HOUR, NOW + HOUR), (9 * HOUR, NOW + 2 * HOUR)])
def test_a_rotated_key_holds_for_the_overlap_and_never_longer_than_before(
    overlap: timedelta, until: datetime | None
) -> None:
    made = rotated((OWN, PAGER), "acme", "pager", NOW, overlap)
    assert (made.entry.name, made.entry.role, made.entry.expires) == ("pager", KeyRole.VIEWER, PAGER.expires)
    old = [key.expires for key in made.keys if key.sha256 == PAGER.sha256]
    assert old == ([] if until is None else [until])
    assert made.keys[0] == OWN
    again = rotated(made.keys, "acme", "pager", NOW, timedelta())
    assert made.entry not in again.keys, "the newest of the name is the one that is replaced"


def test_a_key_is_removed_by_name_or_id_and_a_tenant_with_all_of_its_keys() -> None:
    keys = (OWN, PAGER)
    assert removed(keys, "acme", "pager") == removed(keys, "acme", PAGER.id) == without_tenant(keys, "acme") == (OWN,)
    with pytest.raises(ProvisionError, match="the tenant demo has no key 'pager'"):
        removed(keys, "demo", "pager")
    with pytest.raises(ProvisionError, match="no tenant rival"):
        without_tenant(keys, "rival")


@pytest.mark.parametrize(
    "change",
    [
        lambda keys: removed(keys, "demo", UP_KEY),
        lambda keys: rotated(keys, "demo", UP_KEY, NOW, HOUR),
        lambda keys: without_tenant(keys, "demo"),
    ],
)
def test_the_key_of_a_deployment_is_changed_where_it_is_kept(change: Any) -> None:
    with pytest.raises(ProvisionError, match="the key 'vigil-up' of the tenant demo is the deployment's own"):
        change((OWN, PAGER))


def test_the_next_start_keeps_every_key_but_an_earlier_one_of_its_own() -> None:
    fresh = with_own((OWN, PAGER), "another", "demo", NOW)
    assert [key.name for key in fresh] == [UP_KEY, "pager"]
    assert fresh[0].sha256 == digest_of("another")
    assert with_own((OWN, PAGER), "own", "demo", NOW + HOUR) == (OWN, PAGER)
    assert with_own((OWN, PAGER), "site", "demo", NOW, SITE_KEY)[1:] == (OWN, PAGER), "that of another deployment stays"
    plain = (ApiKey(digest_of("own"), "demo"), ApiKey(digest_of("rivals"), "rival"))
    assert with_own(plain, "own", "demo", NOW) == (OWN, plain[1]), "what an earlier version wrote, and a key beside it"


def keys_command(*arguments: object) -> str:
    """What `vigil keys` prints; it succeeds."""
    done = invoked("keys", *map(str, arguments))
    assert done.status == 0, done.output
    return done.output


def test_the_command_from_the_first_key_to_the_last(tmp_path: Path) -> None:
    place = ("--data-dir", tmp_path)
    made = keys_command("add", "pager", "--tenant", "acme", "--role", "viewer", "--expires", "90d", *place)
    key = made.splitlines()[-1]
    assert "added  acme/pager  role viewer" in made
    (entry,) = json.loads(keys_command("list", "--json", *place))
    assert (entry["name"], entry["tenant"], entry["role"]) == ("pager", "acme", "viewer")
    assert datetime.fromisoformat(entry["expires"]) - datetime.fromisoformat(entry["created"]) == timedelta(days=90)
    (stored,) = key_file.read(tmp_path / key_file.FILE)
    assert stored.sha256 == digest_of(key)
    fresh = keys_command("rotate", "pager", "--tenant", "acme", "--overlap", "1h", *place).splitlines()[-1]
    assert [known.sha256 for known in key_file.read(tmp_path / key_file.FILE)] == [digest_of(key), digest_of(fresh)]
    assert keys_command("list", *place).count("pager") == 2
    last = keys_command("rotate", "pager", "--tenant", "acme", *place).splitlines()[-1]
    assert digest_of(last) in {known.sha256 for known in key_file.read(tmp_path / key_file.FILE)}, "without an overlap"
    (tmp_path / secrets.FILE).write_text('{"nats_password": "n", "redis_password": "r", "api_key": "k"}')
    (row,) = json.loads(keys_command("tenants", "--json", *place))
    assert (row["tenant"], row["keys"]) == ("acme", 2)
    assert row["nats_url"].startswith("nats://tenant-acme:")
    assert row["nats_url"] in keys_command("tenants", *place), "whole, to be copied"
    keys_command("remove", "--tenant", "acme", "--all", *place)
    assert key_file.read(tmp_path / key_file.FILE) == ()


def test_the_command_alone_lists_the_keys_of_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / KEYS).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / KEYS).write_bytes(encode_keys([PAGER]))
    monkeypatch.setenv("VIGIL_SITE", str(tmp_path))
    assert keys_command() == keys_command("list")
    assert "pager" in keys_command()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add", "a b"), 1, "name 'a b' is not allowed"),
        (("add", "a", "--tenant", "x.y"), 1, "tenant 'x.y' is not allowed"),
        (("add", "pager", "--tenant", "acme"), 1, "has a key 'pager'"),
        (("add", "a", "--role", "root"), 2, "'root' is none of viewer, operator, admin"),
        (("remove", "nothing"), 1, "has no key 'nothing'"),
        (("remove",), 1, "which key?"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(encode_keys([PAGER]))
    done = invoked("keys", *arguments, "--file", str(path))
    assert (done.status, said in done.output) == (status, True), done.output
    assert path.read_bytes() == encode_keys([PAGER])
