"""The endpoints' file: what it may say, and how it is told what is wrong."""

import base64
import errno
import json
from pathlib import Path
from typing import Any

import pytest

from vigil.contract.events.alerts import alert_outgoing
from vigil.contract.events.envelope import CloudEvent, Emission, decode_event
from vigil.contract.subject_tokens import AlertAction
from vigil.core.alert import Alerts, AlertState, Moment, advance
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil_webhook.endpoints import MAX_ENDPOINTS, Endpoint, EndpointsInvalid, load, unread

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
GOOD = {"name": "pager", "tenant": "demo", "url": "https://pager.example/hooks/path-token", "secret": SECRET}


def write(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "webhooks.json"
    path.write_text(json.dumps({"endpoints": entries}))
    return path


def test_a_file_is_read_and_shows_no_secret(tmp_path: Path) -> None:
    filters = {"sources": ["lobby"], "severities": ["critical"], "states": ["opened"]}
    first, second = load(write(tmp_path, GOOD | filters, GOOD | {"name": "chat"}), allow_local=False)
    assert first.key == b"k" * 32
    assert first.host == "pager.example"
    assert (first.sources, first.severities, first.states) == (
        frozenset({"lobby"}),
        frozenset({Severity.CRITICAL}),
        frozenset({AlertState.OPENED}),
    )
    assert second.sources == frozenset()
    for shown in (repr(first), str(second)):
        assert "path-token" not in shown
        assert "kkkk" not in shown


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "my pager"}, "endpoint name 'my pager' is not allowed"),
        ({"tenant": "a.b"}, "tenant 'a.b' is not allowed"),
        ({"sources": ["x y"]}, "source id 'x y' is not allowed"),
        ({"severities": ["fatal"]}, "fatal"),
        ({"url": "ftp://pager.example/"}, "neither http:// nor https://"),
        ({"url": "https:///path"}, "neither http:// nor https://"),
        ({"url": "http://[::1/"}, "the url cannot be read"),
        ({"url": "http://127.0.0.1:9/"}, "VIGIL_WEBHOOK_ALLOW_LOCAL=true allows it"),
        ({"url": "http://[::1]:9/"}, "it is this host itself"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "metadata"),
        ({"secret": "whsec_c2hvcnQ="}, "has 5 bytes"),
        ({"retries": 3}, "retries"),
    ],
)
def test_what_breaks_a_rule_is_named(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(EndpointsInvalid) as refused:
        load(write(tmp_path, GOOD | change), allow_local=False)
    assert told in str(refused.value)
    assert "webhooks.json" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_file_that_may_not_be_read_is_a_matter_of_rights(tmp_path: Path) -> None:
    said = unread(tmp_path / "webhooks.json", PermissionError(errno.EACCES, "Permission denied"))
    assert "cannot be read (Permission denied)" in said
    assert "user 10001" in said
    assert "chmod" in said
    assert '{"endpoints"' not in said, "it has its content"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(EndpointsInvalid, match=r"cannot be read .*write"):
        load(tmp_path / "nothing.json", allow_local=False)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(EndpointsInvalid, match="is not valid"):
        load(tmp_path / "broken.json", allow_local=False)
    with pytest.raises(EndpointsInvalid, match="has 0 endpoints: give 1 to 64"):
        load(write(tmp_path), allow_local=False)
    many = [GOOD | {"name": f"n-{number}"} for number in range(MAX_ENDPOINTS + 1)]
    with pytest.raises(EndpointsInvalid, match="has 65 endpoints"):
        load(write(tmp_path, *many), allow_local=False)
    with pytest.raises(EndpointsInvalid, match="several endpoints named pager"):
        load(write(tmp_path, GOOD, GOOD), allow_local=False)


def test_this_host_is_allowed_when_asked_for(tmp_path: Path) -> None:
    (endpoint,) = load(write(tmp_path, GOOD | {"url": "http://127.0.0.1:9/"}), allow_local=True)
    assert endpoint.host == "127.0.0.1"


def event(data: Any) -> CloudEvent:
    return CloudEvent("a.0", "/s", "vigil.alert.opened", "a", "2026-01-31T12:00:00.000Z", data)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"sources": frozenset({"lobby", "yard"})}, True),
        ({"sources": frozenset({"yard"})}, False),
        ({"severities": frozenset({Severity.CRITICAL})}, True),
        ({"severities": frozenset({Severity.INFO})}, False),
        ({"states": frozenset({AlertState.CLOSED})}, False),
        ({"sources": frozenset({"lobby"}), "states": frozenset({AlertState.CLOSED})}, False),
        ({"states": frozenset({AlertAction.ACKNOWLEDGED})}, False),
    ],
)
def test_filters(filters: dict[str, Any], wanted: bool) -> None:
    endpoint = Endpoint("pager", "demo", "https://pager.example", b"", **filters)
    data = {"tenant": "demo", "source_id": "lobby", "severity": "critical", "state": "opened"}
    assert endpoint.wants(event(data)) is wanted
    assert not endpoint.wants(event(data | {"tenant": "rival"}))
    assert not endpoint.wants(event(None))
    assert endpoint.wants(event(data | {"severities": None})) is wanted
    assert endpoint.wants(event(data | {"source_id": ["lobby"]})) is (wanted and "sources" not in filters)


