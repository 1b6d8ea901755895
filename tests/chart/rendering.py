"""The chart as helm renders it: `python -m chart.rendering` writes the committed examples anew."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/vigil"
RENDERED = CHART / "examples/rendered"
TOOLS = ROOT / "build/chart"  # where `make chart-tools` puts both helms
EXAMPLES = sorted(path.stem for path in (CHART / "examples").glob("*.yaml"))
RELEASE, NAMESPACE = "vigil", "vigil"

_PASSWORD = re.compile(r"\b[A-Za-z0-9]{40}\b")
_BODY = re.compile(r"^(data|spec):\n.*", re.MULTILINE | re.DOTALL)
OBSERVABILITY = "# Source: vigil/templates/observability.yaml\n"
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Helm:
    """A helm of one version."""

    version: str

    @property
    def program(self) -> Path:
        return TOOLS / f"helm-{self.version}"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Its output and exit status, whatever that is."""
        return subprocess.run((self.program, *arguments), capture_output=True, text=True, check=False)

    def template(self, values: Sequence[Path] = (), sets: Sequence[str] = ()) -> str:
        """The chart's text with these values. Raises `Refused` with what helm says."""
        words = [f"--values={path}" for path in values] + [f"--set-json={text}" for text in sets]
        done = self.run("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *words)
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout


class Refused(Exception):
    """Helm renders nothing with these values."""


HELMS = tuple(Helm(path.name.removeprefix("helm-")) for path in sorted(TOOLS.glob("helm-*")))
NEWEST = Helm("4.1.4")


def example(name: str) -> Path:
    """The values of an example."""
    return CHART / f"examples/{name}.yaml"


def masked(text: str) -> str:
    """The text with two things masked: what is made at random in Secrets (passwords, the digest of a key), and the
    dashboards and rules, which stand in files of their own."""
    return "---\n".join(map(_masked, re.split(r"(?m)^---\n", text)))


def _masked(document: str) -> str:
    if "\nkind: Secret\n" in document:
        return _DIGEST.sub("<digest>", _PASSWORD.sub("<generated>", document))
    if OBSERVABILITY in document:
        return _BODY.sub(r"\1: <the file>\n", document)
    return document


def objects(text: str) -> list[Object]:
    """The objects of a rendered text."""
    return [document for document in yaml.safe_load_all(text) if document]


def named(found: Sequence[Object], kind: str, name: str) -> Object:
    """The object of this kind and name. Raises `KeyError`."""
    return {(item["kind"], item["metadata"]["name"]): item for item in found}[kind, name]


def pods(found: Sequence[Object]) -> dict[str, Mapping[str, Any]]:
    """The pod of each workload, by kind and name."""
    made: dict[str, Mapping[str, Any]] = {}
    for item in found:
        key = f"{item['kind']}/{item['metadata']['name']}"
        match item["kind"]:
            case "Pod":
                made[key] = item
            case "Deployment" | "StatefulSet" | "Job":
                made[key] = item["spec"]["template"]
    return made


def main() -> None:
    """Write the examples as the newest helm renders them."""
    RENDERED.mkdir(exist_ok=True)
    for name in EXAMPLES:
        (RENDERED / f"{name}.yaml").write_text(masked(NEWEST.template([example(name)])))


if __name__ == "__main__":
    main()
