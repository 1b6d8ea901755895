"""The keys of a tenant, for its administrator. They are made and removed with `vigil keys`, where the key file is."""

from fastapi import APIRouter

from vigil.contract.api_keys import KeyRole
from vigil_gateway.api.auth import require
from vigil_gateway.api.models.keys import KeyList, KeyOut, key_out
from vigil_gateway.ports import Holder, PortsOf, taking

router = APIRouter(prefix="/v1", tags=["keys"])


@router.get("/key")
async def show_key(holder: Holder) -> KeyOut:
    """The key of this request: its tenant, its role and until when it is valid."""
    return key_out(holder)


@router.get("/keys", openapi_extra=taking(KeyRole.ADMIN))
async def list_keys(ports: PortsOf, holder: Holder) -> KeyList:
    """Every key of your tenant, expired ones too. Takes the role `admin`."""
    require(holder, KeyRole.ADMIN)
    return KeyList(keys=[key_out(key) for key in ports.keys.of_tenant(holder.tenant)])
