"""Asks the memory service, over the bus, what a session's memory holds about a question."""

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError, BusUnavailable, NoResponders
from vigil.v1 import memory_pb2 as pb


class RecallFailed(BusError):
    """Nothing came back; the message says why. `outcome` is for the metric: absent, late, unreadable or failed."""

    retryable = True

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


async def recall(bus: Bus, request: pb.RecallRequest, deadline_s: float) -> pb.RecallResponse:
    """The answer of one memory worker. Raises `RecallFailed`, at the latest after `deadline_s` seconds."""
    subject = subjects.memory_recall(SessionKey(request.tenant, request.session))
    try:
        return pb.RecallResponse.FromString(await bus.request(subject, request.SerializeToString(), deadline_s))
    except NoResponders:
        raise RecallFailed("absent", "no memory service listens") from None
    except BusUnavailable:
        raise RecallFailed("late", f"no memory service answered within {deadline_s:g} s") from None
    except DecodeError:
        raise RecallFailed("unreadable", "the memory service answered what cannot be read") from None
    except BusError as error:
        raise RecallFailed("failed", str(error)) from None
