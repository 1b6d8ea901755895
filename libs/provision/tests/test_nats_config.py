"""The configuration of NATS, by value: what is in it, and what no tenant may share with another."""

import json
import re
from typing import Any

import pytest

from vigil.contract.services import SERVICES
from vigil_provision import nats_config, site
from vigil_provision.nats_config import NatsServer
from vigil_provision.site import Site
from vigil_provision.testing.servers import SECRETS

SERVER = NatsServer("127.0.0.1", 4222, "127.0.0.1:8222", "/data")


def parsed(text: str) -> dict[str, Any]:
    return {name: json.loads(value) for name, _, value in (line.partition(": ") for line in text.splitlines())}


def rendered(*tenants: str) -> dict[str, Any]:
    return parsed(nats_config.render(SERVER, tenants, SECRETS.nats_password_of))


def test_what_is_acknowledged_is_on_disk() -> None:
    assert rendered()["jetstream"]["sync_interval"] == "always"
    assert parsed(site.nats_file(Site(), SECRETS, ()))["jetstream"]["sync_interval"] == "always"


def test_every_user_has_a_password_of_its_own() -> None:
    accounts = rendered("demo", "acme")["accounts"]
    users = {user["user"]: user["password"] for account in accounts.values() for user in account["users"]}
    assert set(users) == {*(row.name for row in SERVICES), "operator", "system", "tenant-demo", "tenant-acme"}
    assert len(set(users.values())) == len(users)


def test_only_the_operator_and_the_system_user_are_without_a_list() -> None:
    users = [user for account in rendered("demo")["accounts"].values() for user in account["users"]]
    assert [user["user"] for user in users if "permissions" not in user] == ["operator", "system"]


def test_each_tenant_imports_what_is_its_own_and_nobody_else_may() -> None:
    accounts = rendered("demo", "acme")["accounts"]
    for tenant in ("demo", "acme"):
        imports = accounts[f"TENANT_{tenant}"]["imports"]
        subjects = [shared["subject"] for entry in imports for shared in entry.values()]
        assert all(re.search(rf"\.{tenant}(\.|$)", subject) for subject in subjects)
        assert [entry["service"]["subject"] for entry in imports if "service" in entry] == [
            f"vigil.v1.history.ask.{tenant}"
        ]
    for entry in accounts["VIGIL"]["exports"]:
        subject = entry.get("stream") or entry["service"]
        (account,) = entry["accounts"]
        assert f".{account.removeprefix('TENANT_')}" in subject
    assert {name for name, account in accounts.items() if "jetstream" in account} == {"VIGIL"}


def test_the_same_tenants_give_the_same_text() -> None:
    assert rendered("b", "a", "b") == rendered("a", "b")


@pytest.mark.parametrize("name", ["", "tenant-demo"])
def test_who_gives_no_name_is_refused_unless_somebody_is_named(name: str) -> None:
    server = NatsServer("127.0.0.1", 4222, "127.0.0.1:8222", "/data", name)
    assert parsed(nats_config.render(server, ("demo",), str)).get("no_auth_user", "") == name


def test_a_password_may_be_a_variable_of_the_servers_environment() -> None:
    text = nats_config.render(SERVER, (), lambda user: f"$NATS_PASSWORD_{user.upper()}")
    assert '"user": "gateway", "password": $NATS_PASSWORD_GATEWAY,' in text
    assert '"$' not in text.replace('"$JS', "").replace('"$O.', "")
