"""What people do about an alert, as events: by value, against the published schema, and for readers that know less."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from vigil.contract import permissions, subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.alert_actions import ActionTaken, action_outgoing
from vigil.contract.events.alerts import SnapshotRef, alert_outgoing
from vigil.contract.events.envelope import CloudEvent, Emission, decode_event
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.services import GATEWAY, INTERACTION, SERVICES
from vigil.contract.subject_tokens import AlertAction
from vigil.contract.subject_values import is_within
from vigil.core.alert import AlertEvent, AlertState
from vigil.core.session import SessionSpec

ASYNCAPI: dict[str, Any] = yaml.safe_load((Path(__file__).parents[4] / "proto" / "asyncapi.yaml").read_text("utf-8"))
OPENED_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
AT_US = OPENED_US + 60_000_000
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SNAPSHOT = SnapshotRef("VIGIL_SNAPSHOTS", "demo.s-1-fire-7", "/v1/alerts/s-1-fire-7/snapshot")
ACKNOWLEDGED = ActionTaken(AlertAction.ACKNOWLEDGED, "Ann", AT_US, "on my way")
MUTED = ActionTaken(AlertAction.MUTED, "Ann", AT_US, until_us=AT_US + 1_800_000_000, number=2)

MakeAlertEvent = Callable[[AlertState, int], AlertEvent]


@pytest.fixture
def opened(spec: SessionSpec, make_alert_event: MakeAlertEvent) -> Outgoing:
    """The event with which the alert opened."""
    emission = Emission(OPENED_US, OPENED_US + 312_400, TRACE)
    return alert_outgoing(spec, make_alert_event(AlertState.OPENED, 0), 0.875, emission, SNAPSHOT)


def data_of(outgoing: Outgoing) -> dict[str, Any]:
    data: dict[str, Any] = decode_event(outgoing.payload).data
    return data


def test_an_acknowledgement_by_value(opened: Outgoing) -> None:
    outgoing = action_outgoing(decode_event(opened.payload), ACKNOWLEDGED, TRACE)
    assert outgoing.subject == "vigil.v1.alert.demo.lobby.acknowledged"
    assert outgoing.message_id == "demo.s-1-fire-7.acknowledged.0"
    assert (outgoing.content_type, outgoing.traceparent) == (CLOUDEVENT, TRACE)
    event = decode_event(outgoing.payload)
    assert (event.type, event.subject, event.time) == (
        "vigil.alert.acknowledged",
        "s-1-fire-7",
        "2026-01-01T00:01:00.000Z",
    )
    assert event.source == decode_event(opened.payload).source
    assert event.data == data_of(opened) | {
        "state": "acknowledged",
        "reason": "acknowledged by Ann: on my way",
        "emit_time": "2026-01-01T00:01:00.000Z",
        "news": False,
        "by": "Ann",
        "note": "on my way",
        "until": None,
    }


def test_a_mute_by_value(opened: Outgoing) -> None:
    outgoing = action_outgoing(decode_event(opened.payload), MUTED)
    assert (outgoing.subject, outgoing.message_id) == (
        "vigil.v1.alert.demo.lobby.muted",
        "demo.s-1-fire-7.muted.2",
    )
    data = data_of(outgoing)
    assert (data["state"], data["by"], data["note"], data["until"]) == ("muted", "Ann", "", "2026-01-01T00:31:00.000Z")
    assert data["reason"] == "muted by Ann until 2026-01-01T00:31:00.000Z"
    assert "traceparent" not in msgspec.json.decode(outgoing.payload)


def test_a_mute_that_ends_now_ends_the_one_before() -> None:
    assert ActionTaken(AlertAction.MUTED, "Bo", AT_US, "back", AT_US).reason == "the mute was ended by Bo: back"


def test_an_action_behind_an_action_is_told_of_the_same_alert(opened: Outgoing) -> None:
    acknowledged = action_outgoing(decode_event(opened.payload), ACKNOWLEDGED)
    muted = action_outgoing(decode_event(acknowledged.payload), MUTED)
    assert data_of(muted) == data_of(action_outgoing(decode_event(opened.payload), MUTED))


@pytest.mark.parametrize("taken", [ACKNOWLEDGED, MUTED], ids=["acknowledged", "muted"])
def test_an_action_keeps_to_the_published_schema_and_is_no_event_of_the_alert_itself(
    opened: Outgoing, taken: ActionTaken
) -> None:
    value = msgspec.json.decode(action_outgoing(decode_event(opened.payload), taken, TRACE).payload)
    validator("AlertActionEvent").validate(value)
    assert not validator("AlertEvent").is_valid(value)
    assert not validator("AlertActionEvent").is_valid(msgspec.json.decode(opened.payload))


def validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": ASYNCAPI["components"]}
    )


def test_the_schema_of_an_action_has_all_that_an_alert_has(opened: Outgoing) -> None:
    """Readers of the release before know alerts alone: they find every field that they read."""
    schemas = ASYNCAPI["components"]["schemas"]
    alert, action = schemas["AlertData"], schemas["AlertActionData"]
    assert {*action["properties"]} == {*alert["properties"], "by", "note", "until"}
    assert {*action["required"]} == {*alert["required"], "by", "note", "until"}
    assert {*data_of(action_outgoing(decode_event(opened.payload), MUTED))} == {*action["properties"]}


@pytest.mark.parametrize("data", [None, [], {"tenant": "demo"}, {"tenant": 1, "source_id": "lobby"}])
def test_what_is_no_alert_cannot_be_acted_on(data: object) -> None:
    with pytest.raises(InvalidMessage):
        action_outgoing(CloudEvent("a.0", "/s", "vigil.alert.opened", "a", "2026", data), ACKNOWLEDGED)


def test_only_the_gateway_tells_what_people_do_and_only_interaction_tells_of_alerts() -> None:
    """Nobody but the interaction service opens an alert, changes it or closes it."""
    for row in SERVICES:
        said = {subject for subject in permissions.of_service(row).publish if ".alert." in subject}
        of_people = {f"vigil.v1.alert.*.*.{action}" for action in AlertAction}
        of_alerts = {f"vigil.v1.alert.*.*.{state}" for state in AlertState}
        assert said == {GATEWAY.name: of_people, INTERACTION.name: of_alerts}.get(row.name, set())


@pytest.mark.parametrize("action", AlertAction)
def test_a_downstream_system_may_hear_of_it(action: AlertAction) -> None:
    subject = subjects.alert("demo", "lobby", action)
    heard = permissions.of_tenant("demo").subscribe
    assert any(is_within(subject, allowed) for allowed in heard)
    assert not any(is_within(subject, allowed) for allowed in permissions.of_tenant("rival").subscribe)
