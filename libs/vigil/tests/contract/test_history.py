"""Requests for past events, and their published form."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.history import MAX_PAGE, HistoryRequest, asker_of, decode_request
from vigil.contract.subject_values import is_within

ASYNCAPI = Path(__file__).parents[4] / "proto" / "asyncapi.yaml"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_published_form_is_the_one_that_is_read() -> None:
    schema = yaml.safe_load(ASYNCAPI.read_text("utf-8"))["components"]["schemas"]["HistoryRequest"]
    assert set(schema["properties"]) == set(HistoryRequest.__struct_fields__)
    assert schema["properties"]["limit"]["maximum"] == schema["properties"]["limit"]["default"] == MAX_PAGE
    request = HistoryRequest("vigil.v1.alert.demo.*.*", "x", since=NOON, limit=3)
    sent = msgspec.to_builtins(request)
    Draft202012Validator(schema).validate({name: value for name, value in sent.items() if value is not None})
    assert decode_request("demo", msgspec.json.encode(request)) == request


@pytest.mark.parametrize(("given_", "begin"), [({"since": "2026-01-31T12:00:00Z"}, NOON), ({"after": 7}, 8)])
def test_a_request_begins_at_a_time_or_after_a_sequence(given_: dict[str, Any], begin: datetime | int) -> None:
    payload = json.dumps({"subject": "vigil.v1.alert.demo.>", "asker": "x", **given_}).encode()
    assert decode_request("demo", payload).begin == begin


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_whatever_is_sent_is_read_or_refused(payload: bytes) -> None:
    with pytest.raises(InvalidMessage):
        decode_request("demo", payload)
    assert asker_of(payload) is None


TOKENS = st.sampled_from(["vigil", "v1", "alert", "session", "demo", "rival", "*", ">", "", "x"])


@given(st.lists(TOKENS, max_size=7).map(".".join))
def test_no_subject_reaches_another_tenants_events(subject: str) -> None:
    if any(is_within(subject, pattern) for pattern in subjects.stored_of("demo")):
        tokens = subject.split(".")
        assert tokens[4 if tokens[2] in ("session", "delegation") else 3] == "demo"
        assert tokens[:2] == ["vigil", "v1"]
