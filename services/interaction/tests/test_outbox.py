"""The outbox: in order, each once, also when the last worker died between publishing and saying so."""

from vigil.contract.outgoing import Outgoing
from vigil.runtime.errors import BusUnavailable
from vigil_interaction.outbox import Outbox


def message(subject: str, number: int) -> Outgoing:
    """One message of a stream that is called like its subject."""
    return Outgoing(subject, f"{subject}.{number}", b"", "text/plain")


LEFT = (message("decision", 7), message("utterance", 7), message("decision", 8), message("alert", 1))


class ScriptedBus:
    """JetStream as a list, which may be away."""

    def __init__(self, *stored: Outgoing) -> None:
        self.stored = list(stored)
        self.is_away = False
        self.asked = 0
        self.now_s = 100.0
        self.answers_after_s = 0.0
        self.loses_answers = 0

    def clock(self) -> float:
        """Moves only while the bus keeps its caller waiting."""
        return self.now_s

    async def publish_stored(self, outgoing: Outgoing) -> None:
        """Append, or raise while it is away."""
        self.asked += 1
        self.now_s += self.answers_after_s
        if self.is_away:
            raise BusUnavailable("away")
        self.stored.append(outgoing)
        if self.loses_answers:
            self.loses_answers -= 1
            raise BusUnavailable("the answer was lost")

    async def last_message_id(self, subject: str) -> str:
        """The newest id on a subject."""
        return next((one.message_id for one in reversed(self.stored) if one.subject == subject), "")

    async def put_snapshot(self, name: str, data: bytes) -> None:
        """Not used here."""
        raise NotImplementedError


async def test_what_the_last_worker_had_published_is_not_published_again() -> None:
    bus = ScriptedBus(message("decision", 6), *LEFT[:3])
    outbox = Outbox(bus, LEFT)
    await outbox.flush()
    assert bus.stored == [message("decision", 6), *LEFT]
    assert outbox.published == len(LEFT)
    assert outbox.is_empty


async def test_all_is_published_when_nothing_was() -> None:
    bus = ScriptedBus(message("decision", 6))
    outbox = Outbox(bus, LEFT)
    await outbox.flush()
    assert bus.stored[1:] == list(LEFT)


async def test_what_cannot_be_published_waits_in_order() -> None:
    bus = ScriptedBus()
    outbox = Outbox(bus)
    bus.is_away = True
    outbox.committed(LEFT[:2])
    await outbox.flush()
    assert (outbox.is_empty, outbox.published) == (False, 0)
    bus.is_away = False
    outbox.committed(LEFT[2:])
    await outbox.flush()
    assert bus.stored == list(LEFT)
    assert outbox.published == len(LEFT)


async def test_a_bus_that_does_not_answer_is_asked_less_often() -> None:
    bus = ScriptedBus()
    outbox = Outbox(bus, monotonic=bus.clock)
    bus.is_away, bus.answers_after_s = True, 2.0
    outbox.committed(LEFT)
    await outbox.flush()
    assert bus.asked == 1
    for _ in range(3):
        bus.now_s += 1.0
        await outbox.flush()
    assert bus.asked == 1, "turns go on meanwhile, without waiting"
    bus.now_s += 1.0
    bus.is_away, bus.answers_after_s = False, 0.0
    await outbox.flush()
    assert bus.stored == list(LEFT)


async def test_a_bus_that_says_at_once_that_it_is_away_is_asked_every_turn() -> None:
    bus = ScriptedBus()
    outbox = Outbox(bus, monotonic=bus.clock)
    bus.is_away = True
    outbox.committed(LEFT)
    for _ in range(3):
        await outbox.flush()
    bus.is_away = False
    await outbox.flush()
    assert bus.asked == 3 + len(LEFT)
    assert bus.stored == list(LEFT)


async def test_what_was_stored_though_its_answer_was_lost_is_not_published_again() -> None:
    bus = ScriptedBus(message("decision", 6))
    outbox = Outbox(bus)
    outbox.committed(LEFT[:3])
    bus.loses_answers = 1
    await outbox.flush()
    assert (outbox.published, len(bus.stored)) == (0, 2)
    await outbox.flush()
    assert (outbox.published, outbox.is_empty) == (3, True)
    outbox.committed(LEFT[3:])
    bus.loses_answers = 1
    await outbox.flush()
    outbox.committed((message("decision", 9),))
    await outbox.flush()
    assert bus.stored[1:] == [*LEFT, message("decision", 9)], "also when the outbox has grown since"
    assert outbox.is_empty
