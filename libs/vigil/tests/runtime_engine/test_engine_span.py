"""The span of a completion, by the names of the conventions for generative AI."""

from vigil.contract import spans
from vigil.core.decide import Completion
from vigil.runtime.engine.span import answered, asking
from vigil.runtime.engine.wire import Sampling

ASKED = set(spans.CHAT.always)


def test_a_greedy_request_says_what_is_asked_of_whom() -> None:
    found = asking("http://gpu-1:8000", "vigil-small", 64, None)
    assert found.keys() == ASKED | {spans.SERVER_PORT}
    assert found[spans.GEN_AI_OPERATION] == "chat"
    assert found[spans.GEN_AI_MODEL] == "vigil-small"
    assert found[spans.GEN_AI_TEMPERATURE] == 0.0
    assert (found[spans.SERVER_ADDRESS], found[spans.SERVER_PORT]) == ("gpu-1", 8000)


def test_credentials_of_the_engines_address_are_not_told() -> None:
    found = asking("https://user:secret@engine.example", "m", 8, Sampling(0.7, 3, "</delegation>"))
    assert found[spans.SERVER_ADDRESS] == "engine.example"
    assert "secret" not in str(found)
    assert (found[spans.GEN_AI_TEMPERATURE], found[spans.GEN_AI_SEED]) == (0.7, 3)
    assert spans.SERVER_PORT not in found


def test_an_answer_says_its_tokens() -> None:
    completion = Completion("</silence>", {}, prompt_tokens=90, cached_tokens=80, completion_tokens=2, resent=True)
    assert answered(completion) == {
        spans.GEN_AI_INPUT_TOKENS: 90,
        spans.GEN_AI_CACHED_TOKENS: 80,
        spans.GEN_AI_OUTPUT_TOKENS: 2,
        spans.RESENT: True,
    }
    assert answered(completion).keys() <= set(spans.CHAT.sometimes)
