"""What a session's tile says. Pure: from what store, placement and stream have of the session."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from vigil.contract.decision import StoredDecision, decision_json
from vigil.contract.unreadable import UNREADABLE
from vigil.core.alert import Alert
from vigil.core.source import Role
from vigil.runtime.store.overview import Overview
from vigil_gateway.api.models.wall import TileAlert, TileDecision, TileOut, TileState
from vigil_gateway.sessions.views import source_out

_LAST = frozenset(TileDecision.model_fields)
_RECONNECTING, _STALLED, _DECIDING = "reconnecting", "stalled", "deciding"


def tile(overview: Overview, last: StoredDecision | None, full: Mapping[Role, str]) -> TileOut:
    """The tile. `full` are the roles that nobody holds the session in and nobody has room for, with words for that."""
    spec = overview.spec
    state, detail = _state(overview, last, full)
    return TileOut(
        session=spec.session,
        name=spec.source.name or spec.source.id,
        source=source_out(spec.source),
        state=state,
        detail=detail,
        last=None if last is None else _last(last),
        time_s=None if last is None else last.time_ms / 1_000,
        alerts=[_alert(alert) for alert in overview.alerts if alert.is_open and alert.is_confirmed],
    )


def _state(overview: Overview, last: StoredDecision | None, full: Mapping[Role, str]) -> tuple[TileState, str]:
    if overview.ended is not None:
        return TileState.ENDED, overview.ended.reason
    if full:
        return TileState.CAPACITY, "; ".join(full.values())
    camera, model = (_said(overview.status, role) for role in (Role.INGESTION, Role.INTERACTION))
    if camera.get("state") == _RECONNECTING:
        return TileState.RECONNECTING, str(camera.get("detail", ""))
    if model.get("state") == _STALLED:
        return TileState.STALLED, str(model.get("detail", ""))
    if last is not None or model.get("state") == _DECIDING:
        return TileState.LIVE, str(camera.get("detail", ""))
    return TileState.STARTING, str(camera.get("detail", ""))


def _said(status: Mapping[str, str], role: Role) -> dict[str, Any]:
    try:
        return msgspec.json.decode(status.get(role, "{}"), type=dict[str, Any])
    except UNREADABLE:
        return {}


def _last(decision: StoredDecision) -> TileDecision:
    return TileDecision.model_validate(
        {name: value for name, value in decision_json(decision).items() if name in _LAST}
    )


def _alert(alert: Alert) -> TileAlert:
    return TileAlert(
        alert_id=alert.id,
        watch=alert.watch.name,
        severity=alert.severities[-1] if alert.severities else alert.watch.severity,
        text=alert.text,
        opened_at=datetime.fromtimestamp(alert.opened_capture_us / 1e6, UTC),
    )
