"""Translates what nats-py raises into the bus's own errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

from vigil.runtime.errors import BusUnavailable, PayloadTooLarge, PublishRefused, StreamMovedOn, describe
from vigil.runtime.process.cancellation import cancellation_kept

_WRONG_LAST_SEQUENCE = (10071, 10164)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise `BusError`s only; `what` names the subject or the operation in their messages."""
    try:
        with cancellation_kept():
            yield
    except MaxPayloadError:
        raise PayloadTooLarge(f"{what}: the message is over NATS's limit: send less or raise max_payload") from None
    except NoStreamResponseError:
        raise BusUnavailable(f"{what}: no stream stores this subject (yet): check that JetStream is enabled") from None
    except ServiceUnavailableError as error:
        raise BusUnavailable(f"{what}: JetStream is not available: {error.description}") from None
    except APIError as error:
        if error.err_code in _WRONG_LAST_SEQUENCE:
            raise StreamMovedOn(f"{what}: another message was stored meanwhile") from None
        raise PublishRefused(f"{what}: JetStream refused: {error.description} (code {error.err_code})") from None
    except (NatsError, OSError, TimeoutError) as error:
        raise BusUnavailable(f"{what}: NATS did not answer: {describe(error)}") from None
