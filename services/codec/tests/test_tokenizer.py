"""The tokenizer's core: by value and by property."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.frames import CodedFrameGroup, Frame, FrameGroup, FrameKind
from vigil.core.ids import SessionKey
from vigil.core.profile import JOYAI, PROFILES, VIGIL_SMALL
from vigil.testing.images import jpeg
from vigil_codec.tokenizer import Refusal, VideoState, encode

KEY = SessionKey("demo", "s-1")


def group(time_ms: int, fence: int = 1, sizes: tuple[tuple[int, int], ...] = ((160, 96),)) -> FrameGroup:
    frames = tuple(Frame(jpeg(size=size), *size, time_ms * 1_000) for size in sizes)
    return FrameGroup(KEY, time_ms, time_ms // 1_000, frames, fence)


def test_every_frame_is_a_reference_and_passed_on_as_it_is() -> None:
    raw = group(3_000, sizes=((160, 96), (128, 128)))
    state, coded = encode(VideoState(VIGIL_SMALL, fence=7), raw)
    assert isinstance(coded, CodedFrameGroup)
    assert (coded.key, coded.time_ms, coded.sequence, coded.fence) == (KEY, 3_000, 3, 7)
    assert [frame.kind for frame in coded.frames] == [FrameKind.REFERENCE, FrameKind.REFERENCE]
    assert [frame.visual_tokens for frame in coded.frames] == [15, 16]
    assert all(shown.frame is frame for shown, frame in zip(coded.frames, raw.frames, strict=True))
    assert (state.source_fence, state.fence) == (1, 7)


def test_a_worker_that_lost_its_lease_is_ignored() -> None:
    state, _ = encode(VideoState(JOYAI, fence=1), group(1_000, fence=5))
    after, coded = encode(state, group(2_000, fence=4))
    assert coded is Refusal.OVERTAKEN
    assert after == state
    assert isinstance(encode(state, group(2_000, fence=5))[1], CodedFrameGroup)


def test_a_time_may_come_again_for_its_turn_may_have_been_dropped() -> None:
    state, _ = encode(VideoState(JOYAI, fence=1), group(1_000))
    for time_ms in (1_000, 0):
        _, coded = encode(state, group(time_ms))
        assert isinstance(coded, CodedFrameGroup)
        assert coded.time_ms == time_ms


def test_a_group_with_a_damaged_frame_is_refused_whole_and_changes_nothing() -> None:
    state, _ = encode(VideoState(JOYAI, fence=1), group(1_000))
    good = group(2_000, fence=2, sizes=((160, 96), (128, 128)))
    first, second = good.frames
    for damaged in (replace(second, jpeg=second.jpeg[:-9]), replace(second, width=64), replace(second, jpeg=b"noise")):
        assert encode(state, replace(good, frames=(first, damaged))) == (state, Refusal.DAMAGED)
    assert isinstance(encode(state, good)[1], CodedFrameGroup)


@given(st.sampled_from(sorted(PROFILES)), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=40))
def test_the_fence_never_falls(name: str, arrivals: list[tuple[int, int]]) -> None:
    state = VideoState(PROFILES[name], fence=9)
    fences = []
    for time_s, fence in arrivals:
        state, coded = encode(state, group(time_s * 1_000, fence))
        if isinstance(coded, CodedFrameGroup):
            fences.append(fence)
    assert fences == sorted(fences)


@given(st.sampled_from(sorted(PROFILES)), st.integers(1, 8_000), st.integers(1, 8_000))
def test_a_fitted_frame_stays_within_the_profile_s_budget(name: str, width: int, height: int) -> None:
    profile = PROFILES[name]
    _, coded = encode(VideoState(profile, fence=1), group(0, sizes=(profile.fit(width, height),)))
    assert isinstance(coded, CodedFrameGroup)
    assert 1 <= coded.frames[0].visual_tokens <= profile.max_pixels // profile.pixel_multiple**2
