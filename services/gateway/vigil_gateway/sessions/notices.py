"""What a client should know of a session that it may have all the same."""

from dataclasses import dataclass

from vigil.core.profile import PROFILES, World
from vigil.core.session import SessionSpec

NOT_RENDERED = "source_not_rendered"
_NOT_RENDERED = (
    "The weights of the prompt profile {profile} know only the rendered world of `vigil demo`, and this source is not "
    "known to show it: on real pictures their words and alerts mean nothing. For a real camera serve a vision-language "
    "model (of the Qwen-VL kind) with vLLM and name it: `vigil up --engine-url http://ENGINE:8000 --model NAME "
    "--profile harness`, or in containers VIGIL_ENGINE_URLS, VIGIL_MODEL and VIGIL_PROFILE=harness for the layer "
    "deploy/compose.remote-engine.yaml. docs/operations.md, 'A real camera', has the commands for a GPU and for a CPU; "
    "docs/compose.md, 'Engines elsewhere', those for containers."
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A stable `code`, and what it means in words."""

    code: str
    message: str


def notices_of(spec: SessionSpec, rendered_sources: str) -> tuple[Notice, ...]:
    """The notices about a session. `rendered_sources` are the addresses, separated by commas, that are known to show
    the rendered world; of any other source, and of pictures that a client pushes, nobody knows."""
    profile = PROFILES.get(spec.profile)  # of another version of the gateway, it may be unknown here
    if profile is None or profile.world is World.ANY:
        return ()
    if spec.source.url and spec.source.url in rendered_sources.split(","):
        return ()
    return (Notice(NOT_RENDERED, _NOT_RENDERED.format(profile=spec.profile)),)
