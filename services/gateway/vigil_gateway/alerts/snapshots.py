"""Pictures of alerts."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from vigil.contract.snapshots import snapshot_name
from vigil_gateway.ports import PortsOf, Tenant

JPEG = "image/jpeg"

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

AlertId = Annotated[str, Path(max_length=256, description="The `alert_id` of an alert")]


@router.get(
    "/{alert_id}/snapshot",
    response_class=Response,
    responses={200: {"description": "The frame that opened the alert", "content": {JPEG: {}}}},
)
async def show_snapshot(ports: PortsOf, tenant: Tenant, alert_id: AlertId) -> Response:
    """The picture that an alert's `snapshot.path` names; kept for 7 days."""
    picture = await ports.bus.get_snapshot(snapshot_name(tenant, alert_id))
    return Response(picture, media_type=JPEG, headers={"Cache-Control": "no-cache"})
