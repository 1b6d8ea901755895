"""What reads the bytes of strangers, one function a door: it must refuse in its own words or take what was sent.

A door returns when it has taken or refused its input. Whatever it raises is a fault that the fuzzer has found.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from vigil.contract.decision import decode_decision
from vigil.contract.errors import ContractError
from vigil.contract.events.envelope import decode_event
from vigil.contract.frames import decode_coded_group, decode_group, encode_coded_group, encode_group
from vigil.core.approval import MAX_ARGUMENTS_CHARS, ApprovalPattern
from vigil.core.command import Instruct
from vigil.core.control import CHAT_TOKEN, parse, plain
from vigil.core.errors import CoreError
from vigil.core.ids import token
from vigil.core.profile import JOYAI, VIGIL_SMALL
from vigil_codec.jpeg import size_of
from vigil_codec.tokenizer import VideoState, encode
from vigil_gateway.api.errors import GatewayError
from vigil_gateway.api.models.options import SourceIn
from vigil_gateway.api.models.standing import WatchIn
from vigil_gateway.openai.models import ChatIn
from vigil_gateway.openai.turn import said
from vigil_gateway.pushed.data_url import bounded, decoded
from vigil_gateway.pushed.picture import fitted
from vigil_gateway.sessions.commands import first_commands
from vigil_gateway.websocket.messages import id_of, read_binary, read_text
from vigil_gateway.whip.sdp import checked_fragment, checked_offer
from vigil_ingestion.address import resolve
from vigil_ingestion.faults import SourceError
from vigil_ingestion.webrtc.fragment import parsed
from vigil_ingestion.webrtc.offer import checked
from vigil_ingestion.webrtc.refused import Refused

_REFUSED = (ValidationError, GatewayError, CoreError)
_PUBLIC = [(2, 1, 6, "", ("93.184.215.14", 554))]  # what a host name is looked up as: no network is asked
_ROOT = Path("/nonexistent")


def picture(data: bytes) -> None:
    """A pushed picture: what is made of it is a JPEG of the size that is said."""
    try:
        made = fitted(bounded(data), VIGIL_SMALL)
    except GatewayError:
        return
    assert size_of(made.jpeg) == (made.width, made.height)


def chat(data: bytes) -> None:
    """The body of a chat request, down to the bytes of its pictures."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):  # refused before any of our code reads it
        return
    try:
        for url in said(ChatIn.model_validate(body)).pictures:
            decoded(url)
    except _REFUSED:
        return


def source(data: bytes) -> None:
    """The address of a camera, from the request to what the media library is told to open."""
    try:
        given = SourceIn.model_validate({"url": data.decode("utf-8", "surrogatepass")})
    except (*_REFUSED, UnicodeDecodeError):
        return
    try:
        address = resolve(given.url, _ROOT, lambda *_args, **_kinds: _PUBLIC)
    except SourceError:
        return
    assert "\0" not in address.url


def instruction(data: bytes) -> None:
    """The text of a watch and of an instruction, down to the commands that a session is given."""
    try:
        text = data.decode("utf-8", "surrogatepass")
        commands = first_commands([WatchIn.model_validate({"text": text})], [text])
    except (*_REFUSED, UnicodeDecodeError):
        return
    for standing in (command.instruction for command in commands if isinstance(command, Instruct)):
        assert CHAT_TOKEN.search(standing.text) is None
        standing.text.encode()
        if standing.watch is not None:
            token(standing.watch.name, "watch name")


def frames(data: bytes) -> None:
    """Messages of ingestion and of the codec; what can be read is coded and can be written again."""
    try:
        group = decode_group(data)
    except (ContractError, CoreError):
        group = None
    if group is not None:
        assert decode_group(encode_group(group)) == group
        encode(VideoState(JOYAI, fence=1), group)
    try:
        coded = decode_coded_group(data)
    except (ContractError, CoreError):
        return
    assert decode_coded_group(encode_coded_group(coded)) == coded


def events(data: bytes) -> None:
    """What a subscriber reads from the bus."""
    for decode in (decode_decision, decode_event):
        try:
            decode(data)
        except (ContractError, CoreError):
            continue


def websocket(data: bytes) -> None:
    """A message of a WebSocket client, as binary and as text."""
    with suppress(*_REFUSED):
        read_binary(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    try:
        read_text(text)
    except _REFUSED:
        id_of(text)


def sdp(data: bytes) -> None:
    """An offer and a fragment of a WHIP client, from the request to what aiortc is told."""
    for read, check in ((checked_offer, checked), (checked_fragment, lambda text: parsed(text, "user"))):
        try:
            check(read(data))
        except (GatewayError, Refused):
            continue


def words(data: bytes) -> None:
    """What a model or a brain writes, down to the words of later prompts: they are plain and stay as they are."""
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    once = plain(text)
    assert plain(once) == once
    once.encode()
    output = parse(text)
    again = parse(output.reply)
    assert (again.action, again.text, again.question) == (output.action, output.text, output.question)
    for kept in (once, output.text, output.question):
        assert CHAT_TOKEN.search(kept) is None
        assert kept == " ".join(kept.split())


def pattern(data: bytes) -> None:
    """The pattern of an approval, and the arguments of a tool that it is compared with."""
    glob, _, arguments = data.decode("utf-8", "replace").partition("\n")
    try:
        allowed = ApprovalPattern("tool", glob)
    except CoreError:
        return
    allowed.matches("tool", arguments[:MAX_ARGUMENTS_CHARS], 0)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


DOORS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        door.__name__: door
        for door in (picture, chat, source, instruction, frames, events, websocket, sdp, words, pattern)
    }
)
