"""The alert life cycle: one alert keeps one id through opened, updated and closed (design §8).

Time is capture time in model milliseconds, so an alert neither closes while the camera is dead nor storms when
frames come late. The model opens and continues alerts by speaking; quiet closes them. A model that says something
new every second does not storm either: after each update with new words, the next waits a second longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from vigil.core.instruction import Instruction, Severity, Watch


class AlertState(StrEnum):
    """The last token of an alert's subject."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one watch. A closed alert is kept while its cooldown runs. `events` counts what was emitted.

    An alert that is not confirmed yet is not open, and no event told of it; its `event_ms` is when its words began.
    `severities` are those that its events had, in order.
    """

    id: str
    instruction_id: str
    watch: Watch
    text: str
    opened_capture_us: int
    spoken_ms: int
    event_ms: int
    is_open: bool = True
    closed_ms: int = -1
    events: int = 1
    is_confirmed: bool = True
    severities: tuple[Severity, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the session stands: the turn's sequence, model time and capture time."""

    session: str
    sequence: int
    time_ms: int
    capture_time_us: int


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A change of an alert that downstream systems hear of. `number` makes its id unique within the alert.

    `is_news` says that somebody who heard of the alert's opening or closing has to hear of this too: it opened, it
    goes on within its cooldown, or it became more severe.
    """

    alert: Alert
    state: AlertState
    reason: str
    number: int
    text: str
    severity: Severity
    moment: Moment
    is_news: bool = False


MAX_ALERTS = 64  # open alerts, at most one for each instruction, and those in their cooldown

_RANK = {severity: rank for rank, severity in enumerate(Severity)}

Alerts = tuple[Alert, ...]
Step = tuple[Alerts, tuple[AlertEvent, ...]]


def advance(
    alerts: Alerts, instructions: Sequence[Instruction], moment: Moment, words: Mapping[str, str], *, held_ms: int = -1
) -> Step:
    """Move every alert of a session by one turn. `words` maps an instruction's id to what the model said under it,
    see `attribution`; empty when the model was silent. An alert whose words came at `held_ms` is not quiet yet in this
    turn: the model had to answer a question in it."""
    alerts, events = _rewatched(alerts, instructions, moment)
    step: Step = (tuple(alert for alert in alerts if not _expired(alert, moment)), events)
    for instruction in instructions:
        if instruction.watch is not None and instruction.id in words:
            step = _join(step, _speak(step[0], instruction, instruction.watch, moment, words[instruction.id]))
    watched = {(standing.id, standing.watch.name) for standing in instructions if standing.watch is not None}
    for alert in step[0]:
        is_cleared = (alert.instruction_id, alert.watch.name) not in watched
        reason = _closing_reason(alert, moment, cleared=is_cleared, held_ms=held_ms)
        if reason:
            step = _join(step, _close(step[0], alert, moment, reason))
    spoken = (moment.time_ms, held_ms)
    going_on = tuple(alert for alert in step[0] if alert.is_confirmed or alert.spoken_ms in spoken)
    return _bounded(going_on), step[1]


def close_all(alerts: Alerts, moment: Moment, reason: str) -> Step:
    """Close what is open, because the session ends or forgets."""
    step: Step = (alerts, ())
    for alert in alerts:
        if alert.is_open:
            step = _join(step, _close(step[0], alert, moment, reason))
    return step


def _join(before: Step, after: Step) -> Step:
    return after[0], before[1] + after[1]


def _bounded(alerts: Alerts) -> Alerts:
    """Forget the oldest closed alerts beyond `MAX_ALERTS`; an open alert stays, because its closing is to come."""
    surplus = max(0, len(alerts) - MAX_ALERTS)
    forgotten = {alert.id for alert in [alert for alert in alerts if not alert.is_open][:surplus]}
    return tuple(alert for alert in alerts if alert.id not in forgotten)


def _rewatched(alerts: Alerts, instructions: Sequence[Instruction], moment: Moment) -> Step:
    """Give each alert its watch as it is now: a changed hold counts at once, a changed severity is an event at once."""
    watches = {(standing.id, standing.watch.name): standing.watch for standing in instructions if standing.watch}
    step: Step = (alerts, ())
    for alert in alerts:
        watch = watches.get((alert.instruction_id, alert.watch.name), alert.watch)
        if watch == alert.watch:
            continue
        changed = replace(alert, watch=watch)
        if alert.is_open and watch.severity is not alert.watch.severity:
            reason = f"severity changed from {alert.watch.severity}"
            changed = replace(
                changed,
                event_ms=moment.time_ms,
                events=alert.events + 1,
                severities=_joined(alert.severities or (alert.watch.severity,), watch.severity),
            )
            is_worse = _RANK[watch.severity] > _RANK[alert.watch.severity]
            state = AlertState.UPDATED
            event = AlertEvent(changed, state, reason, alert.events, alert.text, watch.severity, moment, is_worse)
            step = _join(step, (step[0], (event,)))
        step = (_put(step[0], changed), step[1])
    return step


def _closing_reason(alert: Alert, moment: Moment, *, cleared: bool, held_ms: int) -> str:
    if not alert.is_open or alert.spoken_ms == moment.time_ms:
        return ""
    if cleared:
        return "the watch was cleared"
    if alert.spoken_ms == held_ms:
        return ""
    quiet_s = (moment.time_ms - alert.spoken_ms) / 1000
    return f"quiet for {alert.watch.hold_s:g} s" if quiet_s >= alert.watch.hold_s else ""


def _expired(alert: Alert, moment: Moment) -> bool:
    return alert.is_confirmed and not alert.is_open and moment.time_ms - alert.closed_ms > alert.watch.cooldown_s * 1000


def _speak(alerts: Alerts, instruction: Instruction, watch: Watch, moment: Moment, text: str) -> Step:
    for alert in alerts:
        if alert.instruction_id == instruction.id and alert.watch.name == watch.name:
            say = _continue if alert.is_confirmed else _confirm
            return say(alerts, alert, watch, moment, text)
    alert = Alert(
        id=f"{moment.session}-{instruction.id}-{moment.sequence}",  # two watches may bear one name
        instruction_id=instruction.id,
        watch=watch,
        text=text,
        opened_capture_us=moment.capture_time_us,
        spoken_ms=moment.time_ms,
        event_ms=moment.time_ms,
        is_open=False,
        events=0,
        is_confirmed=False,
    )
    return _confirm((*alerts, alert), alert, watch, moment, text)


def _confirm(alerts: Alerts, alert: Alert, watch: Watch, moment: Moment, text: str) -> Step:
    """Open the alert once the model has said it for long enough."""
    heard = replace(alert, watch=watch, text=text, spoken_ms=moment.time_ms)
    said_ms = moment.time_ms - alert.event_ms
    if said_ms < watch.confirm_s * 1000:
        return _put(alerts, heard), ()
    opened = replace(
        heard,
        is_open=True,
        is_confirmed=True,
        opened_capture_us=moment.capture_time_us,
        event_ms=moment.time_ms,
        events=1,
        severities=(watch.severity,),
    )
    reason = f"the model spoke for {said_ms / 1000:g} s" if said_ms else "the model spoke"
    return _put(alerts, opened), (AlertEvent(opened, AlertState.OPENED, reason, 0, text, watch.severity, moment, True),)


def _continue(alerts: Alerts, alert: Alert, watch: Watch, moment: Moment, text: str) -> Step:
    reason = _update_reason(alert, watch, moment, text)
    spoken = replace(alert, watch=watch, is_open=True, closed_ms=-1, spoken_ms=moment.time_ms, text=text)
    if not reason:
        return _put(alerts, spoken), ()
    severities = _joined(alert.severities, watch.severity)
    updated = replace(spoken, event_ms=moment.time_ms, events=alert.events + 1, severities=severities)
    is_news = not alert.is_open
    event = AlertEvent(updated, AlertState.UPDATED, reason, alert.events, text, watch.severity, moment, is_news)
    return _put(alerts, updated), (event,)


def _update_reason(alert: Alert, watch: Watch, moment: Moment, text: str) -> str:
    if not alert.is_open:
        return "spoken again within the cooldown"
    since_ms = moment.time_ms - alert.event_ms
    if text != alert.text and since_ms >= min(alert.events, watch.update_interval_s) * 1000:
        return "new words"
    return "still going on" if since_ms >= watch.update_interval_s * 1000 else ""


def _close(alerts: Alerts, alert: Alert, moment: Moment, reason: str) -> Step:
    closed = replace(alert, is_open=False, closed_ms=moment.time_ms, event_ms=moment.time_ms, events=alert.events + 1)
    event = AlertEvent(closed, AlertState.CLOSED, reason, alert.events, alert.text, alert.watch.severity, moment)
    return _put(alerts, closed), (event,)


def _joined(severities: tuple[Severity, ...], severity: Severity) -> tuple[Severity, ...]:
    return severities if severity in severities else (*severities, severity)


def _put(alerts: Alerts, changed: Alert) -> Alerts:
    return tuple(changed if alert.id == changed.id else alert for alert in alerts)
