"""The engine client's error tree. `retryable` says whether the same request may succeed a little later.

EngineError
├── EngineUnreachable      nothing listens there, or the connection broke                 retryable
├── EnginesDown            none of several engines answers                                retryable
├── EngineTimeout          no answer within the deadline                                  retryable
├── EngineRejected         an HTTP status that is not 200           retryable when 429 or 5xx
├── PromptTooLong          the prompt is longer than the model's context
├── EngineAnswerInvalid    an answer that is not a chat completion
├── ImagesMissing          images that nobody could supply, or that the engine would not keep
├── ModelNotServed         the engine serves other models
└── ControlTokensMissing   the tokenizer splits a control token
"""

from collections.abc import Sequence


class EngineError(Exception):
    """The engine could not do what was asked; the message says why and what to do."""

    retryable = False


class EngineUnreachable(EngineError):
    """Nothing answers at the engine's address."""

    retryable = True

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"no engine answers at {url} ({reason}): start it, or correct the engine's URL")
        self.url = url
        self.reason = reason


class EnginesDown(EngineError):
    """None of several engines answers."""

    retryable = True

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(f"none of {len(faults)} engines is up: {'; '.join(faults)}")


class EngineTimeout(EngineError):
    """The engine did not answer within the deadline."""

    retryable = True

    def __init__(self, url: str, deadline_s: float) -> None:
        super().__init__(f"the engine at {url} did not answer within {deadline_s:.3g} s: it is overloaded or stuck")
        self.url = url
        self.deadline_s = deadline_s


class EngineRejected(EngineError):
    """The engine answered with an error status; `reason` is its own message, shortened."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the engine answered {status}: {reason or 'no reason given'}")
        self.status = status
        self.reason = reason
        self.retryable = status == 429 or status >= 500


class PromptTooLong(EngineRejected):
    """The prompt does not fit into the model's context: send a shorter prompt."""


class EngineAnswerInvalid(EngineError):
    """The engine's answer could not be read: it is probably not an OpenAI-compatible server."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the answer from {url} is not OpenAI-compatible ({reason}): check the engine's URL")
        self.url = url
        self.reason = reason


class ImagesMissing(EngineError):
    """Neither the engine nor the caller has the images of `uuids` any more."""

    def __init__(self, uuids: Sequence[str], reason: str) -> None:
        shown = ", ".join(list(uuids)[:3]) + (", …" if len(uuids) > 3 else "")
        super().__init__(f"{len(uuids)} image(s) are missing ({shown}): {reason}")
        self.uuids = tuple(uuids)
        self.reason = reason


class ModelNotServed(EngineError):
    """The engine is there but does not serve the model that was asked for."""

    def __init__(self, model: str, served: Sequence[str]) -> None:
        names = ", ".join(served) or "none"
        super().__init__(f"the engine does not serve {model!r} (it serves: {names}): set the model to one of these")
        self.model = model
        self.served = tuple(served)


class ControlTokensMissing(EngineError):
    """The model's tokenizer has no single id for some control tokens."""

    def __init__(self, model: str, missing: Sequence[str]) -> None:
        super().__init__(
            f"the tokenizer of {model!r} splits {', '.join(missing)}: "
            "use an interaction model whose tokenizer has them as single tokens, or a grammar-based profile"
        )
        self.model = model
        self.missing = tuple(missing)
