"""Whether a question's prompt holds the fact that it needs, by the age of the fact: see `memory_world`."""

import pytest
from memory_world import figure, measured
from redis.asyncio import Redis

LEAST_QUESTIONS = 40
OLD = ("5-15 min", "30-60 min", "2 h")


@pytest.mark.slow
async def test_the_fact_that_a_question_needs_is_in_its_prompt_at_every_age(redis: Redis) -> None:
    tallies = await measured(redis, seed=20, profile="joyai")
    figures = {age: figure(tally) for age, tally in tallies.items()}
    print(figures)  # noqa: T201  the figures that the test is there for
    for age, tally in tallies.items():
        assert tally.asked >= LEAST_QUESTIONS, age
        assert tally.recalled >= 0.95 * tally.asked, figures
        assert tally.in_newest_value >= 0.95 * tally.asked, figures
    for age in OLD:
        assert tallies[age].raw <= 0.05 * tallies[age].asked, figures
