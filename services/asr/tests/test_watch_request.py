"""What is said as one asks to be told of something that may happen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_asr.watch_request import is_watch_request

REQUESTS = (
    "Alert me when a fire starts.",
    "alert me if a fire starts",
    "Hey, please alert us as soon as somebody falls!",
    "Can you let me know if somebody opens the fridge?",
    "Let me know when the door is opened.",
    "Tell me when the delivery van leaves the yard.",
    "Tell me every time a car comes.",
    "Warn me if the old lady tries to stand up.",
    "Remind me when the parking lot is empty.",
    "I'd like you to notify me about smoke.",
    "I\u2019d like you to notify me about smoke.",
    "Okay, watch for an object left behind.",
    "Keep an eye on the stove.",
    "有人摔倒时请提醒我。",
    "如果起火,就通知我",
    "請在門打開時告訴我",
)
OTHERS = (
    "",
    "...",
    "How many people are in the kitchen now?",
    "What do you see?",
    "Tell me if the door is open.",
    "Tell me what you see.",
    "Tell me when the door was opened.",
    "Let me know.",
    "Alert me.",
    "Do you alert me when a fire starts?",
    "Don't alert me when a fire starts.",
    "Stop telling me when somebody comes.",
    "Did you let me know when he came?",
    "I said alert me when a fire starts.",
    "What should I watch for?",
    "Watch the stairs.",
    "Call me Ishmael.",
    "alert me when I f-",
    "Alert me when a fire…",
    "Alert me when a fire...",
    "Alert me when a fire starts. How many people are there?",
    "请告诉我现在有几个人？",
    "火灾是什么时候发生的？",
)


@pytest.mark.parametrize("text", REQUESTS)
def test_it_is_asked_to_be_told(text: str) -> None:
    assert is_watch_request(text)


@pytest.mark.parametrize("text", OTHERS)
def test_anything_else_is_no_such_request(text: str) -> None:
    assert not is_watch_request(text)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert is_watch_request(text) in (True, False)
