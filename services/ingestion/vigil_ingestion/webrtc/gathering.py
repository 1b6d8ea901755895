"""Gathers the addresses at which a client can reach this worker.

aioice takes any free port of every address. So the gathering is done here, from one range of ports, and its result is
put into aioice's connection, which then gathers nothing itself.
"""

import asyncio
import contextlib
import random
import socket

from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, get_host_addresses, relayed_candidate, server_reflexive_candidate

from vigil.runtime.process.logs import get_log
from vigil_ingestion.webrtc.network import Network

log = get_log()

SERVERS_S = 3.0  # for all STUN and TURN servers together; without an answer by then a client is told fewer addresses
SOCKET_BYTES = 1 << 20
COMPONENT = 1
ANY = {4: "0.0.0.0", 6: "::"}
LOOPBACK = "127.0.0.1"  # of a machine without a network


class PortsTaken(Exception):
    """Every port of the range is in use."""


async def gather(connection: Connection, network: Network) -> None:
    """Open the connection's sockets and learn its addresses. Raises `PortsTaken`.

    Whatever was opened until then is closed with the connection.
    """
    connection._local_candidates_start = True
    protocols = [await _opened(connection, host, network.ports) for host in _hosts(network)]
    found = [protocol.local_candidate for protocol in protocols]
    found += await _asked(connection, protocols)
    _advertise(found, network)
    connection._local_candidates += found
    connection._local_candidates_end = True


def _hosts(network: Network) -> list[str]:
    """The addresses to open sockets at. For each advertised address that is one socket at all addresses."""
    if network.advertised:
        return [ANY[6 if ":" in address else 4] for address in network.advertised]
    return get_host_addresses(use_ipv4=True, use_ipv6=True) or [LOOPBACK]


async def _opened(connection: Connection, host: str, ports: range) -> StunProtocol:
    bound = _bound(host, ports)
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(lambda: StunProtocol(connection), sock=bound)
    connection._protocols.append(protocol)  # whoever closes the connection closes it
    _, port, *_ = bound.getsockname()
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=COMPONENT,
        transport="udp",
        priority=candidate_priority(COMPONENT, "host"),
        host=host,
        port=port,
        type="host",
    )
    return protocol


def _bound(host: str, ports: range) -> socket.socket:
    """A socket at a free port of the range, else `PortsTaken`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in random.sample(ports, len(ports)) or [0]:
        opened = socket.socket(family, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind((host, port))
            return opened
        opened.close()
    span = f"{ports.start} to {ports.stop - 1}" if ports else "any"
    raise PortsTaken(f"no UDP port of {host} is free ({span})")


async def _asked(connection: Connection, protocols: list[StunProtocol]) -> list[Candidate]:
    """What STUN and TURN servers say of our addresses. A server that fails, or does not answer, adds nothing."""
    asked: list[asyncio.Task[tuple[Candidate, StunProtocol | None]]] = []
    if server := connection.stun_server:
        asked += [
            asyncio.create_task(server_reflexive_candidate(protocol, server))
            for protocol in protocols
            if ":" not in protocol.local_candidate.host
        ]
    if server := connection.turn_server:
        asked.append(asyncio.create_task(_relayed(connection, server)))
    if not asked:
        return []
    done, late = await asyncio.wait(asked, timeout=SERVERS_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    answers = [task.result() for task in done if task.exception() is None]
    if missing := len(asked) - len(answers):
        log.warning("ICE servers not reached", missing=missing, asked=len(asked))
    connection._protocols += [relay for _, relay in answers if relay is not None]
    return [candidate for candidate, _ in answers]


async def _relayed(connection: Connection, server: tuple[str, int]) -> tuple[Candidate, StunProtocol]:
    return await relayed_candidate(
        component=COMPONENT,
        hide_related_address=False,
        protocol_factory=lambda: StunProtocol(connection),
        turn_server=server,
        turn_username=connection.turn_username,
        turn_password=connection.turn_password,
        turn_ssl=connection.turn_ssl,
        turn_transport=connection.turn_transport,
    )


def _advertise(found: list[Candidate], network: Network) -> None:
    """Tell clients the advertised addresses. aioice pairs candidates by the address that they had when they were made,
    so the checks go on to use the sockets' own."""
    for candidate in found:
        for address in network.advertised:
            if candidate.type == "host" and (":" in candidate.host) == (":" in address):
                candidate.host = address
                break
            if candidate.type == "srflx" and ":" not in address:
                candidate.related_address = address
