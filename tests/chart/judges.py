"""Judges that nobody here wrote, over the rendered examples: `python -m chart.judges`. `make chart` installs them.

`kubernetes-validate` holds every object against the schemas of three versions of Kubernetes; `checkov` looks for what a
policy would refuse. Exit status 1 when one of them finds something that `.checkov.yaml` does not accept.
"""

import subprocess
import sys

from chart.rendering import CHART, EXAMPLES, RENDERED, TOOLS

VERSIONS = ("1.28", "1.31", "1.35")
BIN = TOOLS / "venv/bin"


def schemas(version: str) -> bool:
    """Whether all objects are as this version knows them; those of others (KEDA, Prometheus operator) it does not."""
    files = [str(RENDERED / f"{name}.yaml") for name in EXAMPLES]
    command = (str(BIN / "kubernetes-validate"), "-k", version, "--strict", "--quiet", "--no-warn", *files)
    return _judged(f"schemas of Kubernetes {version}", command)


def policies() -> bool:
    """Whether checkov finds nothing that is not accepted."""
    command = (str(BIN / "checkov"), "--config-file", str(CHART / ".checkov.yaml"), "--directory", str(RENDERED))
    return _judged("policies (checkov)", command)


def _judged(name: str, command: tuple[str, ...]) -> bool:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sys.stdout.write(f"{'ok  ' if done.returncode == 0 else 'FAIL'}  {name}\n")
    if done.returncode != 0:
        sys.stdout.write(done.stdout + done.stderr)
    return done.returncode == 0


def main() -> int:
    """The exit status."""
    verdicts = [*map(schemas, VERSIONS), policies()]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
