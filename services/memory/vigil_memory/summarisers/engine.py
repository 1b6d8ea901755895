"""The kind `engine`: the session's own engine, which knows the pictures of the span by name."""

from collections.abc import Mapping

from vigil.core.profile import profile
from vigil.runtime.engine.client import EngineRequest
from vigil.runtime.engine.errors import EngineAnswerInvalid, EngineError, EngineRejected, EngineTimeout
from vigil.runtime.engine.pool import EnginePool
from vigil_memory.prompt import messages
from vigil_memory.summarisers.port import SummariserError, SummaryTask


class EngineSummariser:
    """Asks the engine of the session for the block, greedily. Pictures are sent only where the engine has forgotten
    them."""

    def __init__(self, engines: EnginePool, model: str) -> None:
        """`model` is asked where a request names none."""
        self._engines = engines
        self._model = model

    async def write(self, task: SummaryTask) -> str:
        """See `Summariser`."""
        request = task.request
        model = request.model or self._model
        pixels = {picture.uuid: picture.jpeg for picture in task.pictures}

        async def resend(uuids: set[str]) -> Mapping[str, bytes]:
            return {uuid: jpeg for uuid, jpeg in pixels.items() if uuid in uuids}

        asked = EngineRequest(
            messages=messages(profile(request.profile), task),
            fresh={},
            max_tokens=request.max_tokens,
            deadline_s=task.deadline_s,
            model=model,
        )
        try:
            completion = await self._engines.of(str(request.key), model).complete(asked, resend)
        except EngineError as error:
            raise SummariserError(str(error), _kind(error), is_transient=error.retryable) from None
        return completion.text


def _kind(error: EngineError) -> str:
    match error:
        case EngineTimeout():
            return "timeout"
        case EngineRejected():
            return "unavailable" if error.retryable else "refused"
        case EngineAnswerInvalid():
            return "invalid"
    return "unavailable" if error.retryable else "refused"
