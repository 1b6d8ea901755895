"""The name service of the test cluster, by value."""

import socket
import struct
from typing import Any

from cluster.dns import answer, names_of, read_question

SERVICES: list[dict[str, Any]] = [
    {"metadata": {"name": "redis", "namespace": "vigil"}, "spec": {"clusterIP": "10.96.0.7"}},
    {"metadata": {"name": "nats", "namespace": "vigil"}, "spec": {"clusterIP": "None"}},
    {
        "metadata": {"name": "peers", "namespace": "vigil"},
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": True},
    },
]
READY, STARTING = {"ip": "10.244.0.2", "hostname": "nats-0"}, {"ip": "10.244.0.3", "hostname": "nats-1"}
ENDPOINTS: list[dict[str, Any]] = [
    {
        "metadata": {"name": name, "namespace": "vigil"},
        "subsets": [{"addresses": [READY], "notReadyAddresses": [STARTING]}],
    }
    for name in ("redis", "nats", "peers")
]
NAMES = names_of(SERVICES, ENDPOINTS)


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def test_services_have_names_and_headless_ones_those_of_their_pods() -> None:
    assert NAMES == {
        "redis.vigil.svc.cluster.local": ["10.96.0.7"],
        "nats.vigil.svc.cluster.local": ["10.244.0.2"],
        "nats-0.nats.vigil.svc.cluster.local": ["10.244.0.2"],
        "peers.vigil.svc.cluster.local": ["10.244.0.2", "10.244.0.3"],
        "nats-0.peers.vigil.svc.cluster.local": ["10.244.0.2"],
        "nats-1.peers.vigil.svc.cluster.local": ["10.244.0.3"],
    }


def test_a_name_is_answered_with_its_addresses_whatever_its_case() -> None:
    asked = question("Redis.vigil.svc.cluster.local")
    reply = answer(read_question(asked), NAMES)
    assert reply[:2] == asked[:2]
    assert reply[3] & 15 == 0
    assert reply[12:].startswith(asked[12:])
    assert reply.endswith(socket.inet_aton("10.96.0.7"))


def test_other_records_of_a_name_are_empty_and_other_names_do_not_exist() -> None:
    ipv6 = answer(read_question(question("redis.vigil.svc.cluster.local", kind=28)), NAMES)
    unknown = answer(read_question(question("redis")), NAMES)
    assert (ipv6[3] & 15, struct.unpack("!H", ipv6[6:8])) == (0, (0,))
    assert (unknown[3] & 15, struct.unpack("!H", unknown[6:8])) == (3, (0,))
