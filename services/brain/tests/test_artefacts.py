"""Files of a brain: bounded, and never of a type that their bytes are not."""

import json

import pytest

from vigil.core.task import MAX_ARTEFACT_BYTES, MAX_ARTEFACTS, MAX_ARTEFACTS_BYTES
from vigil_brain.artefacts import OCTETS, checked_type, file_name, keep
from vigil_brain.brains.port import ArtefactContent

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
PAGE = b"<!DOCTYPE html><html><body>A rose.</body></html>"


@pytest.mark.parametrize(
    ("declared", "content", "kind"),
    [
        ("image/png", PNG, "image/png"),
        ("image/PNG; x=1", PNG, "image/png"),
        ("image/png", b"GIF89a", OCTETS),
        ("image/jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("image/webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("image/webp", b"RIFF\x00\x00\x00\x00WAVE", OCTETS),
        ("application/pdf", b"%PDF-1.7", "application/pdf"),
        ("text/html", PAGE, "text/html"),
        ("text/html", b"  <!-- x -->\n<html>", "text/html"),
        ("text/html", b"A rose.", OCTETS),
        ("text/html", b"<html>\xff\xfe", OCTETS),
        ("text/plain", "eine Rose, 玫瑰".encode(), "text/plain"),
        ("text/plain", b"\x00\x01", OCTETS),
        ("application/json", b'{"a": [1]}', "application/json"),
        ("application/json", b"{", OCTETS),
        ("application/json", b"[" * 100_000, OCTETS),
        ("image/svg+xml", b"<svg onload='alert(1)'/>", OCTETS),
        ("application/x-sh", b"#!/bin/sh", OCTETS),
        ("", b"x", OCTETS),
    ],
)
def test_a_type_is_believed_where_the_bytes_are_of_it(declared: str, content: bytes, kind: str) -> None:
    assert checked_type(declared, content) == kind


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("page.html", "page.html"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ('a"; x=y\r\n.html', "a__ x_y__.html"),
        ("", "file"),
        ("...", "file"),
        ("玫瑰.png", "玫瑰.png"),
        ("x" * 500, "x" * 100),
    ],
)
def test_a_name_is_no_path_and_no_header(name: str, safe: str) -> None:
    assert file_name(name) == safe


def test_what_is_kept_is_bounded_in_number_and_bytes() -> None:
    small = ArtefactContent("a.txt", "text/plain", b"x")
    kept = keep("demo", "s-1-0", [small] * (MAX_ARTEFACTS + 3))
    assert (len(kept.artefacts), kept.left_out) == (MAX_ARTEFACTS, 3)
    assert [artefact.object for artefact in kept.artefacts[:2]] == ["demo.s-1-0.0", "demo.s-1-0.1"]
    large = ArtefactContent("b.bin", OCTETS, bytes(MAX_ARTEFACT_BYTES))
    over = ArtefactContent("c.bin", OCTETS, bytes(MAX_ARTEFACT_BYTES + 1))
    kept = keep("demo", "s-1-0", [over, large, large, large, small])
    assert [artefact.name for artefact in kept.artefacts] == ["b.bin", "b.bin"]
    assert sum(artefact.size for artefact in kept.artefacts) == MAX_ARTEFACTS_BYTES
    assert kept.left_out == 3
    assert keep("demo", "s-1-0", [ArtefactContent("empty", "text/plain", b"")]).left_out == 1


def test_a_json_file_reads_back() -> None:
    kept = keep("demo", "s-1-0", [ArtefactContent("a.json", "application/json", json.dumps({"a": 1}).encode())])
    assert (kept.artefacts[0].media_type, kept.contents) == ("application/json", (b'{"a": 1}',))
