"""From a coded frame group to what the core observes: frames by reference, their pixels beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

from vigil.contract.frames import CodedFrameGroup
from vigil.core.command import Command
from vigil.core.decide import Observation
from vigil.core.ids import SessionKey
from vigil.core.turn import FrameRef


@dataclass(frozen=True, slots=True)
class Sight:
    """What arrived for one turn. `pixels` maps a frame's UUID to its JPEG, exactly as the camera side encoded it."""

    time_ms: int
    capture_time_us: int
    frames: tuple[FrameRef, ...]
    pixels: Mapping[str, bytes]

    def observation(self, commands: tuple[Command, ...], frames_skipped: int) -> Observation:
        """The core's view of this turn."""
        return Observation(self.time_ms, self.capture_time_us, self.frames, commands, frames_skipped)


def sight(group: CodedFrameGroup) -> Sight:
    """What a group shows."""
    pixels: dict[str, bytes] = {}
    refs: list[FrameRef] = []
    for index, coded in enumerate(group.frames):
        uuid = _uuid(group.key, group.time_ms, index)
        pixels[uuid] = coded.frame.jpeg
        refs.append(FrameRef(uuid, coded.frame.width, coded.frame.height))
    return Sight(group.time_ms, group.frames[0].frame.capture_time_us, tuple(refs), pixels)


def _uuid(key: SessionKey, time_ms: int, index: int) -> str:
    """Made here, never from client input: the engine trusts UUIDs, and one tenant must not be able to name another's
    frame. Session ids cannot be guessed, and model time never comes twice.

    There is no hash of the content in it: ninety of them would outweigh the text of the prompt that names them, and
    what two workers saw of one interval around a takeover are both pictures of that interval.
    """
    return f"{key.session}-{time_ms}-{index}"
