"""`python -m injection`: what each attack achieved, one line a case; for a look at another release."""

import sys

from injection.verdict import CASES, effects


def main() -> int:
    """Print the attacks that had an effect, and how many there were."""
    found = {case: effects(case) for case in CASES}
    took = {case: what for case, what in found.items() if what}
    for case, what in took.items():
        sys.stdout.write(f"{case}\n" + "".join(f"    {effect[:300]}\n" for effect in what))
    sys.stdout.write(f"{len(took)} of {len(CASES)} cases had an effect\n")
    return 1 if took else 0


if __name__ == "__main__":
    sys.exit(main())
