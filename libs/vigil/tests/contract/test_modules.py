"""The file of modules: what is written is read back, and what cannot be used is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.errors import InvalidModuleFile
from vigil.contract.modules import MAX_MODULES, ModuleId, decode_modules, encode_modules, names_of, parse_module
from vigil.core.errors import InvalidToken

tokens = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(st.lists(st.builds(ModuleId, tokens, tokens), max_size=MAX_MODULES))
def test_what_is_written_is_read_back_in_order(modules: list[ModuleId]) -> None:
    assert decode_modules(encode_modules(modules)) == tuple(sorted(set(modules)))


def test_it_is_for_people_to_read() -> None:
    text = b'{\n  "modules": [\n    "acme/faces",\n    "demo/zones"\n  ]\n}\n'
    assert encode_modules([ModuleId("demo", "zones"), ModuleId("acme", "faces")]) == text


def test_the_salts_of_passwords_are_kept_in_a_form_that_older_releases_refuse() -> None:
    text = encode_modules([ModuleId("demo", "zones", "ab12"), ModuleId("acme", "faces")])
    assert b'"form": 2' in text
    assert [(str(module), module.salt) for module in decode_modules(text)] == [
        ("acme/faces", ""),
        ("demo/zones", "ab12"),
    ]


def test_a_tenants_modules_are_named_in_order() -> None:
    modules = [ModuleId("demo", "zones"), ModuleId("acme", "a"), ModuleId("demo", "faces")]
    assert names_of("demo", modules) == ("faces", "zones")
    assert names_of("nobody", modules) == ()


@pytest.mark.parametrize(
    "text", ["", "zones", "demo/", "/zones", "demo/zo/nes", "de mo/zones", "demo/zones.x", "*/zones"]
)
def test_what_names_no_module_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        parse_module(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "it is not valid"),
        (b"\xff", "it is not valid"),
        (b"[]", "it is not valid"),
        (b"{}", "missing required field `modules`"),
        (b'{"modules": [1]}', "it is not valid"),
        (b'{"modules": [], "tenants": []}', "unknown field `tenants`"),
        (b'{"modules": ["zones"]}', 'write {"modules": ["<tenant>/<module>"]}'),
        (b'{"form": 3, "modules": []}', "a newer release wrote it, in form 3"),
        (b'{"form": 2, "modules": ["demo/zones"], "salts": {"demo/zones": "a b"}}', "salt 'a b' is not allowed"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_mend(text: bytes, said: str) -> None:
    with pytest.raises(InvalidModuleFile) as caught:
        decode_modules(text)
    assert said in str(caught.value)


def test_a_tenant_has_so_many_modules_and_no_more() -> None:
    many = [ModuleId("demo", f"m{number}") for number in range(MAX_MODULES)]
    assert len(decode_modules(encode_modules([*many, ModuleId("acme", "zones")]))) == MAX_MODULES + 1
    with pytest.raises(InvalidModuleFile, match="the tenant demo has 17 modules: 16 are taken"):
        decode_modules(encode_modules([*many, ModuleId("demo", "one-more")]))
