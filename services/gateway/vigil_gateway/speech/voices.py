"""`GET /v1/voices`: by which names a session may ask for a voice."""

from fastapi import APIRouter
from pydantic import Field

from vigil.core.source import Role
from vigil_gateway.api.models.base import Out
from vigil_gateway.ports import PortsOf, Tenant

router = APIRouter(prefix="/v1/voices", tags=["sessions"])


class VoicesOut(Out):
    """The voices that the workers have."""

    voices: list[str] = Field(
        description="Names for `voice.name` of a session; empty where no worker speaks, or its engine does not tell",
        examples=[["heart"]],
    )


@router.get("")
async def list_voices(ports: PortsOf, _: Tenant) -> VoicesOut:
    """The voices that the workers of the role `tts` have now. Another name may be known to their engine, too."""
    offered = await ports.placement.capacity(Role.TTS)
    return VoicesOut(voices=list(offered.models))
