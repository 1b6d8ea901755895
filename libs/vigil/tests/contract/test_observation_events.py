"""What a module tells a session: by value, against the published schema, and refused with a reason."""

import contextlib
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract import subjects
from vigil.contract.errors import ObservationRefused, WhyRefused
from vigil.contract.events.observations import MAX_BYTES, observation_outgoing, read_observation
from vigil.contract.outgoing import CLOUDEVENT
from vigil.contract.streams import STREAMS
from vigil.contract.subject_values import is_within
from vigil.core.errors import CoreError
from vigil.core.ids import SessionKey
from vigil.core.observation import EDGE, LAST_TIME_US, SIDE, TTL_MS, Box, Observation

AT_US = 1_767_225_600_123_457  # 2026-01-01T00:00:00.123457Z
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
KEY = SessionKey("demo", "s-1")
SUBJECT = subjects.observation(KEY, "zones")
SEEN = Observation(
    module="zones",
    kind="zone",
    text="a person is in the loading bay",
    capture_time_us=AT_US,
    id="o-1",
    confidence=0.9,
    ttl_ms=5_000,
    box=Box(10, 20, 30, 40),
)
DATA = {
    "module": "zones",
    "kind": "zone",
    "text": "a person is in the loading bay",
    "capture_time": "2026-01-01T00:00:00.123457Z",
}

tokens = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
sides = st.integers(int(SIDE.low), int(SIDE.high))
edges = st.integers(int(EDGE.low), int(EDGE.high))
observations = st.builds(
    Observation,
    module=tokens,
    kind=tokens,
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500).filter(str.strip),
    capture_time_us=st.integers(1, LAST_TIME_US),
    id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128),
    confidence=st.none() | st.floats(0, 1),
    ttl_ms=st.integers(int(TTL_MS.low), int(TTL_MS.high)),
    box=st.none() | st.builds(Box, edges, edges, sides, sides),
)


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    path = Path(__file__).parents[4] / "proto" / "asyncapi.yaml"
    components = yaml.safe_load(path.read_text("utf-8"))["components"]
    return jsonschema.Draft202012Validator({"$ref": "#/components/schemas/ObservationEvent", "components": components})


def event(**data: Any) -> bytes:
    """An event as a stranger writes it: nothing but what must be there, and `data`."""
    value = {"specversion": "1.0", "id": "o-1", "source": "me", "type": "vigil.observation", "data": DATA | data}
    return msgspec.json.encode(value)


def why(payload: bytes, subject: str = SUBJECT) -> WhyRefused:
    with pytest.raises(ObservationRefused) as refused:
        read_observation(subject, payload)
    assert str(refused.value)
    return refused.value.why


def test_an_observation_by_value(schema: jsonschema.Draft202012Validator) -> None:
    outgoing = observation_outgoing(KEY, SEEN, AT_US + 1_000_000, TRACE)
    assert (outgoing.subject, outgoing.content_type) == ("vigil.v1.observation.demo.s-1.zones", CLOUDEVENT)
    value = msgspec.json.decode(outgoing.payload)
    schema.validate(value)
    assert value == {
        "specversion": "1.0",
        "id": "o-1",
        "source": "/tenants/demo/modules/zones",
        "type": "vigil.observation",
        "subject": "s-1",
        "time": "2026-01-01T00:00:01.123Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": DATA | {"confidence": 0.9, "ttl_ms": 5_000, "box": {"left": 10, "top": 20, "width": 30, "height": 40}},
    }


def test_no_stream_stores_observations() -> None:
    assert not any(is_within(SUBJECT, pattern) for stream in STREAMS for pattern in stream.subjects)


@given(observations)
def test_what_is_written_is_read_back(seen: Observation) -> None:
    outgoing = observation_outgoing(KEY, seen, AT_US)
    assert read_observation(outgoing.subject, outgoing.payload) == (KEY, seen)
    assert len(outgoing.payload) <= MAX_BYTES, "no observation that is allowed is too large"


