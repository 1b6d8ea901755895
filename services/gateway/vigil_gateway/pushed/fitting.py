"""The pictures of one turn, decoded within bounds: by their headers before anything is decoded, and by the time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from vigil.core.profile import profile
from vigil_gateway.api.turn_errors import PictureRefused
from vigil_gateway.pushed.deadline import Deadline
from vigil_gateway.pushed.picture import MAX_PIXELS, Picture, fitted, pixels_of
from vigil_gateway.pushed.pixel_budget import PixelBudget

MAX_CALL_PIXELS = 2 * MAX_PIXELS  # two photographs of a telephone, or eight frames of 1080p video and more
_THREADS = ThreadPoolExecutor(3, thread_name_prefix="picture")


async def fitted_in_thread(
    pictures: Sequence[bytes], profile_name: str, budget: PixelBudget, deadline: Deadline
) -> tuple[Picture, ...]:
    """What `fitted` makes of each picture for a profile of that name.

    Raises `PictureRefused`, also for more pixels together than a turn may have; `TurnLate`, `UnknownProfile`.
    """
    wanted = profile(profile_name)
    in_thread = asyncio.get_running_loop().run_in_executor
    made: list[Picture] = []
    try:
        async with deadline.timeout():
            sizes = await in_thread(_THREADS, _sizes, pictures)
            for picture, pixels in zip(pictures, sizes, strict=True):
                async with budget.holding(pixels):
                    made.append(await in_thread(_THREADS, fitted, picture, wanted))
    except TimeoutError:
        raise deadline.passed("the pictures could not be decoded") from None
    return tuple(made)


def _sizes(pictures: Sequence[bytes]) -> list[int]:
    """Pixels of each picture. Raises `PictureRefused`."""
    sizes = [pixels_of(picture) for picture in pictures]
    if sum(sizes) > MAX_CALL_PIXELS:
        raise PictureRefused(
            f"the {len(sizes)} pictures have {sum(sizes):,} pixels together: at most {MAX_CALL_PIXELS:,} are allowed "
            "in one turn"
        )
    return sizes
