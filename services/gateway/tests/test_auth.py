import hashlib
from pathlib import Path

import pytest

from vigil_gateway.api.auth import KeyFileInvalid, KeyRing
from vigil_gateway.api.errors import KeyMissing, KeyWrong


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(text)
    return path


def test_each_key_speaks_for_its_tenant(tmp_path: Path) -> None:
    keys = f'{{"sha256": "{digest("one")}", "tenant": "a"}}, {{"sha256": "{digest("two").upper()}", "tenant": "b"}}'
    ring = KeyRing.load(written(tmp_path, f'{{"keys": [{keys}]}}'))
    assert ring.tenant("one") == "a"
    assert ring.tenant("two") == "b"


@pytest.mark.parametrize("key", ["three", digest("one"), "one ", "é", "x" * 10_000])
def test_any_other_key_is_wrong(key: str) -> None:
    with pytest.raises(KeyWrong):
        KeyRing({digest("one"): "a"}).tenant(key)


def test_no_key_is_missing() -> None:
    with pytest.raises(KeyMissing):
        KeyRing({digest("one"): "a"}).tenant("")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "is not valid"),
        ('{"keys": []}', "has no keys"),
        ('{"keys": [{"sha256": "abc", "tenant": "a"}]}', "not 64 hex digits"),
        (f'{{"keys": [{{"sha256": "{digest("one")}", "tenant": "a.b"}}]}}', "tenant 'a.b' is not allowed"),
        (f'{{"keys": [{{"sha256": "{digest("one")}"}}]}}', "missing required field `tenant`"),
        ('{"keys": [], "extra": 1}', "unknown field `extra`"),
    ],
)
def test_a_bad_key_file_says_what_to_mend(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(KeyFileInvalid, match=said) as caught:
        KeyRing.load(written(tmp_path, text))
    assert "keys.json" in str(caught.value)


def test_a_missing_key_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(KeyFileInvalid, match=r'cannot be read .* write \{"keys"'):
        KeyRing.load(tmp_path / "nothing.json")
