"""What people do about an alert: acknowledge it, mute it. Each is an event, stored once and behind the alert's opening.

The action is stored only while the alert's newest event is the one that was read: two gateways that are asked at once
store one of the two, and none is stored behind the closing of its alert.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from vigil.contract.events.alert_actions import ActionTaken, action_outgoing
from vigil.contract.events.envelope import rfc3339
from vigil.contract.subject_tokens import AlertAction
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusUnavailable, StreamMovedOn
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import current_traceparent
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway import metrics
from vigil_gateway.alerts.book import Actions, Entry
from vigil_gateway.alerts.reading import AlertReader
from vigil_gateway.api.errors import AlertClosed

log = get_log()

TRIES = 10  # a source of many sessions has some events of alerts a second
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Acting:
    """Who does something about which alert."""

    tenant: str
    alert_id: str
    by: str


# What is to be stored of an action, given what was done before and the time; None: that is so already.
Decide = Callable[[Actions, int], ActionTaken | None]


async def acknowledge(bus: Bus, reader: AlertReader, who: Acting, note: str) -> Entry:
    """The alert, acknowledged. One that was acknowledged before stays as it is. Raises `UnknownAlert`, `AlertClosed`,
    `BusError`."""

    def decide(before: Actions, at_us: int) -> ActionTaken | None:
        if before.acknowledged_at is not None:
            return None
        return ActionTaken(AlertAction.ACKNOWLEDGED, who.by, at_us, note)

    return await _act(bus, reader, who, AlertAction.ACKNOWLEDGED, decide)


async def mute(bus: Bus, reader: AlertReader, who: Acting, minutes: int, note: str) -> Entry:
    """The alert, muted until the whole minute that comes after so many minutes; 0 ends its mute. What is so already is
    stored once. Raises `UnknownAlert`, `AlertClosed`, `BusError`."""

    def decide(before: Actions, at_us: int) -> ActionTaken | None:
        until_us = math.ceil(at_us / _MINUTE_US + minutes) * _MINUTE_US if minutes else at_us
        is_muted = before.muted_until is not None and before.muted_until > rfc3339(at_us)
        if before.muted_until == rfc3339(until_us) or not (minutes or is_muted):
            return None
        return ActionTaken(AlertAction.MUTED, who.by, at_us, note, until_us, before.mutes)

    return await _act(bus, reader, who, AlertAction.MUTED, decide)


async def _act(bus: Bus, reader: AlertReader, who: Acting, action: AlertAction, decide: Decide) -> Entry:
    for _ in range(TRIES):
        life = await reader.life(who.tenant, who.alert_id)
        taken = decide(life.entry.actions or Actions(), now_us())
        if taken is None:
            metrics.ALERT_ACTIONS.labels(action, "repeated").inc()
            return life.entry
        if not life.entry.is_open:
            metrics.ALERT_ACTIONS.labels(action, "refused").inc()
            raise AlertClosed(who.alert_id, str(life.entry.newest.data.get("reason", "")))
        outgoing = action_outgoing(life.entry.newest, taken, current_traceparent())
        try:
            stored = await bus.publish_stored(outgoing, life.newest)
        except StreamMovedOn:
            continue
        if not stored.duplicate:
            metrics.ALERT_ACTIONS.labels(action, "stored").inc()
            log.info("alert action stored", action=action, alert=who.alert_id, by=who.by)
            life.take(outgoing.payload, stored.sequence)
            return life.entry
    raise BusUnavailable(f"the alerts of this source change too fast: the alert was not {action}")
