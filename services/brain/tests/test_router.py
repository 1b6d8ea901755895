"""Which brain answers which question."""

from dataclasses import replace

import pytest

from vigil.core.task import KeyFrame, TaskRequest
from vigil_brain.router import Condition, Routes, Rule, choose

TASK = TaskRequest("demo", "s-1", "lobby", "s-1-0", "What is 17 times 23?", priority=5)
ROUTES = Routes(
    frozenset({"small", "thinker", "acme", "eyes"}),
    "thinker",
    {"acme": "acme"},
    (Rule(Condition(words_at_most=6), "small"),),
)
LONG = replace(TASK, question="Why did the person leave, and who else was in the room at that time of the day?")


@pytest.mark.parametrize(
    ("request_", "brain"),
    [
        (TASK, "small"),
        (LONG, "thinker"),
        (replace(LONG, tenant="acme"), "acme"),
        (replace(TASK, tenant="acme"), "small"),
        (replace(TASK, brain="eyes"), "eyes"),
    ],
)
def test_a_name_comes_before_a_rule_before_the_tenant_before_the_default(request_: TaskRequest, brain: str) -> None:
    assert choose(ROUTES, request_).brain == brain


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition(), True),
        (Condition(words_at_least=5), True),
        (Condition(words_at_least=6), False),
        (Condition(words_at_most=4), False),
        (Condition(priority_at_least=6), False),
        (Condition(contains=("TIMES", "plus")), True),
        (Condition(contains=("plus",)), False),
        (Condition(tenants=("demo",)), True),
        (Condition(tenants=("acme",)), False),
        (Condition(has_pictures=False), True),
        (Condition(has_pictures=True), False),
        (Condition(words_at_most=9, tenants=("acme",)), False),
    ],
)
def test_every_part_of_a_condition_must_hold(condition: Condition, holds: bool) -> None:
    assert condition.holds(TASK) is holds


def test_pictures_count() -> None:
    assert Condition(has_pictures=True).holds(replace(TASK, frames=(KeyFrame("f", 0),)))


def test_a_script_without_spaces_has_words_too() -> None:
    condition = Condition(words_at_least=5)
    assert condition.holds(replace(TASK, question="房间里的人为什么离开了那里"))
    assert not condition.holds(replace(TASK, question="为什么"))


def test_a_brain_that_is_not_there_is_told_and_no_other_takes_its_place() -> None:
    chosen = choose(ROUTES, replace(TASK, brain="large"))
    assert not chosen.brain
    assert "'large'" in chosen.fault


def test_without_any_brain_the_user_learns_how_to_get_one() -> None:
    fault = choose(Routes(), TASK).fault
    assert "VIGIL_BRAINS_FILE" in fault
    assert "make brain" in fault
