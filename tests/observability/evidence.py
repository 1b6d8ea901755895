"""What a running system shows of one alert."""

from observability.collector import ReceivedSpan
from observability.stage import Stage
from vigil.contract.spans import CAPTURE, CHAT, CODE, COMMIT, DELIVER, PUBLISH, TICK
from vigil.testing.eventually import eventually

WAIT_S = 60.0
ALERT_SUBJECT = "vigil.v1.alert."
# The first alert of a process comes with what it does once: connections, imports. A later one shows the usual times.
_LATER = 3
_WHOLE = {CAPTURE.name, CODE.name, TICK.name, COMMIT.name, PUBLISH.name, DELIVER.name}


async def alert_trace(stage: Stage, *, settled: bool = False) -> list[ReceivedSpan]:
    """The spans of the turn that opened an alert, once all of them came; of a later alert where times are `settled`."""

    def whole() -> list[ReceivedSpan]:
        opened = [span.trace for span in stage.collector.spans if _opens_an_alert(span)]
        wanted = opened[_LATER if settled else 0 :]
        return next((trace for found in wanted if _is_whole(trace := stage.collector.trace(found))), [])

    return await eventually(whole, WAIT_S, "the trace of an alert has come")


def _opens_an_alert(span: ReceivedSpan) -> bool:
    subject = str(span.attributes.get("messaging.destination.name", ""))
    return subject.startswith(ALERT_SUBJECT) and subject.endswith(".opened")


def _is_whole(trace: list[ReceivedSpan]) -> bool:
    names = {span.name for span in trace}
    chats = [span for span in trace if span.name.startswith(CHAT.name.split()[0])]
    return names >= _WHOLE and bool(chats)
