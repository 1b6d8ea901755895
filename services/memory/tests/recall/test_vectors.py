"""Vectors of sentences: cosines, bounds in bytes, and what is forgotten."""

import math

import pytest

from vigil.core.ids import SessionKey
from vigil_memory.recall.vectors import Vectors, cosines, unit

FIRST, SECOND = SessionKey("demo", "s-1"), SessionKey("demo", "s-2")
BYTES = 8  # of a vector with two dimensions


def test_cosines_are_of_the_sentences_that_have_a_vector() -> None:
    vectors = Vectors(1_000)
    vectors.keep(FIRST, ["east", "north"], [[2.0, 0.0], [0.0, 0.5]])
    found = cosines(vectors.of(FIRST, ["north", "east", "unknown"]), [3.0, 3.0])
    assert found == pytest.approx({"north": math.sqrt(0.5), "east": math.sqrt(0.5)})
    assert vectors.missing(FIRST, ["north", "west", "west"]) == ["west"]
    assert vectors.of(SECOND, ["north"]) == {}
    assert cosines({}, [1.0, 0.0]) == {}


def test_another_length_is_of_another_model_and_is_near_nothing() -> None:
    vectors = Vectors(1_000)
    vectors.keep(FIRST, ["east"], [[1.0, 0.0]])
    assert cosines(vectors.of(FIRST, ["east"]), [1.0, 0.0, 0.0]) == {}


def test_the_session_that_was_asked_longest_ago_makes_way_then_its_first_sentences() -> None:
    vectors = Vectors(3 * BYTES)
    vectors.keep(FIRST, ["a"], [[1.0, 0.0]])
    vectors.keep(SECOND, ["b"], [[1.0, 0.0]])
    assert vectors.of(FIRST, ["a"]).keys() == {"a"}, "it was asked last"
    vectors.keep(FIRST, ["c", "d"], [[1.0, 0.0], [1.0, 0.0]])
    assert (vectors.missing(SECOND, ["b"]), vectors.missing(FIRST, ["a", "c", "d"])) == (["b"], [])
    vectors.keep(FIRST, ["e"], [[1.0, 0.0]])
    assert (vectors.missing(FIRST, ["a", "c", "d", "e"]), vectors.bytes) == (["a"], 3 * BYTES)


def test_what_left_the_archive_and_what_ended_is_forgotten() -> None:
    vectors = Vectors(1_000)
    vectors.keep(FIRST, ["a", "b", "c"], [[1.0, 0.0]] * 3)
    vectors.retain(FIRST, ["b", "c"])
    assert vectors.missing(FIRST, ["a", "b", "c"]) == [], "it may come into the archive yet"
    vectors.retain(FIRST, ["b"])
    assert (vectors.missing(FIRST, ["a", "b", "c"]), vectors.bytes) == (["a", "c"], BYTES)
    vectors.forget(FIRST)
    vectors.forget(SECOND)
    assert (vectors.missing(FIRST, ["b"]), vectors.bytes) == (["b"], 0)


@pytest.mark.parametrize("raw", [[0.0, 0.0], [math.nan, math.inf], [1e38, 1e38]])
def test_a_vector_that_is_none_is_near_nothing_and_breaks_nothing(raw: list[float]) -> None:
    assert all(math.isfinite(value) for value in unit(raw).tolist())
