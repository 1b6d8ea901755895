"""The arithmetic of a benchmark: quantiles, a slope with its error, gaps. Pure."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How a quantity is distributed."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Slope:
    """A least-squares line: `per_100` is its rise over 100 steps, `error` that rise's standard error."""

    per_100: float
    error: float

    @property
    def is_flat(self) -> bool:
        """Whether the rise is within two standard errors of nothing."""
        return abs(self.per_100) <= 2 * self.error


@dataclass(frozen=True, slots=True)
class Steadiness:
    """How steady a quantity stayed. `spread_share` is its largest distance from the median, `drift_share` the change of
    its mean from the first fifth to the last, both as shares of the median."""

    median: float
    least: float
    most: float
    spread_share: float
    drift_share: float


def steadiness(values: Sequence[float]) -> Steadiness:
    """Of positive values in the order of time. Raises `ValueError` when there is none."""
    median = quantile(values, 0.5)
    fifth = max(1, len(values) // 5)
    first, last = sum(values[:fifth]) / fifth, sum(values[-fifth:]) / fifth
    off = max(abs(one - median) for one in values) / median
    return Steadiness(median, min(values), max(values), off, (last - first) / median)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed. Raises `ValueError` when there is none."""
    if not values:
        raise ValueError("no values: nothing was measured")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float]) -> Spread:
    """Count and quantiles. Raises `ValueError` when there is nothing."""
    ordered = sorted(values)
    p50, p95, p99 = (quantile(ordered, share) for share in (0.5, 0.95, 0.99))
    return Spread(len(ordered), p50, p95, p99, ordered[-1])


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """The line through `points` (x, y). Raises `ValueError` for fewer than three different x."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if len(set(xs)) < 3:
        raise ValueError("a slope needs three different places")
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread_x = sum((x - mean_x) ** 2 for x in xs)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread_x
    residual = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    error = math.sqrt(residual / (len(points) - 2) / spread_x) if len(points) > 2 else math.inf
    return Slope(rise * 100, error * 100)


def longest_gap(times: Iterable[float]) -> float:
    """The longest wait between neighbours; 0 for fewer than two."""
    ordered = sorted(times)
    return max((after - before for before, after in itertools.pairwise(ordered)), default=0.0)


def is_gapless(sequences: Sequence[int]) -> bool:
    """Whether these are 0, 1, 2, … each once, in this order."""
    return list(sequences) == list(range(len(sequences)))
