"""A camera before which nothing happens, in the world that the small model was trained on.

The small model takes the blotches of `bench.pictures` for a fire now and then.
"""

from vigil_recipe.render.frames import to_jpeg
from vigil_recipe.world import Split, make_episode, render

_SEED = 1
_QUALITY = 85


def uneventful(count: int, size: tuple[int, int]) -> list[bytes]:
    """That many JPEGs, a second apart. The same count and size, the same bytes."""
    episode = make_episode(_SEED, Split.TRAIN, count, spans=())
    return [to_jpeg(render(episode, float(second), size), _QUALITY) for second in range(count)]
