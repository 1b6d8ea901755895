#!/tools/bin/python
"""Writes the bill of materials of an image, as CycloneDX 1.6 in JSON, to /usr/share/sbom, while the image is built.

    sbom.py IMAGE [ENVIRONMENT]        the environment with the Python packages, by default /opt/vigil

The Python packages are what cyclonedx-py finds installed. The Debian packages are those of the base image, from dpkg.
"""

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

TOOLS = Path("/tools/bin")
HOME = Path("/usr/share/sbom")
FIELDS = "${Package}\t${Version}\t${Architecture}\n"


def python_packages(environment: Path) -> dict[str, Any]:
    """The bill of an environment; that of a new one when there is none."""
    if not environment.exists():
        return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": []}
    command = [TOOLS / "cyclonedx-py", "environment", "--output-reproducible", "--spec-version", "1.6", environment]
    bill: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return bill


def debian_packages() -> list[dict[str, str]]:
    """What dpkg has installed, as components."""
    listed = subprocess.run(["dpkg-query", "--show", "--showformat", FIELDS], check=True, stdout=subprocess.PIPE)
    release = platform.freedesktop_os_release()
    rows = (line.split("\t") for line in listed.stdout.decode().splitlines())
    return [_component(release, *row) for row in rows]


def _component(release: dict[str, str], name: str, version: str, architecture: str) -> dict[str, str]:
    place = f"{release['ID']}-{release['VERSION_ID']}"
    purl = f"pkg:deb/{release['ID']}/{name}@{version.replace('+', '%2B')}?arch={architecture}&distro={place}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main(image: str, environment: str = "/opt/vigil") -> None:
    """Write the bill of `image`. Raises when it breaks the schema."""
    bill = python_packages(Path(environment))
    bill.setdefault("metadata", {})["component"] = {"type": "container", "bom-ref": image, "name": image}
    bill["components"] = [*bill.get("components", ()), *debian_packages()]
    text = json.dumps(bill, indent=1)
    if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"sbom.py: the bill of {image} breaks the schema of CycloneDX: {problem}")
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / f"{image}.cdx.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
