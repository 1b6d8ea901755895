"""Pushed pictures: what is taken, what is refused, and what comes out of it."""

import base64
import contextlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from vigil.core.profile import JOYAI, VIGIL_SMALL
from vigil.testing.images import jpeg, redness
from vigil_gateway.api.turn_errors import PictureRefused
from vigil_gateway.pushed.data_url import MAX_PICTURE_BYTES, decoded
from vigil_gateway.pushed.picture import Picture, fitted


def url(data: bytes, media_type: str = "image/jpeg") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@given(st.binary(max_size=300), st.sampled_from(["image/jpeg", "image/png", "IMAGE/JPG"]))
def test_a_data_url_holds_what_was_put_into_it(data: bytes, media_type: str) -> None:
    assert decoded(url(data, media_type)) == data


@pytest.mark.parametrize(
    ("given_url", "told"),
    [
        ("", "is no data URL of an image: send a data URL of a JPEG, PNG or WebP"),
        ("https://camera.example/still.jpg", "pictures are never fetched"),
        ("file:///etc/passwd", "pictures are never fetched"),
        ("data:image/gif;base64,R0lGODlh", "is image/gif: send a data URL of a JPEG, PNG or WebP"),
        ("data:video/mp4;base64,AAAA", "is video/mp4: send"),
        ("data:image/jpeg,raw", "is image/jpeg without base64"),
        ("data:image/jpeg;base64,%%%", "is not valid base64"),
        ("data:image/jpeg;base64,iVBOR%2B", r"is not valid base64 \(it is percent-encoded\)"),
        ("data:image/jpeg;base64,_-_-", r"is not valid base64 \(it is base64url, with - and _\)"),
        ("data:image/jpeg;base64,é", "is not valid base64"),
        ("data:image/jpeg;base64,A", "is not valid base64"),
    ],
)
def test_what_is_no_picture_is_refused(given_url: str, told: str) -> None:
    with pytest.raises(PictureRefused, match=told):
        decoded(given_url)


@pytest.mark.parametrize("kind", ["image/webp", "image/png;charset=utf-8", "image/jpeg;name=a b.jpg"])
def test_base64_may_be_wrapped_and_unpadded(kind: str) -> None:
    data = bytes(range(256)) * 2
    lines = base64.encodebytes(data).decode().replace("\n", "\r\n")
    assert decoded(f"data:{kind};base64,{lines}") == data
    assert decoded(f"data:{kind};base64,\t{lines.rstrip().rstrip('=')} ") == data


def test_a_picture_has_a_largest_size() -> None:
    with pytest.raises(PictureRefused, match=r"has 5,242,881 bytes: at most 5,242,880"):
        decoded(url(bytes(MAX_PICTURE_BYTES + 1)))
    with pytest.raises(PictureRefused, match=r"8000 x 6000 pixels: at most 12,500,000"):
        fitted(file_of(Image.new("1", (8_000, 6_000)), "PNG"), VIGIL_SMALL)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "has no bytes"),
        (b"no picture", "cannot be read: it is damaged, or something else"),
        (jpeg()[:200], "cannot be read: it is damaged"),
        (b"GIF89a" + bytes(50), "is GIF, which is not read here: send JPEG, PNG or WebP"),
        (bytes(4) + b"ftypheic" + bytes(50), "is HEIC, which"),
        (bytes(4) + b"ftypavif" + bytes(50), "is AVIF, which"),
        (bytes(4) + b"ftypisom" + bytes(50), "is a video, which"),
    ],
)
def test_a_broken_file_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(PictureRefused, match=told):
        fitted(data, VIGIL_SMALL)


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_bytes_are_a_picture_or_are_refused(kind: str, data: st.DataObject) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    whole = bytearray(file_of(Image.linear_gradient("L").resize((40, 32)).convert("RGB"), kind, exif=exif))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6)):
        whole[place] = byte
    with contextlib.suppress(PictureRefused):
        assert isinstance(fitted(bytes(whole[: data.draw(st.integers(1, len(whole)))]), VIGIL_SMALL), Picture)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.sampled_from([VIGIL_SMALL, JOYAI]),
    st.sampled_from(["JPEG", "PNG", "WEBP"]),
)
def test_a_picture_fits_its_profile(width: int, height: int, profile: object, kind: str) -> None:
    assert profile in (VIGIL_SMALL, JOYAI)
    wanted = VIGIL_SMALL if profile is VIGIL_SMALL else JOYAI
    made = fitted(file_of(Image.new("RGB", (width, height), (230, 30, 20)), kind), wanted)
    assert (made.width, made.height) == wanted.fit(width, height)
    with Image.open(io.BytesIO(made.jpeg)) as opened:
        assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (made.width, made.height))
    assert redness(made.jpeg) == 1.0


