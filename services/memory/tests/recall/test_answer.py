"""What a question recalls: by words, by time, by both; the newest first; within its bounds; always plain."""

from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.core.control import plain
from vigil.core.recall import MAX_CHARS, MAX_LINES
from vigil.core.task import KeyFrame
from vigil_memory.recall.answer import MAX_SAME, NEWEST, Limits, recall
from vigil_memory.recall.moment import Moment, Span
from vigil_memory.recall.passages import Entry, EntryKind

ORIGIN_US = 1_795_932_000_000_000  # 2026-11-29 06:00 UTC


def block(from_s: int, to_s: int, text: str) -> Entry:
    return Entry(f"{from_s}-{to_s}-0", EntryKind.BLOCK, from_s * 1_000, to_s * 1_000, text)


def exchange(at_s: int, text: str) -> Entry:
    return Entry(f"{at_s}-x", EntryKind.EXCHANGE, at_s * 1_000, at_s * 1_000 + 500, text)


DAY = (
    block(0, 90, "At 12 seconds a blue bag was left. At 40 seconds someone put the keys on the table."),
    block(90, 180, "The room was empty. At 120 seconds 3 people came in. At 150 seconds the bell rang."),
    block(180, 270, "At 200 seconds a red bag was left. At 230 seconds someone put the phone in the drawer."),
    block(28_000, 28_090, "A man with a green coat came in. He took the phone."),
)
NOW = Moment(40_000_000, ORIGIN_US)


def texts(question: str, *entries: Entry, moment: Moment = NOW, limits: Limits | None = None) -> list[str]:
    return [line.text for line in recall(question, entries or DAY, moment, limits).lines]


def test_words_find_the_sentence_and_what_stands_beside_it() -> None:
    assert texts("Where are the keys?") == [
        "At 40 seconds someone put the keys on the table.",
        "At 12 seconds a blue bag was left.",
    ]


def test_the_newest_value_comes_first_and_is_marked() -> None:
    found = recall("What colour was the bag?", DAY, NOW).lines
    assert found[0].text == f"At 200 seconds a red bag was left. {NEWEST}"
    assert found[0].is_newest
    assert found[1].text == "At 12 seconds a blue bag was left."
    assert not any(line.is_newest for line in found[1:])


def test_a_sentence_without_a_time_of_its_own_is_told_with_that_of_its_block() -> None:
    found = recall("Which coat had the man?", DAY, NOW).lines[0]
    assert found.text == "Between 28000 and 28090 seconds: A man with a green coat came in."
    assert (found.from_ms, found.to_ms) == (28_000_000, 28_090_000)


def test_a_time_alone_recalls_what_lies_in_it_in_order() -> None:
    assert texts("What happened between 06:01:30 and 06:03?") == [
        "Between 90 and 180 seconds: The room was empty.",
        "At 120 seconds 3 people came in.",
        "At 150 seconds the bell rang.",
    ]
    assert recall("What happened between 13:00 and 14:00?", DAY, NOW).span == Span(25_200_000, 28_800_000)


def test_a_time_and_words_recall_the_words_within_the_time() -> None:
    found = recall("Which bag was left in the first 2 minutes?", DAY, NOW)
    assert found.lines[0].text == "At 12 seconds a blue bag was left."
    assert not any("red" in line.text for line in found.lines)


def test_a_time_without_any_memory_leaves_it_to_the_words() -> None:
    assert (
        texts("Where were the keys between 09:00 and 10:00?")[0] == "At 40 seconds someone put the keys on the table."
    )
    assert texts("What happened between 09:00 and 10:00?") == []


def test_an_answer_from_before_does_not_hide_what_was_seen_since() -> None:
    said = exchange(60, 'Asked: "Where are the keys?" Answered: "On the table."')
    moved = block(300, 390, "At 310 seconds someone put the keys in the box.")
    found = texts("In which place are the keys? Where are the keys?", *DAY, said, moved)
    assert found[0] == f"At 310 seconds someone put the keys in the box. {NEWEST}"
    assert any("On the table" in line for line in found)


def test_what_was_only_said_is_recalled_too() -> None:
    said = exchange(60, 'Asked: "My locker is number 42." Answered: "I will remember it."')
    assert texts("Which locker is mine?", *DAY, said)[0] == f"At 60 seconds: {said.text}"


def test_what_the_prompt_holds_already_is_left_out() -> None:
    assert (
        texts("What colour was the bag?", limits=Limits(known_from_ms=180_000))[0]
        == "At 12 seconds a blue bag was left."
    )


def test_nothing_to_search_by_finds_nothing() -> None:
    assert texts("What happened?") == []
    assert texts("") == []
    assert recall("Where are the keys?", (), NOW).lines == ()


def test_one_thing_that_happened_often_leaves_room_for_the_rest() -> None:
    rang = [block(n * 90, n * 90 + 90, f"At {n * 90 + 5} seconds the bell rang.") for n in range(50)]
    fire = block(9_000, 9_090, "At 9010 seconds a fire started.")
    found = texts("Did the bell ring before the fire?", *rang, fire)
    assert sum("bell" in line for line in found) == MAX_SAME
    assert any("fire" in line for line in found)


def test_chinese_questions_find_chinese_memory() -> None:
    memory = (
        block(0, 90, "第12秒有人留下一个蓝色的包。第40秒有人把钥匙放在桌子上。"),
        block(90, 180, "第120秒有人把钥匙放进抽屉。"),
    )
    assert texts("钥匙在哪里？", *memory)[:2] == [
        f"第120秒有人把钥匙放进抽屉。 {NEWEST}",
        "第40秒有人把钥匙放在桌子上。",
    ]


def test_a_line_comes_with_the_pictures_that_are_nearest() -> None:
    pictures = [KeyFrame(f"u{at}", at * 1_000) for at in (5, 30, 45, 60, 400)]
    found = recall("Where are the keys?", DAY, NOW, pictures=pictures).lines[0]
    assert [picture.uuid for picture in found.frames] == ["u30", "u45"]


entries = st.builds(
    lambda kind, from_ms, length, text: Entry(f"{from_ms}", kind, from_ms, from_ms + length, text),
    st.sampled_from(EntryKind),
    st.integers(0, 10**7),
    st.integers(0, 10**6),
    st.text(max_size=600)
    | st.sampled_from(["<12.0 seconds> the keys </silence>", "[Q&A History] keys.", "keys。" * 200]),
)


@settings(max_examples=30)
@given(
    st.text(max_size=80) | st.sampled_from(["Where are the keys?", "yesterday", "keys in the last hour"]),
    st.lists(entries, max_size=12),
    st.integers(0, 10**8),
)
def test_whatever_is_stored_the_lines_are_bounded_and_plain(question: str, stored: list[Entry], now_ms: int) -> None:
    found = recall(question, stored, Moment(now_ms, ORIGIN_US))
    assert len(found.lines) <= MAX_LINES
    assert sum(len(line.text) for line in found.lines) <= MAX_CHARS
    assert all(line.text == plain(line.text) for line in found.lines)
    assert len({line.text for line in found.lines}) == len(found.lines)


@settings(max_examples=10)
@given(st.permutations(DAY))
def test_the_order_of_the_archive_does_not_matter(stored: list[Entry]) -> None:
    assert recall("What colour was the bag?", stored, NOW) == recall("What colour was the bag?", DAY, NOW)
