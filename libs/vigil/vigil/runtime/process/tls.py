"""TLS from files that may change while the process runs: whom a client trusts, and what a server shows.

Certificates live for weeks and are replaced where they lie (by cert-manager, by certbot). Each new connection uses the
files as they are at that moment; connections that are open stay open. Files that cannot be used change nothing: the
ones that were read before hold, and the fault is logged once.
"""

import math
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import grpc

from vigil.runtime.process import metrics
from vigil.runtime.process.certificate_dates import expiries_s
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.startup import StartupError

log = get_log()

T = TypeVar("T")
# What files of certificates are, in logs and metrics.
_AUTHORITIES, _CERTIFICATE = "authorities", "certificate"
_Looks = tuple[tuple[int, int, int], ...]


class ReadAgain(Generic[T]):
    """A value that is made of files, and made again when one of them was written or replaced."""

    def __init__(self, what: str, paths: tuple[Path, ...], read: Callable[[], T]) -> None:
        """`what` names the value in the log. Raises what `read` raises."""
        self._what = what
        self._paths = paths
        self._read = read
        self._seen = self._looks()
        self._value = read()

    def current(self) -> T:
        """The value of the files as they are now; the one before when they cannot be used.

        It looks at each file (some microseconds) and reads them only when they have changed. Whoever asks for the
        metrics of this process so looks, too.
        """
        looks = self._looks()
        if looks != self._seen:
            self._seen = looks  # what is written from here on is found at the next call
            self._renew()
        return self._value

    def _renew(self) -> None:
        fault = ""
        try:
            self._value = self._read()
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            fault = _reason(error)
            log.error("TLS files not read", what=self._what, reason=fault, files=self._names())
        else:
            log.info("TLS files read", what=self._what, files=self._names())
        metrics.TLS_FILES_FAULT.labels(self._what).set(bool(fault))

    def _looks(self) -> _Looks:
        try:
            found = [path.stat() for path in self._paths]
        except OSError:
            return ()
        return tuple((file.st_ino, file.st_size, file.st_mtime_ns) for file in found)

    def _names(self) -> list[str]:
        return [str(path) for path in self._paths]


class CurrentContext(ssl.SSLContext):
    """A context that leaves each handshake to the context of the files as they are then.

    asyncio, uvloop and all that build on them begin a handshake with `wrap_bio`, and with nothing else.
    """

    def __new__(cls, protocol: int, _: Callable[[], ssl.SSLContext]) -> Self:
        return super().__new__(cls, protocol)

    def __init__(self, _: int, current: Callable[[], ssl.SSLContext]) -> None:
        self._current = current

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a handshake."""
        return self._current().wrap_bio(*arguments, **options)


def trusting(ca_file: Path | None) -> ssl.SSLContext | None:
    """What a client verifies servers with: the authorities of the PEM file `ca_file`, beside those of the system.

    None without a file: then libraries trust the system's authorities. Raises `StartupError`.
    """
    if ca_file is None:
        return None
    read = ReadAgain(_AUTHORITIES, (ca_file,), lambda: _trusted(ca_file))
    metrics.CERTIFICATE_EXPIRY.labels(_AUTHORITIES).set_function(lambda: read.current().expires_s)
    return CurrentContext(ssl.PROTOCOL_TLS_CLIENT, lambda: read.current().context)


@dataclass(frozen=True, slots=True)
class _Trusted:
    """Whom a client trusts, and when the last authority expires: the file may hold one that is being retired."""

    context: ssl.SSLContext
    expires_s: float


def _trusted(ca_file: Path) -> _Trusted:
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return _Trusted(context, max(expiries_s(ca_file.read_text("utf-8", "replace")), default=math.nan))


def trusted_by(ca_file: Path | None) -> ssl.SSLContext | None:
    """`trusting`, for the setting `ca_file` of a service. Raises `StartupError` when the file cannot be used."""
    try:
        return trusting(ca_file)
    except (OSError, ValueError) as error:
        raise StartupError(
            f"VIGIL_CA_FILE: {ca_file} cannot be used ({_reason(error)}): give a PEM file of the certificates of the "
            "authorities"
        ) from None


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a server shows, in both forms that servers take, and when the first certificate of the chain expires."""

    context: ssl.SSLContext
    for_grpc: grpc.ServerCertificateConfiguration
    expires_s: float


class ServerCertificate:
    """The certificate of this process's endpoints: a PEM file with the chain, and one with the private key."""

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        """Raises `StartupError` when the files cannot be used."""
        try:
            self._shown = ReadAgain(_CERTIFICATE, (cert_file, key_file), lambda: _shown(cert_file, key_file))
        except (OSError, ValueError) as error:
            raise StartupError(
                f"VIGIL_TLS_CERT_FILE, VIGIL_TLS_KEY_FILE: {cert_file} and {key_file} cannot be used "
                f"({_reason(error)}): give a certificate and its own private key, without a passphrase, both as PEM"
            ) from None
        self._given: _Shown = self._shown.current()
        metrics.CERTIFICATE_EXPIRY.labels(_CERTIFICATE).set_function(lambda: self._shown.current().expires_s)

    def context(self) -> ssl.SSLContext:
        """For a server of asyncio."""
        return CurrentContext(ssl.PROTOCOL_TLS_SERVER, lambda: self._shown.current().context)

    def credentials(self) -> grpc.ServerCredentials:
        """For one gRPC server; it asks again at each new connection."""
        changed: Any = self._changed  # the stubs do not know that it may return None
        return grpc.dynamic_ssl_server_credentials(self._given.for_grpc, changed)

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What the gRPC server shows from now on; None when that is what it shows already."""
        shown = self._shown.current()
        if shown is self._given:
            return None
        self._given = shown
        return shown.for_grpc


def _shown(cert_file: Path, key_file: Path) -> _Shown:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file, password=lambda: "")  # without it OpenSSL would ask at the terminal
    chain = cert_file.read_bytes()
    for_grpc = grpc.ssl_server_certificate_configuration([(key_file.read_bytes(), chain)])
    return _Shown(context, for_grpc, min(expiries_s(chain.decode("utf-8", "replace")), default=math.nan))


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no certificate in it").replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
