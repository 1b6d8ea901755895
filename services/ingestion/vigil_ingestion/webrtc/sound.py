"""Where the sound of a client goes."""

from collections.abc import Callable

import av

Hear = Callable[[av.AudioFrame], None]


def unheard(_: av.AudioFrame) -> None:
    """Nobody listens: the sound is let go."""
