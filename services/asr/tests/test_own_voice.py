"""What the session spoke a moment ago."""

from vigil_asr.own_voice import LINGERS_S, OwnVoice


def test_a_sentence_may_be_heard_while_it_plays_and_a_moment_longer() -> None:
    voice = OwnVoice()
    voice.spoke("There is smoke.", 1.5, 10.0)
    assert voice.between(8.0, 9.9) == ()
    assert voice.between(9.0, 10.0) == ("There is smoke.",)
    assert voice.between(11.5 + LINGERS_S, 20.0) == ("There is smoke.",)
    assert voice.between(11.6 + LINGERS_S, 20.0) == ()


def test_sound_that_is_sent_ahead_plays_one_piece_after_the_other() -> None:
    voice = OwnVoice()
    for sentence in ("One.", "One.", "Two.", "Three."):
        voice.spoke(sentence, 1.0, 0.0)
    assert voice.between(0.5, 0.6) == ("One.",)
    assert voice.between(LINGERS_S + 2.5, LINGERS_S + 2.6) == ("Two.", "Three.")
    assert voice.between(LINGERS_S + 3.5, 9.0) == ("Three.",)


def test_it_is_bounded_and_silence_is_no_sentence() -> None:
    voice = OwnVoice()
    for number in range(500):
        voice.spoke(str(number), 0.1, float(number))
    voice.spoke("", 0.0, 500.0)
    assert len(voice.between(0, 1_000)) == 64
    assert voice.between(400.0, 401.0) == ()
