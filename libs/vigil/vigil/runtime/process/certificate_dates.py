"""When the certificates of a PEM file expire.

Python's `ssl` says that only of authorities and of the other end of a connection, so the few bytes that hold it are
read here: the second time of `validity` in `tbsCertificate` (RFC 5280, section 4.1).
"""

import re
import ssl
from datetime import UTC, datetime
from typing import NamedTuple

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# Tags of DER.
_UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x17, 0x18, 0xA0
# In `tbsCertificate`, behind the version, which may be missing: serial number, signature, issuer, validity.
_VALIDITY = 3


class _Element(NamedTuple):
    """An element of DER: its tag, and where its content begins and ends."""

    tag: int
    begin: int
    end: int


def expiries_s(pem: str) -> tuple[float, ...]:
    """When each certificate in the text expires, in seconds since the epoch; one that cannot be read is left out."""
    found = []
    for text in _PEM.findall(pem):
        try:
            found.append(_expiry_s(ssl.PEM_cert_to_DER_cert(text)))
        except (ValueError, IndexError):
            continue
    return tuple(found)


def _expiry_s(der: bytes) -> float:
    fields = _within(der, _within(der, _element(der, 0))[0])
    if fields[0].tag == _VERSION:
        del fields[0]
    _, not_after = _within(der, fields[_VALIDITY])
    return _seconds(not_after.tag, der[not_after.begin : not_after.end].decode("ascii"))


def _within(der: bytes, parent: _Element) -> list[_Element]:
    at, found = parent.begin, []
    while at < parent.end:
        found.append(_element(der, at))
        at = found[-1].end
    return found


def _element(der: bytes, at: int) -> _Element:
    length, begin = der[at + 1], at + 2
    if length & 0x80:  # the length of the length
        count = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + count], "big"), begin + count
    return _Element(der[at], begin, begin + length)


def _seconds(tag: int, text: str) -> float:
    if tag == _UTC_TIME:  # two digits of the year: 50 to 99 are those of 1950 to 1999
        text = f"{'19' if text[:2] >= '50' else '20'}{text}"
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