def test_what_must_be_there_suffices(schema: jsonschema.Draft202012Validator) -> None:
    schema.validate(msgspec.json.decode(event()))
    _, seen = read_observation(SUBJECT, event())
    assert seen == Observation("zones", "zone", "a person is in the loading bay", AT_US, "o-1")


@pytest.mark.parametrize(
    ("time", "time_us"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000),
        ("2026-01-01T09:00:00+09:00", 1_767_225_600_000_000),
        ("2026-01-01T00:00:00.5Z", 1_767_225_600_500_000),
        ("2026-01-01T00:00:00.000001Z", 1_767_225_600_000_001),
    ],
)
def test_a_time_may_have_any_zone_and_is_exact(time: str, time_us: int) -> None:
    assert read_observation(SUBJECT, event(capture_time=time))[1].capture_time_us == time_us


def test_what_this_release_does_not_know_is_left_out() -> None:
    assert read_observation(SUBJECT, event(mood="merry")) == read_observation(SUBJECT, event())


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x00" * (MAX_BYTES + 1), WhyRefused.TOO_LARGE),
        (event(more="x" * MAX_BYTES), WhyRefused.TOO_LARGE),
        (b"", WhyRefused.UNREADABLE),
        (b"\xff\xfe", WhyRefused.UNREADABLE),
        (b"[" * 10_000, WhyRefused.UNREADABLE),
        (b'{"id": "o-1"}', WhyRefused.UNREADABLE),
        (event(text=7), WhyRefused.UNREADABLE),
        (event(confidence="high"), WhyRefused.UNREADABLE),
        (event(capture_time="yesterday"), WhyRefused.UNREADABLE),
        (event(capture_time="2026-01-01T00:00:00"), WhyRefused.UNREADABLE),
        (event(box=[1, 2, 3, 4]), WhyRefused.UNREADABLE),
        (event().replace(b"vigil.observation", b"vigil.alert.opened"), WhyRefused.UNREADABLE),
        (event(module="faces"), WhyRefused.FOREIGN),
        (event(kind="a kind"), WhyRefused.OUT_OF_BOUNDS),
        (event(text=" \n"), WhyRefused.OUT_OF_BOUNDS),
        (event(text="x" * 501), WhyRefused.OUT_OF_BOUNDS),
        (event(confidence=1.5), WhyRefused.OUT_OF_BOUNDS),
        (event(ttl_ms=10**12), WhyRefused.OUT_OF_BOUNDS),
        (event(capture_time="1969-12-31T23:59:59Z"), WhyRefused.OUT_OF_BOUNDS),
        (event(box={"left": 0, "top": 0, "width": 0, "height": 1}), WhyRefused.OUT_OF_BOUNDS),
    ],
)
def test_what_is_no_observation_is_refused_with_a_reason(payload: bytes, expected: WhyRefused) -> None:
    assert why(payload) is expected


@pytest.mark.parametrize("subject", ["vigil.v1.alert.demo.lobby.opened", "vigil.v1.observation.demo.s-1", "other", ""])
def test_an_observation_on_another_subject_is_refused(subject: str) -> None:
    assert why(event(), subject) is WhyRefused.FOREIGN


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(payload: bytes) -> None:
    with pytest.raises(ObservationRefused):
        read_observation(SUBJECT, payload)


@given(st.dictionaries(st.sampled_from([*DATA, "confidence", "ttl_ms", "box"]), st.none() | st.integers() | st.text()))
def test_no_values_break_the_reader(data: dict[str, Any]) -> None:
    try:
        payload = event(**data)
    except (UnicodeEncodeError, CoreError, msgspec.MsgspecError):
        return
    with contextlib.suppress(ObservationRefused):
        _, seen = read_observation(SUBJECT, payload)
        assert (seen.module, len(seen.text) > 0) == ("zones", True)
