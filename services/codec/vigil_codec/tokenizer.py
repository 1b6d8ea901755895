"""The video tokenizer's core: which frames are reference frames, and how many visual tokens each costs. Pure.

Mode `full`: every frame is a reference frame and costs what the profile's vision encoder spends on it. The pixels are
passed on as they are: ingestion has scaled and encoded them for the profile. Groups need not come in the order of
their time: a model time is used once its turn is committed, which the codec cannot know.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from vigil.contract.frames import CodedFrame, CodedFrameGroup, Frame, FrameGroup, FrameKind
from vigil.core.profile import PromptProfile
from vigil_codec.jpeg import size_of


class Refusal(StrEnum):
    """Why a group is not coded."""

    DAMAGED = "damaged"  # a frame is not a JPEG of its stated size; the engine would refuse the whole prompt
    OVERTAKEN = "overtaken"  # from an ingestion worker that lost its lease


@dataclass(frozen=True, slots=True)
class VideoState:
    """A session's video so far. `fence` is the codec's own; `source_fence` is the highest of ingestion's."""

    profile: PromptProfile
    fence: int
    source_fence: int = 0


def encode(state: VideoState, group: FrameGroup) -> tuple[VideoState, CodedFrameGroup | Refusal]:
    """The state after a group, and either the coded group or why it was refused."""
    if not all(size_of(frame.jpeg) == (frame.width, frame.height) for frame in group.frames):
        return state, Refusal.DAMAGED
    if group.fence < state.source_fence:
        return state, Refusal.OVERTAKEN
    frames = tuple(_reference(frame, state.profile) for frame in group.frames)
    coded = CodedFrameGroup(group.key, group.time_ms, group.sequence, frames, state.fence)
    return replace(state, source_fence=group.fence), coded


def _reference(frame: Frame, profile: PromptProfile) -> CodedFrame:
    return CodedFrame(frame, FrameKind.REFERENCE, profile.visual_tokens(frame.width, frame.height))
