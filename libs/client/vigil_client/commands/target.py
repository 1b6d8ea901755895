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
DataDir = Annotated[Path, typer.Option("--data-dir", envvar="VIGIL_DATA_DIR", help="Where `vigil up` keeps its files.")]


def gateway(url: str, api_key: str, data_dir: Path = DATA_DIR) -> tuple[str, str]:
    """Address and key: as given, else those of the `vigil up` on this machine. Raises `NotConfigured`."""
    if url and api_key:
        return url, api_key
    known = endpoints.find(data_dir)
    return url or known.gateway_url, api_key or known.api_key


def nats(url: str, data_dir: Path = DATA_DIR) -> str:
    """The NATS address: as given, else that of the `vigil up` on this machine. Raises `NotConfigured`."""
    return url or endpoints.find(data_dir).nats_url


def tenant(data_dir: Path = DATA_DIR) -> str:
    """The tenant of the `vigil up` on this machine; that of any other `vigil up` when there is none here."""
    try:
        return endpoints.find(data_dir).tenant
    except NotConfigured:
        return TENANT
