"""The headers of a file that a brain made: nothing of it runs in the console's origin, whatever it is called."""

import pytest

from vigil.core.task import Artefact
from vigil_gateway.tasks.delivery import headers_of


def headers(media_type: str, name: str = "screen.html") -> dict[str, str]:
    return dict(headers_of(Artefact(name, media_type, 1, "demo.t.0")))


def test_a_page_has_no_origin_and_may_load_nothing() -> None:
    found = headers("text/html")
    assert found["Content-Type"] == "text/html; charset=utf-8"
    assert found["Content-Security-Policy"] == (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; webrtc 'block'"
    )
    assert "allow-same-origin" not in found["Content-Security-Policy"]
    assert found["Content-Disposition"].startswith("inline; ")


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "image/png", "image/jpeg", "image/webp"])
def test_a_picture_or_a_text_is_shown_and_runs_nothing(media_type: str) -> None:
    found = headers(media_type)
    assert found["Content-Type"].partition(";")[0] == media_type
    assert found["Content-Disposition"].startswith("inline; ")
    assert found["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("media_type", "delivered"),
    [
        ("application/pdf", "application/pdf"),
        ("application/octet-stream", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/html; charset=utf-7", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_everything_else_is_only_downloaded(media_type: str, delivered: str) -> None:
    found = headers(media_type)
    assert found["Content-Type"] == delivered
    assert found["Content-Disposition"].startswith("attachment; ")
    assert found["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a page.html", "a%20page.html"),
        ('x"; filename="y.exe', "x%22%3B%20filename%3D%22y.exe"),
        ("x\r\nSet-Cookie: a=b", "x%0D%0ASet-Cookie%3A%20a%3Db"),
        ("火灾.html", "%E7%81%AB%E7%81%BE.html"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
    ],
)
def test_a_name_cannot_end_its_header(name: str, written: str) -> None:
    found = headers("text/html", name)["Content-Disposition"]
    assert found == f"inline; filename*=UTF-8''{written}"


def test_no_type_is_guessed_and_no_other_site_can_use_it() -> None:
    for media_type in ("text/html", "image/png", "application/octet-stream"):
        found = headers(media_type)
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["Cross-Origin-Resource-Policy"] == "same-origin"
        assert found["Referrer-Policy"] == "no-referrer"
        assert found["Cache-Control"] == "private, no-cache"