def test_a_picture_is_turned_upright_and_tells_nothing_else() -> None:
    sideways = Image.new("RGB", (64, 160), (230, 30, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    exif[0x010E] = "taken at home"
    made = fitted(file_of(sideways, "JPEG", exif=exif), VIGIL_SMALL)
    assert (made.width, made.height) == VIGIL_SMALL.fit(160, 64)
    assert b"taken at home" not in made.jpeg


WIDTH_AS_TEXT = struct.pack(">HHII", 0x0100, 2, 2, 0)


@pytest.mark.parametrize(
    ("exif", "is_turned"),
    [
        (struct.pack(">4sIHHHIHH", b"MM\0*", 8, 2, 0x0112, 3, 1, 6, 0) + WIDTH_AS_TEXT + bytes(8), True),
        (b"MM\0*", False),
        (b"XX" * 9, False),
    ],
    ids=["a width that is text", "cut off", "no EXIF data"],
)
def test_damaged_exif_data_spoils_no_picture(exif: bytes, is_turned: bool) -> None:
    made = fitted(file_of(Image.new("RGB", (64, 160)), "JPEG", exif=b"Exif\0\0" + exif), VIGIL_SMALL)
    assert (made.width, made.height) == VIGIL_SMALL.fit(*((160, 64) if is_turned else (64, 160)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_is_turned_as_pillow_does(orientation: int, kind: str) -> None:
    noise = Image.effect_noise((96, 64), 100).convert("RGB")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    shown = file_of(noise, kind, exif=exif, lossless=True)
    with Image.open(io.BytesIO(shown)) as opened:
        upright = file_of(ImageOps.exif_transpose(opened), "PNG")
    assert fitted(shown, VIGIL_SMALL) == fitted(upright, VIGIL_SMALL)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    made = fitted(file_of(Image.new(mode, (64, 64)), "PNG"), VIGIL_SMALL)
    with Image.open(io.BytesIO(made.jpeg)) as opened:
        assert opened.mode == "RGB"


def levels(made: Picture) -> list[int]:
    """Grey levels along the picture's middle."""
    with Image.open(io.BytesIO(made.jpeg)) as opened:
        grey = opened.convert("L")
        return [grey.getpixel((x, made.height // 2)) for x in range(made.width)]  # type: ignore[misc]


def test_a_16_bit_grey_png_keeps_its_ramp() -> None:
    ramp = Image.frombytes("I;16", (256, 32), b"".join(struct.pack("<H", level * 257) for level in range(256)) * 32)
    assert levels(fitted(file_of(ramp, "PNG"), JOYAI)) == pytest.approx(list(range(256)), abs=4)


def test_cmyk_keeps_its_colour() -> None:
    assert redness(fitted(file_of(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG"), VIGIL_SMALL).jpeg) == 1.0


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize(("alpha", "level"), [(0, 255), (128, 127), (255, 0)])
def test_what_is_transparent_is_seen_on_white(alpha: int, level: int, kind: str) -> None:
    made = fitted(file_of(Image.new("RGBA", (64, 64), (0, 0, 0, alpha)), kind, lossless=True), VIGIL_SMALL)
    assert levels(made) == pytest.approx([level] * made.width, abs=2)


def test_a_moving_webp_is_its_first_picture() -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ((230, 30, 20), (20, 30, 230)))
    moving = file_of(red, "WEBP", save_all=True, append_images=[blue], duration=100)
    assert redness(fitted(moving, VIGIL_SMALL).jpeg) == 1.0
