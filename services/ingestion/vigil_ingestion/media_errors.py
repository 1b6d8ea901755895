"""What the media library raises, as typed `SourceError`s in words that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import av.error

from vigil.core.source import SourceKind
from vigil_ingestion.address import Address
from vigil_ingestion.faults import Fault, SourceError, as_source_errors
from vigil_ingestion.playlist import is_playlist


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Raise `SourceError` for whatever the media library raises in the block. Its texts may repeat a URL with its
    password, so none is passed on."""
    with as_source_errors(address.shown):
        try:
            yield
        except av.error.FFmpegError as error:
            raise _source_error(error, address) from None


def _source_error(error: av.error.FFmpegError, address: Address) -> SourceError:
    shown = address.shown
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return SourceError(
                Fault.WRONG_CREDENTIALS, f"{shown} refused the name and password: write them as {_with_login(shown)}"
            )
        case av.error.HTTPNotFoundError() | av.error.FileNotFoundError():
            return SourceError(Fault.NOT_FOUND, f"there is nothing at {shown}: check the path")
        case av.error.ExitError() | av.error.TimeoutError():
            return SourceError(Fault.TIMED_OUT, f"{shown} stopped answering: check the camera and the network to it")
        case av.error.PermissionError() if address.kind is SourceKind.FILE:
            return SourceError(Fault.NOT_FOUND, f"{shown} may not be read by ingestion: check the file's rights")
        case av.error.FFmpegError() if error.errno == errno.EPROTONOSUPPORT and address.kind is SourceKind.RTSP:
            return SourceError(
                Fault.UNREACHABLE, f"{shown} sends neither by TCP nor by UDP: turn on RTSP over TCP in the camera"
            )
        case av.error.InvalidDataError() | av.error.ArgumentError() | av.error.LookupError():
            return SourceError(Fault.NOT_A_VIDEO, f"{shown} {_what_instead(address, error)}")
        case av.error.BugError() | av.error.ExternalError() | av.error.UndefinedError() | av.error.PatchWelcomeError():
            return SourceError(
                Fault.NOT_A_VIDEO, f"{shown} cannot be read: the media library failed on it ({type(error).__name__})"
            )
        case _:
            return SourceError(
                Fault.UNREACHABLE, f"{shown} cannot be reached ({error.strerror}): check host, port and cable"
            )


def _what_instead(address: Address, error: av.error.FFmpegError) -> str:
    if is_playlist(address):
        return "is a playlist, and playlists are not played: give the address of the video or camera itself"
    if isinstance(error, av.error.ArgumentError):  # FFmpeg knows the kind of file, and it is not one that is played
        return "is a playlist or a picture, which are not played: give the address of the video or camera itself"
    return "is not a video that can be read: give MP4, MKV, WebM, AVI, MPEG-TS, MJPEG, or an RTSP camera"


def _with_login(shown: str) -> str:
    scheme, _, rest = shown.partition("://")
    return f"{scheme}://user:password@{rest.rpartition('***@')[2]}"
