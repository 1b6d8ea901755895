"""Options that every command that talks to a running Vigil has, and how they are filled in when left out."""

from pathlib import Path
from typing import Annotated

import typer

from vigil_client import endpoints
from vigil_client.alerts import TENANT
from vigil_client.endpoints import DATA_DIR
from vigil_client.errors import NotConfigured

Gateway = Annotated[
    str, typer.Option("--gateway", envvar="VIGIL_GATEWAY_URL", help="Gateway address; default: the `vigil up` here.")
]
ApiKey = Annotated[str, typer.Option("--api-key", envvar="VIGIL_API_KEY", help="API key of your tenant.")]
Nats = Annotated[
    str, typer.Option("--nats", envvar="VIGIL_NATS_URL", help="NATS address; default: the `vigil up` here.")
]
CaFile = Annotated[
    str,
    typer.Option(
        "--ca-file",
        envvar="VIGIL_CA_FILE",
        metavar="PEM",
        help="Authorities behind https:// and tls:// addresses; default: the system's.",
    ),
]
DataDir = Annotated[Path, typer.Option("--data-dir", envvar="VIGIL_DATA_DIR", help="Where `vigil up` keeps its files.")]


def gateway(url: str, api_key: str, ca_file: str = "", data_dir: Path = DATA_DIR) -> tuple[str, str, str]:
    """Address, key and file of authorities: as given, else those of the `vigil up` on this machine. Raises
    `NotConfigured`."""
    if url and api_key:
        return url, api_key, ca_file
    known = endpoints.find(data_dir)
    return url or known.gateway_url, api_key or known.api_key, ca_file or known.ca_file


def nats(url: str, ca_file: str = "", data_dir: Path = DATA_DIR) -> tuple[str, str]:
    """The NATS address and the file of authorities: as given, else those of the `vigil up` on this machine. Raises
    `NotConfigured`."""
    if url:
        return url, ca_file
    known = endpoints.find(data_dir)
    return known.nats_url, ca_file or known.ca_file


def tenant(data_dir: Path = DATA_DIR) -> str:
    """The tenant of the `vigil up` on this machine; that of any other `vigil up` when there is none here."""
    try:
        return endpoints.find(data_dir).tenant
    except NotConfigured:
        return TENANT
