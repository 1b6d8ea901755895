"""From a coded frame group to what the core perceives: frames by reference, their pixels beside them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from vigil.contract.frames import CodedFrameGroup
from vigil.core.decide import Percept
from vigil.core.session import SessionSpec
from vigil.core.turn import FrameRef
from vigil.runtime.store.sessions import Waiting
from vigil_interaction.module_inbox import Heard


@dataclass(frozen=True, slots=True)
class Sight:
    """What arrived for one turn. `pixels` maps a frame's UUID to its JPEG, exactly as the camera side encoded it."""

    time_ms: int
    capture_time_us: int
    frames: tuple[FrameRef, ...]
    pixels: Mapping[str, bytes]

    def percept(self, waiting: Waiting, recalled: tuple[str, ...], frames_skipped: int, heard: Heard) -> Percept:
        """The core's view of this turn."""
        return Percept(
            self.time_ms,
            self.capture_time_us,
            self.frames,
            waiting.commands,
            waiting.results,
            frames_skipped,
            waiting.blocks,
            recalled,
            heard.observations,
            heard.known,
        )


def life(spec: SessionSpec) -> str:
    """What the pictures of a session are named by: 16 hexadecimal digits of its own, also when its tenant, or another
    one, has had a session of the same id before.

    Engines take a UUID that they know for the picture that they know, whatever pixels come with it.
    """
    return hashlib.blake2b(f"{spec.tenant}/{spec.session}/{spec.created_us}".encode(), digest_size=8).hexdigest()


def sight(group: CodedFrameGroup, life: str) -> Sight:
    """What a group shows, in that life of its session."""
    pixels: dict[str, bytes] = {}
    refs: list[FrameRef] = []
    for index, coded in enumerate(group.frames):
        uuid = _uuid(life, group.time_ms, index, coded.frame.jpeg)
        pixels[uuid] = coded.frame.jpeg
        refs.append(FrameRef(uuid, coded.frame.width, coded.frame.height))
    return Sight(group.time_ms, group.frames[0].frame.capture_time_us, tuple(refs), pixels)


def _uuid(life: str, time_ms: int, index: int, jpeg: bytes) -> str:
    """Made here, never from client input: one tenant must not be able to name another's frame.

    It contains the content: the turn of a picture may be dropped after the engine has seen the picture, and another
    picture comes under the same model time. Eight digits are enough, for they tell pictures of one moment apart.
    """
    return f"{life}-{time_ms}-{index}-{hashlib.blake2b(jpeg, digest_size=4).hexdigest()}"
