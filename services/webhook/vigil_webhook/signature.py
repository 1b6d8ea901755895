"""Signatures of the Standard Webhooks specification (version 1.0, symmetric `v1`). Pure.

The signed content is `<webhook-id>.<webhook-timestamp>.<body>`; the signature is `v1,` and the base64 of its
HMAC-SHA256. A secret is written `whsec_` and the base64 of 24 to 64 random bytes.
"""

import base64
import binascii
import hashlib
import hmac

SECRET_PREFIX = "whsec_"
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
HOW = f"write {SECRET_PREFIX} and the base64 of {MIN_KEY_BYTES} to {MAX_KEY_BYTES} random bytes"


def signing_key(secret: str) -> bytes:
    """The key within a secret. Raises `ValueError`, whose message never holds the secret."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"the secret does not begin with {SECRET_PREFIX}: {HOW}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the secret is not base64: {HOW}") from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"the secret has {len(key)} bytes: {HOW}")
    return key


def signed_headers(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows that `body` is ours, whole, and recent."""
    content = b".".join((message_id.encode(), str(timestamp_s).encode(), body))
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
