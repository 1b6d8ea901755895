"""The name service of the test cluster: answers the names of Services and of their pods, as CoreDNS does.

It runs in a pod, on the standard library alone, and asks the API server every second what there is. A name of a Service
gives its address; the name of a headless Service gives the addresses of its pods that are ready, and each pod of a
StatefulSet has a name below it. Every other name does not exist: no pod of the cluster reaches a network outside.

    python dns.py https://10.96.0.1     the API server's address, until it is ended; `--probe` asks such a server
"""

import json
import logging
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("dns")

ZONE = "svc.cluster.local"
ADDRESS_RECORD, IN = 1, 1
NO_SUCH_NAME = 3
TTL_S = 1
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Names = dict[str, list[str]]
"""Addresses by name, in lower case, without the dot at the end."""


@dataclass(frozen=True, slots=True)
class Question:
    """The first question of a DNS message, and the bytes that an answer repeats."""

    name: str
    kind: int
    identity: bytes
    section: bytes


def names_of(services: Iterable[Mapping[str, Any]], endpoints: Iterable[Mapping[str, Any]]) -> Names:
    """The names that the cluster has, from the API server's lists of Services and Endpoints."""
    names: Names = {}
    headless: dict[tuple[str, str], bool] = {}
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        address = spec.get("clusterIP")
        if address and address != "None":
            names[f"{metadata['name']}.{metadata['namespace']}.{ZONE}"] = [address]
        elif address == "None":
            headless[metadata["name"], metadata["namespace"]] = bool(spec.get("publishNotReadyAddresses"))
    for endpoint in endpoints:
        key = endpoint["metadata"]["name"], endpoint["metadata"]["namespace"]
        if key in headless:
            _add_pods(names, f"{key[0]}.{key[1]}.{ZONE}", endpoint, not_ready=headless[key])
    return names


def _add_pods(names: Names, service: str, endpoint: Mapping[str, Any], *, not_ready: bool) -> None:
    for subset in endpoint.get("subsets") or ():
        pods = [*(subset.get("addresses") or ()), *((subset.get("notReadyAddresses") or ()) if not_ready else ())]
        for pod in pods:
            names.setdefault(service, []).append(pod["ip"])
            if pod.get("hostname"):
                names.setdefault(f"{pod['hostname']}.{service}", []).append(pod["ip"])


def read_question(message: bytes) -> Question:
    """The question of a DNS message. Raises ValueError or struct.error where the message is none."""
    labels, place = [], 12
    while length := message[place : place + 1]:
        place += 1
        if length == b"\0":
            break
        labels.append(message[place : place + length[0]].decode("ascii"))
        place += length[0]
    kind, _ = struct.unpack("!HH", message[place : place + 4])
    return Question(".".join(labels).lower(), kind, message[:2], message[12 : place + 4])


def answer(question: Question, names: Names) -> bytes:
    """The answer: IPv4 addresses for a name that exists, an empty one for its other records, else 'no such name'."""
    known = names.get(question.name)
    addresses = known if known and question.kind == ADDRESS_RECORD else []
    flags = 0x8580 | (0 if known else NO_SUCH_NAME)  # An answer with authority; recursion is offered.
    header = question.identity + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0)
    records = (
        b"\xc0\x0c" + struct.pack("!HHIH", ADDRESS_RECORD, IN, TTL_S, 4) + socket.inet_aton(address)
        for address in addresses
    )
    return header + question.section + b"".join(records)


def _list(server: str, kind: str) -> list[Mapping[str, Any]]:
    token = (ACCOUNT / "token").read_text()
    request = urllib.request.Request(f"{server}/api/v1/{kind}", headers={"Authorization": f"Bearer {token}"})
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, context=trusted, timeout=5) as response:
        return list(json.load(response)["items"])


def _follow(server: str, names: Names) -> None:
    while True:
        try:
            now = names_of(_list(server, "services"), _list(server, "endpoints"))
        except OSError as error:
            log.warning("API server unreachable: %s", error)
        else:
            if now != names:
                log.info("names changed: %d", len(now))
            for gone in names.keys() - now.keys():
                del names[gone]
            names.update(now)
        time.sleep(1)


def serve(server: str) -> None:
    """Answer questions on port 53 until the process ends."""
    names: Names = {}
    threading.Thread(target=_follow, args=(server, names), daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("0.0.0.0", 53))
        while True:
            message, asker = door.recvfrom(4096)
            try:
                door.sendto(answer(read_question(message), names), asker)
            except (ValueError, struct.error) as error:
                log.warning("question refused: %s", error)


def probe() -> bool:
    """Whether the server on this machine knows the API server's own name."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in f"kubernetes.default.{ZONE}".split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(2)
        door.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + b"\0\0\1\0\1", ("127.0.0.1", 53))
        reply = door.recv(512)
    return reply[7] > 0


if __name__ == "__main__":
    if "--probe" in sys.argv:
        sys.exit(0 if probe() else 1)
    logging.basicConfig(level=logging.INFO)
    serve(sys.argv[1])
