"""`python -m bench NAME`: tick, faults, soak, camera, rolling, durability, tracing, webrtc, brain, memory, presence,
ages, speech, modules.

`bench.settings` has its variables.
"""

import asyncio
import signal
import sys

from pydantic import ValidationError

from bench import tick
from bench.progress import say
from bench.settings import BenchSettings


def main() -> int:
    """Exit codes: 0 measured, 1 a part failed, 2 wrong settings, 130 stopped: what it has started is stopped, too."""
    name = sys.argv[1] if len(sys.argv) > 1 else tick.TICK
    if name not in tick.BENCHES:
        say(f"no benchmark {name!r}: choose one of {', '.join(tick.BENCHES)}")
        return 2
    try:
        settings = BenchSettings()
    except ValidationError as error:
        for problem in error.errors():
            say(f"VIGIL_BENCH_{'_'.join(str(part) for part in problem['loc'][:1]).upper()}: {problem['msg']}")
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        asyncio.run(tick.run(settings, tick.named(settings, name)))
    except (RuntimeError, TimeoutError, OSError) as error:
        say(f"failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped: nothing was measured")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
