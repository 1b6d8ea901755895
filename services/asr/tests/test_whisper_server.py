"""The parts of the embedded engine's server that need no weights: the form that it reads, and who decodes next."""

import socket
import threading
from functools import partial

import pytest

from vigil_asr.recognizers.openai import wav
from vigil_asr.whisper_server.form import FormInvalid, pcm_of, read_form
from vigil_asr.whisper_server.peer import is_connected
from vigil_asr.whisper_server.turns import Busy, Turns, Unwanted

PCM = bytes(range(256)) * 4


def body(*fields: tuple[str, bytes]) -> bytes:
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields
    ]
    return b"".join([*parts, b"--x--\r\n"])


def test_a_form_is_read_byte_for_byte() -> None:
    form = read_form(
        "multipart/form-data; boundary=x",
        body(("model", b"whisper-tiny.en"), ("language", b"en"), ("file", wav(PCM))),
    )
    assert (form.pcm, form.model, form.language) == (PCM, "whisper-tiny.en", "en")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "", "multipart/form-data; boundary=y"])
def test_what_is_no_form_is_refused(kind: str) -> None:
    with pytest.raises(FormInvalid):
        read_form(kind, body(("file", wav(PCM))))


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "no WAV file"),
        (b"RIFF____WAVEjunk", "no WAV file"),
        (wav(PCM)[:24] + (8_000).to_bytes(4, "little") + wav(PCM)[28:], "at 8000 Hz"),
        (wav(b""), "at most 30 s"),
        (wav(bytes(31 * 32_000)), "at most 30 s"),
    ],
)
def test_sound_that_it_cannot_use_is_refused(file: bytes, why: str) -> None:
    with pytest.raises(FormInvalid, match=why):
        pcm_of(file)


def test_a_final_transcript_waits_and_a_partial_one_does_not() -> None:
    turns, order, begun = Turns(partial_wait_s=0.01), list[str](), threading.Event()

    def decode(name: str) -> None:
        begun.set()
        with turns.taken(is_final=True):
            order.append(name)

    with turns.taken(is_final=False):
        waiting = threading.Thread(target=partial(decode, "final"))
        waiting.start()
        begun.wait(10)
        with pytest.raises(Busy, match="final transcripts are decoded first"), turns.taken(is_final=False):
            order.append("partial")
        assert order == []
    waiting.join(10)
    assert order == ["final"]


def test_more_final_transcripts_than_may_wait_are_refused() -> None:
    turns = Turns(places=0)
    with pytest.raises(Busy, match="wait already"), turns.taken(is_final=True):
        pass


def test_a_partial_transcript_that_is_being_decoded_gives_way_to_a_final_one() -> None:
    turns, decoded = Turns(), threading.Event()

    def decode() -> None:
        with turns.taken(is_final=True):
            decoded.set()

    final = threading.Thread(target=decode)

    def partial_one() -> None:
        with turns.taken(is_final=False) as go_on:
            go_on()
            final.start()
            while not decoded.is_set():
                go_on()

    with pytest.raises(Busy, match="a final transcript is decoded first"):
        partial_one()
    final.join(10)
    assert decoded.is_set()


def test_a_final_transcript_gives_way_to_none() -> None:
    turns, begun = Turns(), threading.Event()

    def decode() -> None:
        begun.set()
        with turns.taken(is_final=True):
            pass

    with turns.taken(is_final=True) as go_on:
        waiting = threading.Thread(target=decode)
        waiting.start()
        begun.wait(10)
        go_on()
    waiting.join(10)
    assert not waiting.is_alive()


@pytest.mark.parametrize("is_final", [True, False])
def test_what_nobody_waits_for_is_not_decoded_and_holds_nobody_up(is_final: bool) -> None:
    turns, asked = Turns(), iter([True, False])
    with pytest.raises(Unwanted), turns.taken(is_final=is_final, is_wanted=lambda: False):
        raise AssertionError("it was decoded")

    def left_meanwhile() -> None:
        with turns.taken(is_final=is_final, is_wanted=lambda: next(asked)) as go_on:
            go_on()

    with pytest.raises(Unwanted):
        left_meanwhile()
    with turns.taken(is_final=False):
        pass


def test_a_client_that_closed_its_connection_is_known_to_be_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        assert is_connected(ours)
        theirs.sendall(b"more")
        assert is_connected(ours)
        assert ours.recv(10) == b"more", "looking takes nothing"
        theirs.close()
        assert not is_connected(ours)
    assert not is_connected(ours)
