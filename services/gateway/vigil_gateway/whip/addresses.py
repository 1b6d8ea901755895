"""The addresses of WHIP, and the servers that its clients are told of."""

from typing import Annotated

from fastapi import Path

from vigil.contract.api_keys import ApiKey, KeyRole
from vigil.runtime.process.ice_servers import ice_servers
from vigil_gateway.ports import Ports
from vigil_gateway.whip.link import ice_links

ANEW = "/v1/whip"
SESSION = "/v1/sessions/{session}/whip"
CONNECTION = "/v1/sessions/{session}/whip/{resource}"

Resource = Annotated[str, Path(description="The connection, as `Location` of the offer's answer names it")]


def links_for(ports: Ports, holder: ApiKey) -> tuple[str, ...]:
    """The `Link` headers of the STUN and TURN servers, which have credentials: for those who may publish."""
    if not holder.role.covers(KeyRole.OPERATOR):
        return ()
    return ice_links(ice_servers(ports.settings.ice_servers.get_secret_value()))
