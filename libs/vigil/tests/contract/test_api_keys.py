"""The file of API keys."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.api_keys import ApiKey, KeyRole, decode_keys, digest_of, encode_keys, tenants_of
from vigil.contract.errors import InvalidKeyFile

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
KEYS = st.builds(
    ApiKey,
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    tenant=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    role=st.sampled_from(KeyRole),
    name=st.text(st.characters(codec="utf-8"), max_size=64),
    created=MOMENTS,
    expires=MOMENTS,
)


@given(st.lists(KEYS, max_size=4))
def test_what_is_written_is_read(keys: list[ApiKey]) -> None:
    assert list(decode_keys(encode_keys(keys))) == keys


def test_a_file_is_of_the_first_form_until_a_later_one_is_needed() -> None:
    assert b"form" not in encode_keys([ApiKey(digest_of("a"), "demo")])
    assert decode_keys(b'{"form": 1, "keys": []}') == ()


def test_a_key_of_the_least_form_is_an_operators_and_does_not_expire() -> None:
    (key,) = decode_keys(f'{{"keys": [{{"sha256": "{digest_of("a").upper()}", "tenant": "demo"}}]}}'.encode())
    assert (key.role, key.name, key.created, key.expires) == (KeyRole.OPERATOR, "", None, None)
    assert key.id == digest_of("a")[:12]
    assert not key.has_expired(NOON)


@pytest.mark.parametrize(
    ("role", "covered"),
    [
        (KeyRole.VIEWER, {KeyRole.VIEWER}),
        (KeyRole.OPERATOR, {KeyRole.VIEWER, KeyRole.OPERATOR}),
        (KeyRole.ADMIN, set(KeyRole)),
    ],
)
def test_each_role_may_do_what_those_before_it_may(role: KeyRole, covered: set[KeyRole]) -> None:
    assert {needed for needed in KeyRole if role.covers(needed)} == covered


def test_a_key_is_refused_from_its_last_moment_on() -> None:
    key = ApiKey(digest_of("a"), "demo", expires=NOON)
    assert [key.has_expired(NOON + timedelta(microseconds=step)) for step in (-1, 0, 1)] == [False, True, True]


def test_tenants_are_those_with_keys() -> None:
    keys = [ApiKey(digest_of(name), tenant) for name, tenant in (("a", "rival"), ("b", "demo"), ("c", "rival"))]
    assert tenants_of(keys) == ("demo", "rival")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "is not valid"),
        ("\udcff", "is not valid"),
        ('{"keys": [{"sha256": "abc", "tenant": "a"}]}', "not 64 hex digits"),
        (f'{{"keys": [{{"sha256": "{digest_of("a")}", "tenant": "a.b"}}]}}', "tenant 'a.b' is not allowed"),
        (f'{{"keys": [{{"sha256": "{digest_of("a")}"}}]}}', "missing required field `tenant`"),
        (f'{{"keys": [{{"sha256": "{digest_of("a")}", "tenant": "a", "role": "root"}}]}}', "Invalid enum value 'root'"),
        (
            f'{{"keys": [{{"sha256": "{digest_of("a")}", "tenant": "a", "expires": "2026-01-01T00:00:00"}}]}}',
            "`expires` has no time zone",
        ),
        (f'{{"keys": [{{"sha256": "{digest_of("a")}", "tenant": "a", "name": "{"n" * 65}"}}]}}', "longer than 64"),
        ('{"keys": [], "extra": 1}', "unknown field `extra`"),
        ('{"form": 2, "keys": {"of": "another kind"}}', "a newer release wrote it, in form 2: .* upgrade it"),
    ],
)
def test_a_bad_key_file_says_what_to_mend_and_quotes_no_digest(text: str, said: str) -> None:
    with pytest.raises(InvalidKeyFile, match=said) as caught:
        decode_keys(text.encode(errors="surrogateescape"))
    assert digest_of("a") not in str(caught.value)
