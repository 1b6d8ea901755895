"""The agent card: what Vigil does for other agents, where, and with which key. It is public."""

from a2a.types.a2a_pb2 import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)

from vigil_gateway.agent.a2a.messages import EXAMPLE, MODES
from vigil_gateway.agent.a2a.protocol import JSONRPC

PATH = "/.well-known/agent-card.json"
CACHE = "public, max-age=60"
VERSION = "1.0.0"
PROTOCOL_VERSION = "1.0"
_KEY = "key"


def card(url: str) -> AgentCard:
    """The card of the gateway that agents reach at `url` (scheme and host)."""
    return AgentCard(
        name="Vigil",
        description="Watches live video and says when what you asked for happens: each second a vision-language model "
        "sees the newest picture. A task is a watch on one camera; its artifacts are the alerts.",
        version=VERSION,
        supported_interfaces=[
            AgentInterface(url=f"{url}{JSONRPC}", protocol_binding=binding, protocol_version=PROTOCOL_VERSION)
            for binding in ("JSONRPC", "HTTP+JSON")
        ],
        capabilities=AgentCapabilities(streaming=True, push_notifications=False, extended_agent_card=False),
        default_input_modes=MODES,
        default_output_modes=MODES,
        skills=[_watching()],
        security_schemes={
            _KEY: SecurityScheme(
                http_auth_security_scheme=HTTPAuthSecurityScheme(
                    scheme="Bearer", description="An API key of this gateway, of the role operator; a viewer may read."
                )
            )
        },
        security_requirements=[SecurityRequirement(schemes={_KEY: StringList()})],
    )


def _watching() -> AgentSkill:
    return AgentSkill(
        id="watch",
        name="Watch a camera",
        description="Watches one camera for what you say, until you cancel the task. Say what to watch for as a text "
        f"part, and name the camera in a data part: {EXAMPLE}. The task streams each alert as it opens, changes and "
        "closes.",
        tags=["video", "camera", "monitoring", "alerts"],
        examples=["Alert me when a fire starts.", "Tell me when somebody falls."],
        input_modes=MODES,
        output_modes=MODES,
    )
