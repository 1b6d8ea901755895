"""How the SDK reads that a session stalled and that its source was lost."""

import json

from vigil_client.events import Lifecycle, lifecycle, roles_line

STALLED = {"state": "stalled", "worker": "i-1", "cause": "engine", "detail": "it answered 500", "since": "…"}


def test_a_role_that_is_well_needs_no_words_and_a_stall_has_them() -> None:
    well = {"ingestion": {"state": "watching"}, "interaction": {"state": "deciding", "worker": "i-1"}}
    assert roles_line(well) == ""
    assert roles_line(well | {"interaction": STALLED}) == "interaction stalled: it answered 500"


def test_the_cause_of_an_outage_is_a_word_of_its_own() -> None:
    data = {"reason": "the camera does not answer", "cause": "unreachable"}
    event = lifecycle(json.dumps({"type": "vigil.session.source_lost", "data": data}))
    assert event == Lifecycle("source_lost", "the camera does not answer", "unreachable")
    assert not event.ended


def test_an_event_of_an_older_vigil_has_no_cause() -> None:
    assert lifecycle(json.dumps({"type": "vigil.session.moved", "data": {"reason": "one"}})).cause == ""
