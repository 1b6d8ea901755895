"""SDK and command for those who use Vigil from outside: sessions over REST, alerts over NATS."""

from vigil_client.alerts import Alert, Utterance, alerts, utterances
from vigil_client.api import Client
from vigil_client.approvals import Approval, NewPattern
from vigil_client.options import Cadence, NewObservation, NewSession, NewSource, NewWatch, Speech, Window, source_url
from vigil_client.speech import SpeechNews, Transcript
from vigil_client.tasks import Task
from vigil_client.values import Session

__all__ = [
    "Alert",
    "Approval",
    "Cadence",
    "Client",
    "NewObservation",
    "NewPattern",
    "NewSession",
    "NewSource",
    "NewWatch",
    "Session",
    "Speech",
    "SpeechNews",
    "Task",
    "Transcript",
    "Utterance",
    "Window",
    "alerts",
    "source_url",
    "utterances",
]
