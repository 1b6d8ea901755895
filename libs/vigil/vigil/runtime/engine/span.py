"""What the span of a completion says, by the names of OpenTelemetry's conventions for generative AI."""

from urllib.parse import urlsplit

from vigil.contract import spans
from vigil.core.decide import Completion
from vigil.runtime.engine.wire import Sampling
from vigil.runtime.process.trace import AttributeValue

_PROVIDER = "vllm"


def asking(root: str, model: str, max_tokens: int, sampling: Sampling | None) -> dict[str, AttributeValue]:
    """What is known before the engine at `root` answers. Pictures and words are not told."""
    address = urlsplit(root)
    attributes: dict[str, AttributeValue] = {
        spans.GEN_AI_OPERATION: "chat",
        spans.GEN_AI_PROVIDER: _PROVIDER,
        spans.GEN_AI_MODEL: model,
        spans.GEN_AI_MAX_TOKENS: max_tokens,
        spans.GEN_AI_TEMPERATURE: sampling.temperature if sampling else 0.0,
        spans.SERVER_ADDRESS: address.hostname or "",
    }
    if sampling:
        attributes[spans.GEN_AI_SEED] = sampling.seed
    if address.port:
        attributes[spans.SERVER_PORT] = address.port
    return attributes


def answered(completion: Completion) -> dict[str, AttributeValue]:
    """What the engine's answer adds."""
    return {
        spans.GEN_AI_INPUT_TOKENS: completion.prompt_tokens,
        spans.GEN_AI_CACHED_TOKENS: completion.cached_tokens,
        spans.GEN_AI_OUTPUT_TOKENS: completion.completion_tokens,
        spans.RESENT: completion.resent,
    }
