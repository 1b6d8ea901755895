"""SDK and command for those who use Vigil from outside: sessions over REST, alerts over NATS."""

from vigil_client.alerts import Alert, Utterance, alerts, utterances
from vigil_client.api import Client
from vigil_client.options import Cadence, NewSession, NewSource, NewWatch, Speech, Window, source_url
from vigil_client.values import Session

__all__ = [
    "Alert",
    "Cadence",
    "Client",
    "NewSession",
    "NewSource",
    "NewWatch",
    "Session",
    "Speech",
    "Utterance",
    "Window",
    "alerts",
    "source_url",
    "utterances",
]
