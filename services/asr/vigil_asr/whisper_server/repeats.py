"""Cuts the loops of a decoder. Whisper that is shown less than its 30 seconds may say the same words again and
again. Pure.

Imported by the server, which runs without Vigil: nothing but the standard library here.
"""

LONGEST_LOOP_WORDS = 8
THRICE = 3
_AROUND = ".,;:!?-"


def without_repeats(text: str) -> str:
    """The text up to where it begins to repeat itself; the text itself where it does not.

    It repeats itself where the same words come three times in a row, or where it starts over: its first words (three or
    more) come again as its last ones, or five or more come again anywhere.
    """
    words = text.split()
    plain = [word.lower().strip(_AROUND) for word in words]
    end = min(_end_of_loop(plain), _end_before_restart(plain))
    return text if end >= len(words) else " ".join(words[:end])


def _end_of_loop(plain: list[str]) -> int:
    """How many words there are before the second of three equal runs; all where there are none."""
    for length in range(1, LONGEST_LOOP_WORDS + 1):
        for start in range(len(plain) - THRICE * length + 1):
            first = plain[start : start + length]
            again = plain[start + length : start + THRICE * length]
            if again == first * (THRICE - 1):
                return start + length
    return len(plain)


def _end_before_restart(plain: list[str]) -> int:
    """How many words there are before the text starts over; all where it does not."""
    for start in range(3, len(plain)):
        again = _agreeing(plain, plain[start:])
        if again >= 5 or (again >= 3 and start + again == len(plain)):
            return start
    return len(plain)


def _agreeing(left: list[str], right: list[str]) -> int:
    """How many words both begin with."""
    return next(
        (at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other),
        min(len(left), len(right)),
    )
