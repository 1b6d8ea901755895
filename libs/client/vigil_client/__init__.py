"""SDK and command for those who use Vigil from outside: sessions over REST, alerts over NATS."""

from vigil_client.alerts import Alert, Utterance, alerts, utterances
from vigil_client.api import Client
from vigil_client.values import NewSession, NewWatch, Session

__all__ = ["Alert", "Client", "NewSession", "NewWatch", "Session", "Utterance", "alerts", "utterances"]
