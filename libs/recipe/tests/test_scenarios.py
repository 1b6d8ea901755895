"""Each scenario replayed by other means: the right answers follow from the lines and the episode."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil_recipe.scenarios import (
    Due,
    Said,
    Scenario,
    Script,
    ScriptTurn,
    chat,
    commentary,
    counting,
    delegation,
    exam_script,
    memory,
    questions,
    sample_script,
    timing,
    translation,
)
from vigil_recipe.text.dialogue import DESCRIBE, RESPONSE, SILENCE, STOP, describe, reply_to, wordings
from vigil_recipe.world import Kind, Split, Stage, make_episode
from vigil_recipe.world.sign import LEXICON

seeds = st.integers(0, 100_000)
many = settings(max_examples=150, deadline=None)


def sample(seed: int, scenario: Scenario, stage: Stage | None = None, turns: int = 60) -> Script:
    chosen = stage or (Stage.PLAIN, Stage.VARIED)[seed % 2]
    episode = make_episode(seed, Split.TRAIN, turns + 20, stage=chosen)
    return sample_script(np.random.default_rng(seed), scenario, episode, turns, seed % 20)


def held(script: Script, turn: ScriptTurn) -> frozenset[Kind]:
    return script.episode.truth(turn.second)


def spoken(turn: ScriptTurn) -> str:
    return "" if turn.reply == SILENCE else turn.reply.removeprefix(f"{RESPONSE} ")


def lines(turn: ScriptTurn, said: Said) -> list[str]:
    return [line.text for line in turn.lines if line.said is said]


def once(due: Due) -> tuple[int, str]:
    return due.first, due.text


@given(seed=seeds)
@many
def test_alerting_repeats_the_sentence_while_it_holds(seed: int) -> None:
    script = sample(seed, Scenario.ALERTING)
    asked: list[Kind] = []
    for turn in script.turns:
        asked += [kind for text in lines(turn, Said.INSTRUCTION) for kind in Kind if text in wordings(kind)]
        for text in lines(turn, Said.CLEARING):
            asked.remove(next(kind for kind in Kind if text.removeprefix(STOP) in wordings(kind)))
        query = DESCRIBE in lines(turn, Said.QUESTION)
        assert turn.reply == reply_to(held(script, turn), frozenset(asked), query=query)
    assert all(due.repeats or due.text.startswith("I see") for due in script.dues)


def answer_of(question: str, now: frozenset[Kind], seen: frozenset[Kind]) -> str:
    if question == DESCRIBE:
        return describe(now)
    for kind in Kind:
        if question in questions.PRESENT[kind]:
            return "Yes." if kind in now else "No."
        if question in questions.BACKWARD[kind]:
            return "Yes." if kind in seen else "No."
    return ""


@given(seed=seeds)
@many
def test_questions_are_answered_from_what_was_seen(seed: int) -> None:
    script = sample(seed, Scenario.QUESTIONS)
    seen: frozenset[Kind] = frozenset()
    before: frozenset[Kind] | None = None
    waiting: dict[tuple[Kind, bool], str] = {}
    for turn in script.turns:
        now = held(script, turn)
        seen |= now
        said = [text for question in lines(turn, Said.QUESTION) if (text := answer_of(question, now, seen))]
        changed = [(kind, kind in now) for kind in Kind if before is not None and (kind in now) != (kind in before)]
        said += [waiting.pop(event) for event in changed if event in waiting]
        assert spoken(turn) == " ".join(said)
        for question in lines(turn, Said.QUESTION):
            for event, words in questions.COMING.items():
                if question.endswith(f"when {words}."):
                    waiting[event] = commentary.CHANGE[event]
        before = now


def test_yes_and_no_are_both_common() -> None:
    dues = [due.text for seed in range(150) for due in sample(seed, Scenario.QUESTIONS).dues]
    assert 0.3 < dues.count("Yes.") / (dues.count("Yes.") + dues.count("No.")) < 0.6


@given(seed=seeds)
@many
def test_forward_questions_are_due_after_they_are_asked(seed: int) -> None:
    script = sample(seed, Scenario.QUESTIONS)
    forward = [due for due in script.dues if due.text in commentary.CHANGE.values()]
    assert all(due.asked < due.first for due in forward)


@given(seed=seeds)
@many
def test_counts_go_up_by_one_at_each_crossing(seed: int) -> None:
    script = sample(seed, Scenario.COUNTING, Stage.CROSSING, 80)
    (given,) = [(index, text) for index, turn in enumerate(script.turns) for text in lines(turn, Said.INSTRUCTION)]
    passers = given[1] not in counting.DOORS
    assert not passers or given[1] in counting.PASSERS[script.episode.passers]
    number, counting_now = 0, False
    for index, turn in enumerate(script.turns):
        opens = index > 0 and Kind.DOOR in held(script, turn) - held(script, script.turns[index - 1])
        event = turn.second in script.episode.crossings and index > 0 if passers else opens
        counting_now &= not lines(turn, Said.CLEARING)
        asked = lines(turn, Said.QUESTION)
        number += event and counting_now
        assert spoken(turn) == (f"{number}." if asked or (event and counting_now) else "")
        assert not (event and (asked or lines(turn, Said.INSTRUCTION)))
        counting_now |= bool(lines(turn, Said.INSTRUCTION))
    assert number <= counting.MOST


def test_counts_reach_high_numbers() -> None:
    texts = {due.text for seed in range(60) for due in sample(seed, Scenario.COUNTING, Stage.CROSSING, 96).dues}
    assert {"0.", "1.", "8.", "9."} <= texts


def number_in(text: str) -> int:
    return int(re.findall(r"\d+", text)[0])


@given(seed=seeds)
@many
def test_times_are_kept_to_the_second(seed: int) -> None:
    script = sample(seed, Scenario.TIMING)
    expected: set[tuple[int, str]] = set()
    every = [text.split("{n}")[0] for text in timing.EVERY]
    for index, turn in enumerate(script.turns):
        for text in lines(turn, Said.INSTRUCTION):
            assert any(text.startswith(one) for one in every)
            stops = [at for at, later in enumerate(script.turns) if STOP + text in lines(later, Said.CLEARING)]
            stop = min((at for at in stops if at > index), default=len(script.turns))
            expected |= {(at, "Now.") for at in range(index + number_in(text), stop, number_in(text))}
        for text in lines(turn, Said.QUESTION):
            if any(text in timing.HOW_LONG[kind] for kind in Kind):
                kind = next(kind for kind in Kind if text in timing.HOW_LONG[kind])
                spans = [span for span in script.episode.spans_of(kind) if span.end_s <= turn.second]
                assert spans[-1].start_s > script.turns[0].second
                expected.add((index, f"{spans[-1].end_s - spans[-1].start_s} seconds."))
                assert kind not in held(script, turn)
            else:
                expected.add((index + number_in(text), f"{number_in(text)} seconds have passed."))
    assert {once(due) for due in script.dues} == expected


@given(seed=seeds)
@many
def test_every_change_is_commented_in_its_turn(seed: int) -> None:
    script = sample(seed, Scenario.COMMENTARY)
    active = False
    for index, turn in enumerate(script.turns):
        active &= not lines(turn, Said.CLEARING)
        now, before = held(script, turn), held(script, script.turns[index - 1]) if index else held(script, turn)
        changed = [commentary.CHANGE[kind, kind in now] for kind in Kind if (kind in now) != (kind in before)]
        assert spoken(turn) == (" ".join(changed) if active else "")
        active |= bool(lines(turn, Said.INSTRUCTION))


@given(seed=seeds)
@many
def test_each_showing_of_a_word_is_translated_once(seed: int) -> None:
    script = sample(seed, Scenario.TRANSLATION, Stage.SIGN)
    active, told, before = False, False, ""
    for turn in script.turns:
        word = script.episode.word(turn.second)
        told &= bool(word) and word == before
        active = (active and not lines(turn, Said.CLEARING)) or bool(lines(turn, Said.INSTRUCTION))
        said = [f"{word.capitalize()}." if word else "Nothing."] * len(lines(turn, Said.QUESTION))
        if active and word and not told:
            said.append(f"{LEXICON[word].capitalize()}.")
        told |= active and bool(word)
        assert spoken(turn) == " ".join(said)
        before = word


def test_all_words_are_translated_somewhere() -> None:
    texts = {due.text for seed in range(60) for due in sample(seed, Scenario.TRANSLATION, Stage.SIGN).dues}
    assert {translation.french_of(word) for word in LEXICON} <= texts


def value_in(text: str, patterns: tuple[str, ...], values: tuple[str, ...]) -> str:
    return next((value for value in values if text in [pattern.format(value) for pattern in patterns]), "")


@given(seed=seeds)
@many
def test_chat_remembers_what_was_said(seed: int) -> None:
    script = sample(seed, Scenario.CHAT)
    name = colour = last = ""
    for turn in script.turns:
        for text in lines(turn, Said.QUESTION):
            name = value_in(text, chat.MY_NAME, chat.NAMES) or name
            colour = value_in(text, chat.MY_COLOUR, chat.COLOURS) or colour
            if text in chat.WHICH_NAME:
                assert spoken(turn) == (f"Your name is {name}." if name else "I do not know.")
            elif text in chat.WHICH_COLOUR:
                assert spoken(turn) == (f"{colour.capitalize()}." if colour else "I do not know.")
            elif text in chat.REPEAT:
                assert spoken(turn) == last
            elif right := answer_of(text, held(script, turn), frozenset()):
                assert spoken(turn) == right
            last = spoken(turn)


def test_no_line_of_the_chat_means_two_things() -> None:
    fixed = [text for said in chat.SMALL_TALK.values() for text in said]
    named = [text.format(name) for text in chat.MY_NAME for name in chat.NAMES]
    coloured = [text.format(colour) for text in chat.MY_COLOUR for colour in chat.COLOURS]
    every = [*fixed, *named, *coloured, *chat.WHICH_NAME, *chat.WHICH_COLOUR, *chat.REPEAT]
    assert len(every) == len(set(every))


def topic_of(question: str) -> str:
    return next((name for name, topic in memory.TOPICS.items() if question in topic.questions), "")


FACT = {
    "bag": r"a (\w+) bag was left",
    "coat": r"a man with a (\w+) coat came in",
    "car": r"a (\w+) car stopped",
    "keys": r"someone put the keys ([\w ]+)",
    "phone": r"someone put the phone ([\w ]+)",
    "people": r"(\d) people came in",
    "bell": r"(At \d+ seconds) the bell rang",
    "fire": r"(At \d+ seconds) a fire started",
    "fall": r"(At \d+ seconds) someone fell",
}


@given(seed=seeds)
@many
def test_memory_questions_are_answered_from_the_memory_alone(seed: int) -> None:
    script = sample(seed, Scenario.MEMORY)
    assert "\n" not in script.memory
    assert script.memory == "" or re.fullmatch(r"Memory:( At \d+ seconds [^.]+\.){2,4}", script.memory)
    asked = 0
    for turn in script.turns:
        for text in lines(turn, Said.QUESTION):
            topic = topic_of(text)
            if topic:
                found = re.search(rf"{FACT[topic]}\b", script.memory)
                assert spoken(turn) == (f"{found[1].capitalize()}." if found else "I do not know.")
                asked += 1
    assert asked


def test_guessing_from_memory_questions_hardly_works() -> None:
    """Per topic the commonest answer is right in less than a quarter of the questions that have one."""
    answers: dict[str, list[str]] = {name: [] for name in memory.TOPICS}
    rng = np.random.default_rng(4)
    for _ in range(2_000):
        for name, (_, fact) in memory.draw_facts(rng).items():
            answers[name].append(fact.answer)
    for given_answers in answers.values():
        most = max(given_answers.count(answer) for answer in set(given_answers))
        assert most / len(given_answers) < 0.25
        assert len(set(given_answers)) >= 6


def test_some_memories_are_empty() -> None:
    scripts = [sample(seed, Scenario.MEMORY) for seed in range(200)]
    assert 0.05 < sum(not script.memory for script in scripts) / 200 < 0.25


@given(seed=seeds)
@many
def test_hard_questions_are_delegated_and_their_results_told(seed: int) -> None:
    script = sample(seed, Scenario.DELEGATION)
    results = {result.question: result for result in script.results}
    assert results
    pending: dict[int, str] = {}
    for index, turn in enumerate(script.turns):
        words, _, hidden = spoken(turn).partition(" </delegation> ")
        hard = [text for text in lines(turn, Said.QUESTION) if text in results]
        easy = [text for text in lines(turn, Said.QUESTION) if text not in results]
        assert hidden == "".join(hard)
        assert words.startswith(delegation.HOLDING) == bool(hard)
        if hard:
            pending[index + results[hard[0]].delay] = hard[0]
        assert lines(turn, Said.RESULT) == ([results[pending[index]].line.text] if index in pending else [])
        if index in pending:
            answer = results[pending[index]].line.text.removeprefix(f"Result: {pending[index]} ")
            assert words.startswith(answer)
        for text in easy:
            now = held(script, turn)
            right = answer_of(text, now, now)
            assert words.startswith(right or next(a for a, said in chat.SMALL_TALK.items() if text in said))
    assert all(2 <= result.delay <= 12 for result in script.results)


def test_the_stream_is_watched_while_a_result_is_pending() -> None:
    watched = 0
    for seed in range(150):
        script = sample(seed, Scenario.DELEGATION)
        asked = [index for index, turn in enumerate(script.turns) if "</delegation>" in turn.reply]
        for start, result in zip(asked, script.results, strict=True):
            span = range(start + 1, start + result.delay)
            watched += any(due.repeats and due.first in span for due in script.dues)
    assert watched >= 15


def test_answers_of_the_background_are_closed_or_numbers() -> None:
    rng = np.random.default_rng(2)
    for draw in delegation.HARD:
        pairs = [draw(rng) for _ in range(50)]
        assert all(question.endswith("?") and answer.endswith(".") for question, answer in pairs)
        assert max(len(answer) for _, answer in pairs) <= 40


def test_requests_have_several_wordings() -> None:
    lists = [counting.DOORS, *counting.PASSERS.values(), counting.HOW_MANY, timing.EVERY, timing.AFTER]
    lists += [*timing.HOW_LONG.values(), commentary.ASKS, translation.ASKS, translation.READS, questions.ONCE]
    lists += [*questions.PRESENT.values(), *questions.BACKWARD.values(), *chat.SMALL_TALK.values()]
    lists += [topic.questions for topic in memory.TOPICS.values()]
    every = [text for texts in lists for text in texts]
    assert all(len(texts) >= 4 for texts in lists)
    assert len(every) == len(set(every))


def test_few_exam_questions_are_about_what_is_not_remembered() -> None:
    """Else a model without memory could score by saying that it does not know."""
    scripts = [exam_script(seed, Scenario.MEMORY, Split.VALIDATION, 40) for seed in range(120)]
    answers = [due.text for script in scripts for due in script.dues if due.text not in ("Yes.", "No.")]
    assert 0 < answers.count("I do not know.") / len(answers) < 0.2
