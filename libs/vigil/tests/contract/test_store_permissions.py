"""The commands that a service may give Redis are those that the code gives, and no others."""

import re
from pathlib import Path

import vigil.runtime
from vigil.contract import store_permissions
from vigil.contract.service_spec import StoreAccess
from vigil.contract.services import CODEC, GATEWAY, SERVICES
from vigil.contract.store_permissions import COMMANDS, of_service

RUNTIME = Path(vigil.runtime.__path__[0])
OF_SCRIPTS = re.compile(r"redis\.call\('([A-Z]+)'")
OF_THE_CODE = re.compile(r"(?:self\._redis|redis|pipeline)\.([a-z]+)\(")
# What redis-py gives by itself: to connect, and for several commands at once.
OF_THE_CLIENT = {"auth", "hello", "ping", "multi", "exec", "discard"}
OF_PYTHON_ALONE = {"pipeline", "execute", "aclose", "call"}
OTHER_NAMES = {"delete": "del"}


def given() -> set[str]:
    """Every command that a script or a method of store and placement gives."""
    scripts = [name for path in RUNTIME.rglob("*.lua") for name in OF_SCRIPTS.findall(path.read_text())]
    methods = [
        name
        for package in ("store", "placement")
        for path in (RUNTIME / package).glob("*.py")
        for name in OF_THE_CODE.findall(path.read_text())
    ]
    return {name.lower() for name in scripts} | {OTHER_NAMES.get(name, name) for name in methods} - OF_PYTHON_ALONE


def test_what_is_given_is_allowed_and_what_is_allowed_is_given() -> None:
    assert given() | OF_THE_CLIENT == set(of_service(GATEWAY).commands)


def test_nobody_may_look_at_all_keys_or_change_the_server() -> None:
    for commands in COMMANDS.values():
        assert not {"keys", "scan", "flushall", "flushdb", "config", "acl", "debug", "shutdown", "script"} & {*commands}


def test_who_decodes_pictures_of_strangers_cannot_write_the_state_of_a_session() -> None:
    """The state is texts and lists; the codec may give no command that writes either."""
    assert not {"set", "setnx", "getex", "rpush", "ltrim"} & {*COMMANDS[CODEC.store]}


def test_each_level_may_do_more_than_the_one_before() -> None:
    claim, work, manage = (set(COMMANDS[level]) for level in list(StoreAccess)[1:])
    assert claim < work < manage


def test_who_does_not_use_redis_has_no_user_there() -> None:
    names = [user.name for user in store_permissions.users()]
    assert names == [*(row.name for row in SERVICES if row.uses_redis), "operator"]
    assert all(row.uses_redis == bool(row.redis_keys) for row in SERVICES)
    assert "webhook" not in names
