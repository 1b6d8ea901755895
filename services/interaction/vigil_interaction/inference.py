"""Asking the engine for one turn: the decision and its words, and the words again where they are to be sampled."""

import time
from dataclasses import dataclass, replace

from vigil.core.decide import Completion
from vigil.core.profile import PromptProfile
from vigil.core.text_sampling import may_vary, opened, worded
from vigil.runtime.engine.client import EngineRequest, Resend
from vigil.runtime.engine.errors import EngineError
from vigil.runtime.engine.wire import Sampling
from vigil_interaction import metrics
from vigil_interaction.ports import Engine


@dataclass(frozen=True, slots=True)
class Asker:
    """One session's engine. `resend` gives the pixels that the engine has forgotten."""

    engine: Engine
    resend: Resend
    profile: PromptProfile

    async def ask(self, request: EngineRequest, temperature: float, sequence: int) -> Completion:
        """The greedy completion, with its words drawn anew at a `temperature` above 0. Raises `EngineError`.

        The draw depends on `sequence`, so a turn that is made again says the same. When there is no time left for it,
        or the engine fails, the words are the greedy ones: what was decided is never lost.
        """
        began = time.monotonic()
        decided = await self.engine.complete(request, self.resend)
        if not temperature or not may_vary(self.profile, decided):
            return decided
        again = replace(
            request,
            messages=opened(self.profile, request.messages),
            deadline_s=request.deadline_s - (time.monotonic() - began),
            logit_bias={},
            regex=self.profile.words_grammar,
            rendered=None,
            fresh={},  # the engine has just seen them
            sampling=Sampling(temperature, seed=sequence, stop=self.profile.spelling.delegation),
        )
        try:
            drawn = await self.engine.complete(again, self.resend)
        except EngineError as error:
            metrics.WORDS_NOT_SAMPLED.labels(type(error).__name__).inc()
            return decided
        return worded(self.profile, decided, drawn)
