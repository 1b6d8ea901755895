"""The picture of a trace: its spans in their order, each below its parent, with a bar as long as it took."""

import re
from xml.etree import ElementTree

from observability.collector import ReceivedSpan
from observability.drawing import LABEL, drawn, rows

MS = 1_000_000


def span(name: str, service: str, parent: str, began_ms: int, ended_ms: int, **attributes: str) -> ReceivedSpan:
    given = {key.replace("__", "."): value for key, value in attributes.items()}
    return ReceivedSpan(
        service, name, "CLIENT", "t", name, parent, 5_000 * MS + began_ms * MS, 5_000 * MS + ended_ms * MS, False, given
    )


TRACE = [
    span("event publish", "interaction", "tick", 60, 70, messaging__destination__name="vigil.v1.alert.demo.cam.opened"),
    span("frames capture", "ingestion", "", 0, 20),
    span("tick", "interaction", "frames code", 30, 80),
    span("frames code", "codec", "frames capture", 21, 29),
]


def test_a_span_stands_below_its_parent() -> None:
    assert [(row.span.name, row.depth, row.began_ms, row.took_ms) for row in rows(TRACE)] == [
        ("frames capture", 0, 0, 20),
        ("frames code", 1, 21, 8),
        ("tick", 2, 30, 50),
        ("event publish", 3, 60, 10),
    ]


def test_the_picture_is_xml_with_a_bar_for_each_span() -> None:
    picture = ElementTree.fromstring(drawn(TRACE, "An <alert>"))
    texts = [element.text for element in picture.iter() if element.tag.endswith("text")]
    assert "An <alert>" in texts
    assert "event publish: alert" in texts
    assert "50.0 ms" in texts
    bars = [element for element in picture.iter() if element.tag.endswith("rect") and element.get("height") == "15"]
    assert len(bars) == len(TRACE)
    assert min(float(bar.get("x", "0")) for bar in bars) == LABEL


def test_every_service_is_named_once() -> None:
    assert len(re.findall(r">(ingestion|codec|interaction)</text>", drawn(TRACE, "t"))) == 3
