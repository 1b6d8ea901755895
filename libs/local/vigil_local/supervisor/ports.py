"""TCP ports on the loopback: checked when they were asked for, chosen free when they were not."""

import socket
from collections.abc import Mapping, Sequence

from vigil.contract.service_spec import ServiceSpec
from vigil_local.errors import PortInUse


def grpc_name(row: ServiceSpec) -> str:
    """What the gRPC port of a service is called here; its HTTP port is called like the service."""
    return f"{row.name} gRPC"


def metrics_name(row: ServiceSpec) -> str:
    """What the port of a service that is for metrics alone is called here."""
    return f"{row.name} metrics"


def ports_of(row: ServiceSpec) -> dict[str, int]:
    """The preferred ports of a service by what they are called."""
    grpc = {} if row.grpc_port is None else {grpc_name(row): row.grpc_port}
    metrics = {} if row.metrics_port is None else {metrics_name(row): row.metrics_port}
    return {row.name: row.http_port} | grpc | metrics


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def explicit(names: Sequence[str], base: int) -> dict[str, int]:
    """`base`, `base + 1`, … for the names, in order. Raises `PortInUse` that names who wanted which port."""
    if not 1024 <= base <= 65_535 - len(names):
        raise PortInUse(f"--port-base {base} is outside 1024 to {65_535 - len(names)}", "give another --port-base")
    ports = {name: base + offset for offset, name in enumerate(names)}
    taken = {name: port for name, port in ports.items() if not is_free(port)}
    if taken:
        listed = ", ".join(f"{port} ({name})" for name, port in taken.items())
        raise PortInUse(
            f"port in use: {listed}",
            "stop what listens there, give another --port-base, or leave it out to have free ports chosen",
        )
    return ports


def chosen(preferred: Mapping[str, int]) -> dict[str, int]:
    """Each name's preferred port where that is free, else one that the system picks; all different."""
    ports = {name: port for name, port in preferred.items() if is_free(port)}
    missing = [name for name in preferred if name not in ports]
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in missing]
    try:
        ports |= {name: holder.getsockname()[1] for name, holder in zip(missing, holders, strict=True)}
    finally:
        for holder in holders:
            holder.close()
    return ports


def moved(preferred: Mapping[str, int], taken: Mapping[str, int]) -> str:
    """Which preferred ports others have, in words, where another port was taken in their place; empty: none."""
    others = [f"{preferred[name]} ({name}: {port})" for name, port in taken.items() if port != preferred[name]]
    return f"usual ports that others have, and what was taken instead: {', '.join(others)}" if others else ""
