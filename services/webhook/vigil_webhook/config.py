"""Settings of the webhook bridge: `VIGIL_` and the field's name, in upper case."""

from pathlib import Path

from pydantic import Field

from vigil.runtime.process.config import ServiceSettings
from vigil_webhook.verdict import Patience


class WebhookSettings(ServiceSettings):
    """Times are in seconds. With the defaults a receiver may be away for most of a day and miss nothing."""

    host: str = Field("127.0.0.1", min_length=1, description="Address that the HTTP endpoint listens on")
    http_port: int = Field(
        9108, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    webhooks_file: Path = Field(description="JSON file of the endpoints that get alerts and session events")
    webhook_timeout_s: float = Field(10.0, gt=0, le=60, description="Seconds after which one POST is given up")
    webhook_tries: int = Field(
        1_500, ge=1, le=100_000, description="Tries of one event while its receiver is unavailable"
    )
    webhook_refusals: int = Field(
        20,
        ge=1,
        le=100_000,
        description="Tries of one event that its receiver refuses, or fails at while it takes others",
    )
    webhook_retry_first_s: float = Field(
        1.0, ge=0.05, le=3_600, description="Seconds before the second try; each later wait is twice as long"
    )
    webhook_retry_most_s: float = Field(
        60.0, ge=0.05, le=86_400, description="Longest wait in seconds between two tries"
    )
    webhook_check_s: float = Field(
        10.0, ge=0.05, le=3_600, description="Seconds between two looks whether somebody changed an endpoint's consumer"
    )
    webhook_allow_local: bool = Field(
        False, description="Whether endpoints may be on this host, at its loopback addresses"
    )

    @property
    def patience(self) -> Patience:
        return Patience(
            self.webhook_tries, self.webhook_refusals, self.webhook_retry_first_s, self.webhook_retry_most_s
        )

    @property
    def ack_wait_s(self) -> float:
        """An alert whose bridge died with it in hand is delivered again after this: longer than any attempt."""
        return self.webhook_timeout_s + 2.0
