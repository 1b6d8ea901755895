"""What the bus counts: by kind of subject, never by session."""

import pytest
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.streams import ALERTS
from vigil.core.alert import AlertState
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.metrics import kind_of

KEY = SessionKey("demo", "s-1")
ALERT = subjects.alert("demo", "lobby", AlertState.OPENED)


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        (subjects.raw_frames(KEY), "frame"),
        (subjects.decision(KEY), "decision"),
        (ALERT, "alert"),
        ("vigil.v1.what-a-client-sends.demo", "other"),
        ("$JS.API.INFO", "other"),
        ("_VIGIL_INBOX.gateway.s-1", "other"),
    ],
)
def test_a_kind_is_one_of_few_words(subject: str, kind: str) -> None:
    assert kind_of(subject) == kind


async def test_messages_are_counted_and_the_time_to_disk_is_measured(bus: Bus) -> None:
    before = sample("messages_published_total", "alert"), sample("store_seconds_count", "alert")
    await bus.publish_stored(Outgoing(ALERT, "demo.a-1.0", b"{}", CLOUDEVENT))
    await bus.publish(subjects.raw_frames(KEY), b"12345")
    assert sample("messages_published_total", "alert") == before[0] + 1
    assert sample("store_seconds_count", "alert") == before[1] + 1
    assert sample("published_bytes_total", "frame") >= 5
    assert not sample("store_seconds_count", "frame"), "frames are not stored"


async def test_the_size_of_a_stream_is_what_it_holds(bus: Bus) -> None:
    before = await bus.size(ALERTS)
    await bus.publish_stored(Outgoing(ALERT, "demo.a-2.0", b"{}", CLOUDEVENT))
    size = await bus.size(ALERTS)
    assert size.messages == before.messages + 1
    assert size.stored_bytes > before.stored_bytes
    assert size.limit_bytes == ALERTS.max_bytes


def sample(name: str, kind: str) -> float:
    return REGISTRY.get_sample_value(f"vigil_bus_{name}", {"kind": kind}) or 0.0
