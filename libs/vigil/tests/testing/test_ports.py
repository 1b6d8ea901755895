"""Ports for tests: every process is given others, and none that somebody listens on."""

import socket
import subprocess
import sys

import pytest

from vigil.testing.ports import free_port, free_ports

TAKES_FIFTY = """
import sys
from vigil.testing.ports import free_port
print(*(free_port() for _ in range(50)), flush=True)
sys.stdin.read()
"""


def test_processes_side_by_side_are_given_different_ports() -> None:
    pipe = subprocess.PIPE
    others = [
        subprocess.Popen([sys.executable, "-c", TAKES_FIFTY], stdin=pipe, stdout=pipe, text=True) for _ in range(6)
    ]
    try:
        given = [int(port) for other in others if other.stdout for port in other.stdout.readline().split()]
        given += [free_port() for _ in range(50)]
    finally:
        for other in others:
            other.communicate()
    assert len(given) == len(set(given)) == 350


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    with socket.socket() as taken:
        first = free_port()
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert first not in {free_port() for _ in range(1_000)}


def test_ports_in_a_row_are_all_free_and_all_ones_own() -> None:
    first = free_ports(20)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 7))
        again = {free_ports(20) for _ in range(40)}
    assert all(first + 7 not in range(start, start + 20) for start in again)


def test_more_ports_in_a_row_than_a_process_has_are_refused() -> None:
    with pytest.raises(RuntimeError, match="201 free ports in a row are more than the 200"):
        free_ports(201)
