"""How often something may happen, by name: a token bucket that is kept as one point in time. Pure.

Each event moves the time of its name on by its share of a second. The name may be `burst_s` ahead of the clock: so many
seconds' events may come at once, after a time without any. (The generic cell rate algorithm, ITU-T I.371.)
"""

# Beyond so many names, those that are as if they had never been here are forgotten.
_NAMES = 4_096
_ROUNDING_S = 1e-9  # sums of shares are not exact


class Pace:
    """At most `per_s` events a second of each name over some time; `burst_s` seconds' worth may come at once, and one
    always may."""

    def __init__(self, per_s: float, burst_s: float) -> None:
        self._share_s = 1.0 / per_s
        self._burst_s = max(burst_s, self._share_s)
        self._next_s: dict[str, float] = {}

    def take(self, name: str, now_s: float, part: float = 1.0) -> float:
        """Count one event and return 0.0; or, when it comes too soon, count nothing and return the seconds after which
        it may come. The name has `part` of `per_s` at the moment, above 0 and at most 1."""
        share_s = self._share_s / part
        next_s = max(now_s, self._next_s.get(name, now_s)) + share_s
        wait_s = next_s - now_s - max(self._burst_s, share_s)
        if wait_s > _ROUNDING_S:
            return wait_s
        self._next_s[name] = next_s
        if len(self._next_s) > _NAMES:
            self._next_s = {known: known_s for known, known_s in self._next_s.items() if known_s > now_s}
        return 0.0

    def __len__(self) -> int:
        return len(self._next_s)

    def __contains__(self, name: str) -> bool:
        return name in self._next_s
