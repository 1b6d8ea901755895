"""What a module tells, as the event that it is published as (see `asyncapi.yaml`)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from numbers import Integral, Real

from vigil_client.errors import BadObservation

MAX_TEXT_CHARS = 500
MIN_TTL_S, MAX_TTL_S = 0.2, 600.0
LAST_TIME_US = 2**53 - 1  # what every reader of JSON can hold: the year 2255
_MAX_PIXELS = 65_535
_CONFIDENCES = "it is from 0 to 1"
_TTLS = f"it is from {MIN_TTL_S:g} to {MAX_TTL_S:g} seconds"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Left, top, width, height, in pixels of the frame.
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was noticed, when (microseconds since the Unix epoch), and for how long it is worth telling. Raises
    `BadObservation`, which says what to mend: Vigil would refuse it without an answer."""

    kind: str
    text: str
    capture_time_us: int
    confidence: float | None = None
    ttl_s: float = 10.0
    box: Box | None = None

    def __post_init__(self) -> None:
        _check_text(self.text)
        if not isinstance(self.capture_time_us, Integral) or not 0 < self.capture_time_us <= LAST_TIME_US:
            raise BadObservation(
                f"capture_time_us is {_shown(self.capture_time_us)}: it is a whole number of microseconds since the "
                "Unix epoch",
                "give the frame's own capture_time_us, or leave it out for now",
            )
        if self.confidence is not None and not 0 <= _number(self.confidence, "the confidence", _CONFIDENCES) <= 1:
            raise BadObservation(
                f"the confidence is {self.confidence}: {_CONFIDENCES}", "give 0.95 for 95 percent, or None"
            )
        if not MIN_TTL_S <= _number(self.ttl_s, "ttl_s", _TTLS) <= MAX_TTL_S:
            raise BadObservation(
                f"ttl_s is {self.ttl_s}: {_TTLS}", "give one of these, and tell what stays so again in time"
            )
        if self.box is None:
            return
        edges = _edges(self.box)
        if edges is None:
            raise BadObservation(
                f"the box is {_shown(self.box)}: it is four numbers, left and top from 0, width and height from 1, "
                f"at most {_MAX_PIXELS:,}",
                "give left, top, width and height in pixels of the frame",
            )
        object.__setattr__(self, "box", edges)

    def check_within(self, width: int, height: int) -> None:
        """Raise `BadObservation` when the box cannot be one of a frame of this size. It may reach over an edge."""
        if self.box is not None and (
            self.box[0] >= width or self.box[1] >= height or self.box[2] > width or self.box[3] > height
        ):
            raise BadObservation(
                f"the box is {_shown(self.box)}, and the frame has {width} x {height} pixels",
                "give left, top, width and height in pixels of the frame that you pass",
            )

    def event(self, tenant: str, session: str, module: str, observation_id: str) -> bytes:
        """The CloudEvent by which this module tells it."""
        edges = (round(float(edge)) for edge in self.box or ())  # also those of numpy
        data = {
            "module": module,
            "kind": self.kind,
            "text": self.text,
            "capture_time": _written(self.capture_time_us),
            "confidence": None if self.confidence is None else float(self.confidence),
            "ttl_ms": round(self.ttl_s * 1_000),
            "box": dict(zip(("left", "top", "width", "height"), edges, strict=False)) or None,
        }
        event = {
            "specversion": "1.0",
            "id": observation_id,
            "source": f"/tenants/{tenant}/modules/{module}",
            "type": "vigil.observation",
            "subject": session,
            "time": _written(now_us()),
            "datacontenttype": "application/json",
            "data": data,
        }
        try:
            return json.dumps(event, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise BadObservation("the text has half of a character", "read it as UTF-8 where it comes from") from None


def now_us() -> int:
    """Now, in microseconds since the Unix epoch."""
    return (datetime.now(UTC) - _EPOCH) // timedelta(microseconds=1)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise BadObservation(f"the text is {_shown(text)}, which is no string", "say in one sentence what was noticed")
    if not text.strip():
        raise BadObservation(
            f"the text is empty: it has 1 to {MAX_TEXT_CHARS} characters", "say in one sentence what was noticed"
        )
    if len(text) > MAX_TEXT_CHARS:
        raise BadObservation(
            f"the text has {len(text):,} characters: at most {MAX_TEXT_CHARS} are allowed", "say it in a shorter one"
        )


def _number(value: object, what: str, bounds: str) -> float:
    """The number that it is, also of numpy. Raises `BadObservation`."""
    if not isinstance(value, Real):
        raise BadObservation(f"{what} is {_shown(value)}, which is no number: {bounds}", "give a number")
    return float(value)


def _edges(box: object) -> Box | None:
    """The four numbers of a box, also of an array of numpy; None when it is none."""
    if not isinstance(box, Iterable) or isinstance(box, str):
        return None
    edges = tuple(box)
    if len(edges) != 4 or not all(isinstance(edge, Real) and edge <= _MAX_PIXELS for edge in edges):
        return None
    left, top, width, height = edges
    return edges if left >= 0 and top >= 0 and width >= 1 and height >= 1 else None


def _shown(value: object) -> str:
    return repr(value)[:80]


def _written(time_us: int) -> str:
    """With microseconds: the time of a picture stays its own."""
    moment = _EPOCH + timedelta(microseconds=int(time_us))  # also of numpy
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
