"""What a module tells, as the event that it is published as (see `asyncapi.yaml`)."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vigil_client.errors import BadObservation

MAX_TEXT_CHARS = 500
MIN_TTL_S, MAX_TTL_S = 0.2, 600.0
_MAX_PIXELS = 65_535
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
        if not self.text.strip():
            raise BadObservation("the text is empty", "say in one sentence what was noticed")
        if len(self.text) > MAX_TEXT_CHARS:
            raise BadObservation(f"the text has {len(self.text):,} characters", f"say it in {MAX_TEXT_CHARS}")
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise BadObservation(f"the confidence is {self.confidence}", "give 0 to 1, or None")
        if not MIN_TTL_S <= self.ttl_s <= MAX_TTL_S:
            raise BadObservation(f"ttl_s is {self.ttl_s}", f"give {MIN_TTL_S:g} to {MAX_TTL_S:g} seconds")
        if self.box is not None and not _is_box(self.box):
            raise BadObservation(f"the box is {self.box}", "give left, top, width and height in pixels of the frame")

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


def _is_box(box: Box) -> bool:
    if len(box) != 4:
        return False
    left, top, width, height = box
    return min(left, top) >= 0 and min(width, height) >= 1 and max(box) <= _MAX_PIXELS


def _written(time_us: int) -> str:
    """With microseconds: the time of a picture stays its own."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