@pytest.mark.parametrize("action", AlertAction)
def test_what_people_do_about_an_alert_comes_only_to_who_asks_for_it(action: AlertAction) -> None:
    def endpoint(**filters: Any) -> Endpoint:
        return Endpoint("pager", "demo", "https://pager.example", b"", **filters)

    data = {"tenant": "demo", "source_id": "lobby", "severity": "critical", "severities": ["critical"], "news": False}
    told = CloudEvent("a", "/s", f"vigil.alert.{action}", "a", "2026", data | {"state": action})
    assert not endpoint().wants(told)
    assert not endpoint(states=frozenset(AlertState)).wants(told)
    assert not endpoint(severities=frozenset({Severity.CRITICAL})).wants(told)
    asking = frozenset({AlertState.OPENED, action})
    assert endpoint(states=asking).wants(told)
    assert endpoint(states=asking, sources=frozenset({"lobby"})).wants(told)
    assert not endpoint(states=asking, sources=frozenset({"yard"})).wants(told)
    assert not endpoint(states=asking, severities=frozenset({Severity.INFO})).wants(told)


def test_the_file_names_every_kind_of_alert_event(tmp_path: Path) -> None:
    every = [*AlertState, *AlertAction]
    (endpoint,) = load(write(tmp_path, GOOD | {"states": every}), allow_local=False)
    assert endpoint.states == frozenset(every)


def told(watches: list[Watch], spoken: str) -> list[str]:
    """What a pager hears of an alert that speaks (`!`) or is quiet (`.`) under the watch of each second."""
    endpoint = Endpoint(
        "pager",
        "demo",
        "https://pager.example",
        b"",
        severities=frozenset({Severity.CRITICAL}),
        states=frozenset({AlertState.OPENED, AlertState.CLOSED}),
    )
    spec = SessionSpec("demo", "s-1", Source("lobby", SourceKind.RTSP, "rtsp://camera.local"), "vigil-small", "m")
    alerts: Alerts = ()
    heard = []
    for second, (watch, says) in enumerate(zip(watches, spoken, strict=True)):
        standing = (Instruction("w-1", "Alert me when a fire starts.", watch),)
        moment = Moment("s-1", second, second * 1_000, 0)
        alerts, events = advance(alerts, standing, moment, {standing[0].id: "A fire."} if says == "!" else {})
        for event in events:
            sent = decode_event(alert_outgoing(spec, event, None, Emission(0, 0)).payload)
            heard += [f"{second} {event.state} {event.severity}"] if endpoint.wants(sent) else []
    return heard


def test_a_pager_hears_that_an_alert_goes_on_after_it_had_closed() -> None:
    watch = Watch("fire", Severity.CRITICAL, hold_s=2, cooldown_s=30)
    assert told([watch] * 9, "!...!!...") == [
        "0 opened critical",
        "2 closed critical",
        "4 updated critical",
        "7 closed critical",
    ]


def test_a_pager_hears_of_an_alert_that_becomes_severe_and_of_the_end_of_one_that_was() -> None:
    info, critical = Watch("fire", Severity.INFO, hold_s=2), Watch("fire", Severity.CRITICAL, hold_s=2)
    assert told([info, info, critical, critical, critical], "!!!..") == ["2 updated critical", "4 closed critical"]
    assert told([critical, critical, info, info, info], "!!!..") == ["0 opened critical", "4 closed info"]
    assert told([info] * 5, "!!!..") == []
