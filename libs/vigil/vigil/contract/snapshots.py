"""The picture of an alert: its name in the object store, and its path on the gateway."""

from vigil.contract.events.alerts import SnapshotRef
from vigil.contract.streams import SNAPSHOTS
from vigil.core.ids import token


def snapshot_name(tenant: str, alert_id: str) -> str:
    """The object's name. The tenant comes first: another tenant's picture cannot be named."""
    return f"{token(tenant, 'tenant')}/{alert_id}"


def snapshot_ref(tenant: str, alert_id: str) -> SnapshotRef:
    """What an alert event says of its picture."""
    return SnapshotRef(SNAPSHOTS.name, snapshot_name(tenant, alert_id), f"/v1/alerts/{alert_id}/snapshot")
