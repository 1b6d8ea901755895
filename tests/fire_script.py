"""A scripted engine that sees fire in pictures of the rendered world, as sure of it as the flames are large."""

import hashlib
import io
import math

from PIL import Image

from vigil.core import control
from vigil.testing.script import Reply, Script, Seen

WORDS = "A fire has started."
_SIZE = (160, 96)
_SURE_AT = 0.004  # of the picture: flames of the world's rooms have at least so much once they burn


def flames(picture: bytes) -> float:
    """The share of a picture's pixels, 0 to 1, that have the deep red at the foot of a rendered fire."""
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = opened.convert("RGB").resize(_SIZE).tobytes()
    triples = zip(pixels[0::3], pixels[1::3], pixels[2::3], strict=True)
    return sum(red > 170 and green < 80 and blue < 70 for red, green, blue in triples) / (_SIZE[0] * _SIZE[1])


def sees_fire(words: str = WORDS) -> Script:
    """Speaks while there are flames in the newest picture, and answers a question at once."""

    def script(seen: Seen) -> Reply:
        share = flames(seen.newest) if seen.newest else 0.0
        speak = 1 / (1 + math.exp(5 - 9 * min(1.0, share / _SURE_AT) - _doubt(seen.newest)))
        if "?" in seen.text:
            return Reply(f"{control.RESPONSE} I see a room with a door.", _logprobs(0.93))
        return Reply(f"{control.RESPONSE} {words}" if speak > 0.5 else control.SILENCE, _logprobs(speak))

    return script


def _doubt(picture: bytes) -> float:
    """From 0 to 2, the same for the same picture: no model is equally sure of each picture."""
    return hashlib.blake2b(picture, digest_size=1).digest()[0] / 128


def _logprobs(speak: float) -> dict[str, float]:
    """Token to log-probability, the likeliest first."""
    shares = {control.RESPONSE: speak * 0.985, control.DELEGATION: 0.015, control.SILENCE: (1 - speak) * 0.985}
    return {token: math.log(max(share, 1e-6)) for token, share in sorted(shares.items(), key=lambda pair: -pair[1])}
