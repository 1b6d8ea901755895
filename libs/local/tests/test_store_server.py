"""Which Redis or Valkey runs: one without a known critical flaw where there is one; else its user is told of it."""

import gzip
import os
from contextlib import chdir
from pathlib import Path

import pytest

from vigil_local.commands import doctor
from vigil_local.commands.check import Check
from vigil_local.errors import Missing
from vigil_local.supervisor import store_server
from vigil_local.supervisor.store_server import CRITICAL, StoreServer, choose, look_at

REDIS_SAYS = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d53de34c4db8b3ee"
VALKEY_SAYS = "Valkey server v=9.1.2 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d53de34c4db8b3ee"


def redis(*version: int, mended: bool = False) -> StoreServer:
    major, minor, patch = version
    return StoreServer(Path(f"/r/{version}"), "Redis", (major, minor, patch), mended)


def valkey(*version: int) -> StoreServer:
    major, minor, patch = version
    return StoreServer(Path(f"/v/{version}"), "Valkey", (major, minor, patch))


@pytest.mark.parametrize(
    ("server", "flawed"),
    [
        (redis(6, 2, 14), True),
        (redis(6, 2, 20), False),
        (redis(7, 0, 15), True),
        (redis(7, 0, 15, mended=True), False),
        (redis(7, 2, 10), True),
        (redis(7, 2, 11), False),
        (redis(7, 4, 5), True),
        (redis(7, 4, 6), False),
        (redis(8, 0, 3), True),
        (redis(8, 0, 4), False),
        (redis(8, 2, 1), True),
        (redis(8, 2, 3), False),
        (redis(8, 4, 0), False),
        (valkey(7, 2, 10), True),
        (valkey(8, 0, 6), False),
        (valkey(8, 1, 3), True),
        (valkey(8, 1, 4), False),
        (valkey(9, 0, 0), False),
    ],
)
def test_a_critical_flaw_is_known_by_the_version_of_its_series(server: StoreServer, flawed: bool) -> None:
    assert server.flaw == (CRITICAL if flawed else "")


@pytest.mark.parametrize(
    ("servers", "chosen"),
    [
        ([redis(7, 0, 15), redis(8, 2, 3)], redis(8, 2, 3)),
        ([redis(8, 2, 1), redis(7, 2, 11)], redis(7, 2, 11)),
        ([redis(8, 6, 0), redis(8, 2, 3)], redis(8, 6, 0)),
        ([valkey(9, 1, 2), redis(8, 2, 3)], redis(8, 2, 3)),
        ([valkey(9, 1, 2), redis(7, 0, 15)], valkey(9, 1, 2)),
        ([redis(6, 2, 14), redis(7, 0, 15)], redis(7, 0, 15)),
    ],
)
def test_the_newest_redis_without_a_flaw_is_taken_else_valkey(servers: list[StoreServer], chosen: StoreServer) -> None:
    assert choose(servers) == choose(reversed(servers)) == chosen


def test_a_machine_without_a_server_is_told_what_to_install() -> None:
    with pytest.raises(Missing, match="redis-server is not installed") as missing:
        choose([])
    assert "Valkey" in missing.value.next_step


def program(folder: Path, says: str, status: int = 0) -> Path:
    path = folder / "usr" / "bin" / "redis-server"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_a_server_says_what_it_is(tmp_path: Path) -> None:
    first, second = program(tmp_path / "1", REDIS_SAYS), program(tmp_path / "2", VALKEY_SAYS)
    assert look_at(first) == StoreServer(first, "Redis", (7, 0, 15))
    assert look_at(second) == StoreServer(second, "Valkey", (9, 1, 2))
    found = look_at(second)
    assert found is not None
    assert found.name == "Valkey 9.1.2"


def test_what_is_no_server_is_passed_over(tmp_path: Path) -> None:
    assert look_at(program(tmp_path / "1", "redis-server: error while loading shared libraries", 127)) is None
    assert look_at(tmp_path / "absent") is None
    with chdir(tmp_path):
        assert look_at(Path(os.devnull)) is None


def test_a_distribution_mends_a_version_without_changing_it(tmp_path: Path) -> None:
    path = program(tmp_path, REDIS_SAYS)
    changes = tmp_path / "usr/share/doc/redis-tools/changelog.Debian.gz"
    changes.parent.mkdir(parents=True)
    changes.write_bytes(gzip.compress(b"redis (5:7.0.15-1~deb12u1)\n  * Rebuild.\n"))
    assert (found := look_at(path)) is not None
    assert found.flaw == CRITICAL
    changes.write_bytes(gzip.compress(f"redis (5:7.0.15-1~deb12u6)\n  * {CRITICAL}: a use after free.\n".encode()))
    assert (found := look_at(path)) is not None
    assert found.flaw == ""


def test_the_server_that_comes_with_vigil_has_no_known_critical_flaw() -> None:
    found = store_server.find()
    assert found.path.is_file()
    assert found.flaw == ""


def test_doctor_says_the_version_and_the_flaw() -> None:
    check = doctor.store(lambda: redis(8, 2, 3))
    assert (check.ok, check.detail) == (True, "Redis 8.2.3 (/r/(8, 2, 3))")
    check = doctor.store(lambda: redis(6, 2, 14))
    assert not check.ok
    assert check.detail.startswith("Redis 6.2.14 (")
    assert CRITICAL in check.detail
    assert "8.2.2" in check.mend

    def none() -> StoreServer:
        raise Missing("redis-server is not installed", "install it")

    assert doctor.store(none) == Check("redis-server", False, "redis-server is not installed", "install it")
