"""The prompt's bytes. Golden prompts are written by hand from the model contract (§1) and the recipe's layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.instruction import Instruction, Watch
from vigil.core.message import Image, Message, Parts, Text
from vigil.core.profile import HARNESS, JOYAI, PROFILES, VIGIL_SMALL, PromptProfile
from vigil.core.prompt import (
    MAX_KEEP_CHARS,
    Asked,
    chunk_prefix,
    goes_on,
    keep_texts,
    opening,
    prompt,
    stop_text,
    time_marker,
)
from vigil.core.session import Chunk
from vigil.core.turn import Exchange, FrameRef, Turn

FIRE = Instruction("fire", "Alert me when a fire starts.")
DOOR = Instruction("door", "Tell me if the door opens.")
PREFIX = (Text("prefix"),)
DIALOGUE = "[Q&A History]\nEarlier questions of the user and what you answered.\n\n"


def frame(name: str) -> FrameRef:
    return FrameRef(name, 160, 96)


def turn(time_s: float, reply: str = "", queries: tuple[str, ...] = (), frames: tuple[str, ...] = ()) -> Turn:
    names = frames or (f"at{time_s:g}",)
    return Turn(0, round(time_s * 1000), tuple(frame(name) for name in names), reply, queries)


def plain(messages: tuple[Message, ...]) -> list[tuple[str, list[str]]]:
    """Role and parts; a picture is written as `image:` and its reference."""
    return [
        (one.role, [part.text if isinstance(part, Text) else f"image:{part.ref.uuid}" for part in one.parts])
        for one in messages
    ]


def chatml(messages: tuple[Message, ...], profile: PromptProfile) -> str:
    """What the chat template of the model makes of the messages, up to where the reply begins."""
    text = ""
    for one in messages:
        text += f"<|im_start|>{one.role}\n"
        for part in one.parts:
            if isinstance(part, Text):
                text += part.text
            else:
                pads = "<|image_pad|>" * profile.visual_tokens(part.ref.width, part.ref.height)
                text += f"<|vision_start|>{pads}<|vision_end|>"
        text += "<|im_end|>\n"
    return text + "<|im_start|>assistant\n"


def test_joyai_golden_first_chunk() -> None:
    turns = (
        turn(0, "</silence>"),
        turn(1, "</response> I am watching.", queries=("Alert me when a fire starts.",)),
        turn(2, "</response> Let me see. </delegation> How many cups are there?", queries=("How many cups?", "Why?")),
    )
    assert plain(prompt(JOYAI, Chunk(turns=turns), turn(12, frames=("c", "d")))) == [
        ("system", [JOYAI.system]),
        ("user", ["<0.0 seconds>", "image:at0"]),
        ("assistant", ["</silence>"]),
        (
            "user",
            [
                "[User Query (IMPORTANT \u2014 follow this instruction)]\nAlert me when a fire starts.",
                "<1.0 seconds>",
                "image:at1",
            ],
        ),
        ("assistant", ["</response> I am watching."]),
        (
            "user",
            [
                "[User Query (IMPORTANT \u2014 follow this instruction)]\nHow many cups?\nWhy?",
                "<2.0 seconds>",
                "image:at2",
            ],
        ),
        ("assistant", ["</response> Let me see. </delegation> How many cups are there?"]),
        ("user", ["<12.0 seconds>", "image:c", "image:d"]),
    ]


def test_joyai_golden_bytes_of_a_user_turn() -> None:
    parts = prompt(JOYAI, Chunk(), turn(4, queries=("Is it dark?",)))[1].parts
    assert "".join(part.text for part in parts if isinstance(part, Text)).encode() == (
        b"[User Query (IMPORTANT \xe2\x80\x94 follow this instruction)]\nIs it dark?<4.0 seconds>"
    )


def test_joyai_golden_later_chunk() -> None:
    dialogue = (
        Exchange("What do you see?", 0, "A quiet room.", 1_000),
        Exchange("Is anyone there?", 61_500),
        Exchange("And now?", 62_000, "A man.", 62_000),
    )
    prefix = chunk_prefix(JOYAI, (FIRE, DOOR), dialogue)
    chunk = Chunk(1, prefix, (turn(99, "</silence>", queries=("Is it day?",)), turn(100, "</silence>")))
    messages = plain(prompt(JOYAI, chunk, turn(101)))
    assert messages[1] == (
        "user",
        [
            "[Q&A History]\n"
            "Earlier questions of the user and what you answered.\n"
            "\n"
            "#1 [Query@0.0 seconds] What do you see?\n"
            "[Response@1.0 seconds] A quiet room.\n"
            "#2 [Query@61.5 seconds] Is anyone there?\n"
            "#3 [Query@62.0 seconds] And now?\n"
            "[Response@62.0 seconds] A man.\n"
            "\n"
            "[User Query (IMPORTANT \u2014 follow this instruction)]\n"
            "Alert me when a fire starts.\n"
            "Tell me if the door opens.",
            "[User Query (IMPORTANT \u2014 follow this instruction)]\nIs it day?",
            "<99.0 seconds>",
            "image:at99",
        ],
    )
    assert messages[3:] == [
        ("user", ["<100.0 seconds>", "image:at100"]),
        ("assistant", ["</silence>"]),
        ("user", ["<101.0 seconds>", "image:at101"]),
    ]


def test_absent_sections_of_the_prefix_are_skipped() -> None:
    asked = (Exchange("Why?", 0),)
    assert chunk_prefix(JOYAI, (), ()) == ()
    assert chunk_prefix(JOYAI, (), asked) == (Text(f"{DIALOGUE}#1 [Query@0.0 seconds] Why?"),)
    assert chunk_prefix(JOYAI, (FIRE,), ()) == (
        Text("[User Query (IMPORTANT \u2014 follow this instruction)]\nAlert me when a fire starts."),
    )
    assert chunk_prefix(VIGIL_SMALL, (), asked) == ()


def test_vigil_small_golden_bytes() -> None:
    picture = "<|vision_start|>" + "<|image_pad|>" * 15 + "<|vision_end|>"
    turns = (
        turn(0, "</silence>", queries=("Alert me when a fire starts.",)),
        turn(1, "</response> A fire has started.", frames=("a", "b")),
        turn(
            3, "</response> I see a fire.", queries=("Stop watching: Alert me when a fire starts.", "What do you see?")
        ),
    )
    assert chatml(prompt(VIGIL_SMALL, Chunk(turns=turns), turn(4)), VIGIL_SMALL) == (
        "<|im_start|>system\nYou watch a camera.<|im_end|>\n"
        f"<|im_start|>user\nAlert me when a fire starts.\n<0.0 seconds>\n{picture}<|im_end|>\n"
        "<|im_start|>assistant\n</silence><|im_end|>\n"
        f"<|im_start|>user\n<1.0 seconds>\n{picture}\n{picture}<|im_end|>\n"
        "<|im_start|>assistant\n</response> A fire has started.<|im_end|>\n"
        "<|im_start|>user\nStop watching: Alert me when a fire starts.\nWhat do you see?\n<3.0 seconds>\n"
        f"{picture}<|im_end|>\n"
        "<|im_start|>assistant\n</response> I see a fire.<|im_end|>\n"
        f"<|im_start|>user\n<4.0 seconds>\n{picture}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_vigil_small_golden_bytes_after_a_boundary() -> None:
    picture = "<|vision_start|>" + "<|image_pad|>" * 15 + "<|vision_end|>"
    chunk = Chunk(1, chunk_prefix(VIGIL_SMALL, (FIRE, DOOR), (Exchange("Why?", 0),)))
    assert chatml(prompt(VIGIL_SMALL, chunk, turn(137, queries=("What do you see?",))), VIGIL_SMALL) == (
        "<|im_start|>system\nYou watch a camera.<|im_end|>\n"
        "<|im_start|>user\nAlert me when a fire starts.\nTell me if the door opens.\nWhat do you see?\n"
        f"<137.0 seconds>\n{picture}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_harness_golden() -> None:
    turns = (
        turn(0, "</silence>", queries=("Alert me when a fire starts.",)),
        turn(1, "</response> A fire has started."),
        turn(2, "</response> Wait. </delegation> Why?"),
    )
    assert plain(prompt(HARNESS, Chunk(turns=turns), turn(3))) == [
        ("system", [HARNESS.system]),
        (
            "user",
            [
                "[User Query (IMPORTANT \u2014 follow this instruction)]\nAlert me when a fire starts.",
                "<0.0 seconds>",
                "image:at0",
            ],
        ),
        ("assistant", ["QUIET"]),
        ("user", ["<1.0 seconds>", "image:at1"]),
        ("assistant", ["SPEAK: A fire has started."]),
        ("user", ["<2.0 seconds>", "image:at2"]),
        ("assistant", ["SPEAK: Wait. DELEGATE: Why?"]),
        ("user", ["<3.0 seconds>", "image:at3"]),
    ]


@pytest.mark.parametrize(
    ("time_ms", "marker"),
    [
        (0, "<0.0 seconds>"),
        (500, "<0.5 seconds>"),
        (1_000, "<1.0 seconds>"),
        (137_000, "<137.0 seconds>"),
        (86_400_000, "<86400.0 seconds>"),
    ],
)
def test_time_markers(time_ms: int, marker: str) -> None:
    assert time_marker(time_ms) == marker


def test_an_instruction_is_stopped_in_words() -> None:
    assert stop_text(FIRE) == "Stop watching: Alert me when a fire starts."


def test_the_watches_that_are_left_are_named_again_but_not_a_plain_instruction() -> None:
    smoke = Instruction("smoke", "Warn me of smoke.", Watch("smoke"))
    assert keep_texts([smoke, DOOR]) == ["Keep watching: Warn me of smoke."]
    assert keep_texts([DOOR]) == keep_texts([]) == []


def test_all_that_are_left_are_named_or_none() -> None:
    watches = [Instruction(f"i{n}", str(n) * (MAX_KEEP_CHARS // 2 - 15), Watch(f"i{n}")) for n in range(3)]
    assert len(keep_texts(watches[:2])) == 2
    assert keep_texts(watches) == []


replies = st.sampled_from(["</silence>", "</response> A fire.", "</response> Wait. </delegation> Why?"])
prefixes = st.sampled_from(
    [(), (Text("Watch.\n"),), (Text("Earlier:"), Image(frame("key")), Text("\nWatch.\n")), (Image(frame("key")),)]
)
turns_of_a_chunk = st.lists(
    st.builds(
        Turn,
        sequence=st.integers(0, 100),
        time_ms=st.integers(0, 10**8),
        frames=st.lists(st.builds(FrameRef, st.text(max_size=4), st.just(160), st.just(96)), max_size=3).map(tuple),
        reply=replies,
        queries=st.lists(st.text(min_size=1, max_size=5), max_size=2).map(tuple),
    ),
    max_size=6,
)


@given(st.sampled_from(list(PROFILES.values())), prefixes, turns_of_a_chunk, st.data())
def test_a_longer_chunk_begins_with_the_shorter_ones_prompt(
    profile: PromptProfile, prefix: Parts, turns: list[Turn], data: st.DataObject
) -> None:
    new = turn(1)
    cut = data.draw(st.integers(0, len(turns)))
    shorter = prompt(profile, Chunk(prefix=prefix, turns=tuple(turns[:cut])), turns[cut] if cut < len(turns) else new)
    longer = prompt(profile, Chunk(prefix=prefix, turns=tuple(turns)), new)
    assert longer[: len(shorter)] == shorter
    assert [one.role for one in longer] == ["system", *(["user", "assistant"] * len(turns)), "user"]


chunks = st.builds(Chunk, prefix=prefixes, turns=turns_of_a_chunk.map(lambda turns: tuple(turns[:3])))


@given(st.sampled_from(list(PROFILES.values())), chunks, turns_of_a_chunk, chunks)
def test_an_earlier_prompt_saves_work_and_changes_nothing(
    profile: PromptProfile, before: Chunk, more: list[Turn], other: Chunk
) -> None:
    """Whatever was asked before: the same chunk with fewer turns, or another chunk altogether."""
    longer = Chunk(before.number, before.prefix, (*before.turns, *more))
    for chunk in (longer, other):
        last = Asked(before, prompt(profile, before, turn(1)))
        assert prompt(profile, chunk, turn(2), last) == prompt(profile, chunk, turn(2))
    again = prompt(profile, longer, turn(2), Asked(before, prompt(profile, before, turn(1))))
    shown = prompt(profile, longer, turn(3), Asked(longer, again))
    assert all(one is other for one, other in zip(shown[:-1], again[:-1], strict=True))


@given(st.integers(0, 6), st.integers(0, 3), st.sampled_from(list(PROFILES.values())))
def test_prompts_of_one_chunk_go_on(shown: int, more: int, profile: PromptProfile) -> None:
    turns = tuple(turn(second, "</silence>") for second in range(shown + more))
    before, after = Chunk(1, PREFIX, turns[:shown]), Chunk(1, PREFIX, turns)
    last = Asked(before, prompt(profile, before, turn(20)))
    assert goes_on(last, after, prompt(profile, after, turn(30), last))


def test_a_past_that_was_rewritten_does_not_go_on() -> None:
    before, after = Chunk(1, (), (turn(0, "</silence>"),)), Chunk(1, (), (turn(0, "</response> Hello."), turn(1)))
    last = Asked(before, prompt(VIGIL_SMALL, before, turn(1)))
    assert not goes_on(last, after, prompt(VIGIL_SMALL, after, turn(2)))


def test_a_new_chunk_need_not_go_on() -> None:
    before, after = Chunk(1, (), (turn(0, "</silence>"),)), Chunk(2, PREFIX)
    last = Asked(before, prompt(VIGIL_SMALL, before, turn(1)))
    assert goes_on(last, after, prompt(VIGIL_SMALL, after, turn(2)))


def test_key_frames_of_a_prefix_stand_before_the_first_turn_in_every_layout() -> None:
    prefix = (Text("Earlier: "), Image(frame("key")), Text("Watch.\n"))
    chunk = Chunk(1, prefix, (turn(9, "</silence>", queries=("Why?",)),))
    assert plain(prompt(VIGIL_SMALL, chunk, turn(10)))[1] == (
        "user",
        ["Earlier: ", "image:key", "Watch.\nWhy?\n<9.0 seconds>\n", "image:at9"],
    )
    assert plain(prompt(JOYAI, chunk, turn(10)))[1] == (
        "user",
        [
            *("Earlier: ", "image:key", "Watch.\n"),
            "[User Query (IMPORTANT \u2014 follow this instruction)]\nWhy?",
            *("<9.0 seconds>", "image:at9"),
        ],
    )
    assert [ref.uuid for ref in chunk.frames] == ["key", "at9"]


def test_the_opening_of_a_chunk_without_turns_is_its_prefix() -> None:
    prefix = (Text("Earlier: "), Image(frame("key")))
    assert opening(JOYAI, Chunk(1, prefix))[1:] == (Message("user", prefix),)
    assert len(opening(JOYAI, Chunk(1))) == 1
