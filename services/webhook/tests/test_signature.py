"""Signatures: the specification's own example, and by property."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_webhook.signature import signed_headers, signing_key

keys = st.binary(min_size=24, max_size=64)


def test_the_example_of_the_specification() -> None:
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(keys)
def test_a_secret_reads_back(key: bytes) -> None:
    assert signing_key("whsec_" + base64.b64encode(key).decode()) == key


@given(keys, st.text(max_size=40), st.integers(0, 2**40), st.binary(max_size=200))
def test_id_time_and_body_are_all_signed(key: bytes, message_id: str, at: int, body: bytes) -> None:
    version, _, signature = signed_headers(key, message_id, at, body)["webhook-signature"].partition(",")
    content = f"{message_id}.{at}.".encode() + body
    assert version == "v1"
    assert base64.b64decode(signature) == hmac.digest(key, content, hashlib.sha256)


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("hunter2", "does not begin with whsec_"),
        ("whsec_!!!", "not base64"),
        ("whsec_aHVudGVyMg==", "has 7 bytes"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "has 65 bytes"),
    ],
)
def test_a_bad_secret_is_refused_and_not_repeated(secret: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        signing_key(secret)
    assert secret.removeprefix("whsec_") not in str(refused.value)
    assert "24 to 64 random bytes" in str(refused.value)
