"""Ports, lock and guard: by value and property."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_client.endpoints import Endpoints
from vigil_local.commands.up import where
from vigil_local.errors import AlreadyRunning, PortInUse
from vigil_local.supervisor import guard, lock, ports


def test_a_taken_port_is_named_with_its_user() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        base = port - 1 if port > 1025 else port
        names = ["gateway", "nats"] if base < port else ["nats"]
        with pytest.raises(PortInUse, match=rf"{port} \(nats\)"):
            ports.explicit(names, base)


def test_preferred_ports_yield_to_their_holders() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        held = taken.getsockname()[1]
        chosen = ports.chosen({"gateway": held, "nats": held})
        assert held not in chosen.values()
        assert len(set(chosen.values())) == 2


def test_ports_that_moved_are_told_in_one_line() -> None:
    usual = {"gateway": 8080, "nats": 4222, "redis": 6379}
    assert ports.moved(usual, {"gateway": 8080, "nats": 4222}) == ""
    told = ports.moved(usual, {"gateway": 30_001, "nats": 4222, "redis": 30_002})
    assert told.endswith("instead: 8080 (gateway: 30001), 6379 (redis: 30002)")
    assert f"  ports    {told}\n" in where(Endpoints("http://127.0.0.1:30001", "nats://127.0.0.1:4222", "key"), told)
    assert "ports" not in where(Endpoints("http://127.0.0.1:8080", "nats://127.0.0.1:4222", "key"), "")


@pytest.mark.parametrize("base", [0, 80, 65_535])
def test_a_port_base_out_of_range(base: int) -> None:
    with pytest.raises(PortInUse, match="outside"):
        ports.explicit(["gateway"], base)


def test_one_holder_per_directory(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock.held(path), pytest.raises(AlreadyRunning, match=r"already runs .*process \d+"), lock.held(path):
        pytest.fail("held twice")
    with lock.held(path):
        assert int(path.read_text()) > 0


@given(st.lists(st.integers(2, 500), max_size=30), st.data())
def test_the_guard_keeps_exactly_what_was_not_taken_away(added: list[int], data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(added), unique=True)) if added else []
    lines = [f"+{group}\n" for group in added] + [f"-{group}\n" for group in gone]
    assert guard.groups_left(lines) == set(added) - set(gone)
