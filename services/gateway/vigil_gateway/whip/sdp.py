"""What an offer (RFC 9429) and a fragment (RFC 8840) must be, before a session is made or a worker is asked. Pure.

Only what can be told of the text alone is checked here. Codecs and cryptography are the worker's to judge.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vigil.contract.signalling import LONGEST_SDP
from vigil_gateway.api.whip_errors import FragmentWrong, NoVideo, OfferWrong, SdpTooLarge

MAX_SECTIONS = 16
MAX_CANDIDATES = 256

_LINE = re.compile(r"[a-z]=.*")
_CANDIDATE = re.compile(r"candidate:\S{1,64} \d{1,5} [A-Za-z]{1,16} \d{1,10} \S{1,255} \d{1,5} typ [a-z]+\b.*")
_DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_SENDING = frozenset({"sendrecv", "sendonly"})


@dataclass(frozen=True, slots=True)
class _Section:
    """One `m=` section: what it is of, its port, and its attributes without `a=`."""

    media: str
    port: str
    attributes: tuple[str, ...]

    def sends(self, usual: str) -> bool:
        """Whether the client sends in it. `usual` is the direction of sections that name none."""
        if self.port == "0" and "bundle-only" not in self.attributes:
            return False
        return next((name for name in self.attributes if name in _DIRECTIONS), usual) in _SENDING


def checked_offer(body: bytes) -> str:
    """The text of an offer that sends one video. Raises `SdpTooLarge`, `OfferWrong`, `NoVideo`."""
    lines = _lines(body, OfferWrong)
    if lines[:1] != ["v=0"]:
        raise OfferWrong("the offer does not begin with v=0")
    session, sections = _parts(lines)
    for needed in ("ice-ufrag:", "ice-pwd:", "fingerprint:"):
        if not any(name.startswith(needed) for name in (*session, *_attributes(sections))):
            raise OfferWrong(f"the offer has no a={needed.rstrip(':')}, so it cannot be answered")
    usual = next((name for name in session if name in _DIRECTIONS), "sendrecv")
    videos = [section for section in sections if section.media == "video" and section.sends(usual)]
    if not videos:
        raise NoVideo("the offer sends no video: it has no m=video section that is sendonly or sendrecv")
    if len(videos) > 1:
        raise OfferWrong(f"the offer sends {len(videos)} videos, and a session watches one")
    return body.decode()


def checked_fragment(body: bytes) -> str:
    """The text of a fragment with ICE candidates or the end of them. Raises `SdpTooLarge`, `FragmentWrong`."""
    lines = _lines(body, FragmentWrong)
    names = [line[2:] for line in lines if line.startswith("a=")]
    candidates = [name for name in names if name.startswith("candidate:")]
    if len(candidates) > MAX_CANDIDATES:
        raise FragmentWrong(f"the fragment has {len(candidates)} candidates, more than {MAX_CANDIDATES}")
    for candidate in candidates:
        if not _CANDIDATE.fullmatch(candidate):
            raise FragmentWrong(f"this is no ICE candidate: {candidate[:120]!r}")
    if not candidates and not any(name.startswith(("end-of-candidates", "ice-ufrag:")) for name in names):
        raise FragmentWrong("the fragment has neither a=candidate nor a=end-of-candidates")
    return body.decode()


def _lines(body: bytes, wrong: type[OfferWrong | FragmentWrong]) -> list[str]:
    """The lines of an SDP text, without their ends. Raises `SdpTooLarge` or `wrong`."""
    if len(body) > LONGEST_SDP:
        raise SdpTooLarge(len(body), LONGEST_SDP)
    try:
        lines = re.split(r"\r?\n", body.decode().rstrip("\r\n"))
    except UnicodeDecodeError:
        raise wrong("the SDP is not a text in UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not _LINE.fullmatch(line):
            raise wrong(f"line {number} is no line of SDP: {line[:80]!r}")
    return lines


def _parts(lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[_Section, ...]]:
    """The attributes of the session and its sections. Raises `OfferWrong`."""
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    if len(starts) > MAX_SECTIONS:
        raise OfferWrong(f"the offer has {len(starts)} m= sections, more than {MAX_SECTIONS}")
    sections = tuple(_section(lines[start:end]) for start, end in pairwise([*starts, len(lines)]))
    return _names(lines[: starts[0]] if starts else lines), sections


def _section(lines: Sequence[str]) -> _Section:
    words = lines[0][2:].split(" ")
    if len(words) < 4:
        raise OfferWrong(f"this m= line is not whole: {lines[0][:80]!r}")
    return _Section(words[0], words[1], _names(lines[1:]))


def _names(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line[2:] for line in lines if line.startswith("a="))


def _attributes(sections: Sequence[_Section]) -> tuple[str, ...]:
    return tuple(name for section in sections for name in section.attributes)
