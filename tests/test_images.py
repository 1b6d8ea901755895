"""The rules that every image keeps, checked by the text of its Dockerfile. `make images` builds them."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import composition
import pytest
from dockerfile import Dockerfile, ignored, read_dockerfile
from reference.code import ROOT

from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import SERVICES

IMAGES = ROOT / "deploy/images"
TEXT = (IMAGES / "Dockerfile").read_text()
FILE: Dockerfile = read_dockerfile(TEXT)
IGNORE = (ROOT / ".dockerignore").read_text()
BUILD = IMAGES / "build.sh"
EXAMPLES = {path.parent.name for path in (ROOT / "examples/modules").glob("*/requirements.txt")}
BY_TARGET = pytest.mark.parametrize("target", FILE.targets)
BY_SERVICE = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
COMPILERS = re.compile(r"\b(gcc|g\+\+|clang|build-essential|make|rustc|cargo)\b")
MOUNTED = re.compile(r"--mount=type=bind,source=([^,\s]+)")
SECRET = re.compile(r"password|passwd|secret|token|credential|api_?key", re.IGNORECASE)


def _of_the_checkout() -> Iterator[str]:
    """What the stages mount or copy from the checkout; `console/dist` is there once it was built."""
    for stage in FILE.stages.values():
        for run in stage.every("RUN"):
            yield from MOUNTED.findall(run)
        for copy in stage.every("COPY"):
            if not copy.startswith("--from="):
                yield from (path for path in copy.split()[:-1] if path != "console/dist")


def _files(path: str) -> list[Path]:
    """The files of a path, which may have a `*` or be a folder."""
    return [file for found in ROOT.glob(path) for file in (found.rglob("*") if found.is_dir() else [found])]


@BY_SERVICE
def test_every_service_has_an_image(row: ServiceSpec) -> None:
    stage = FILE.stages[row.name]
    ports = sorted(port for port in (row.http_port, row.metrics_port, row.grpc_port) if port is not None)
    assert stage.command("ENTRYPOINT") == [row.program]
    assert stage.last("EXPOSE").split() == [str(port) for port in ports]
    assert stage.labels["description"] == row.purpose
    assert f"--package vigil-{row.name} " in stage.last("RUN")


def test_the_images_are_those_that_are_built() -> None:
    usual, modules = re.findall(r"^(?:all|modules)=\((.*)\)$", BUILD.read_text(), re.MULTILINE)
    assert sorted([*usual.split(), *modules.split()]) == sorted(FILE.targets)
    assert {target.removeprefix("module-") for target in modules.split()} == EXAMPLES


@BY_TARGET
def test_an_image_runs_as_a_user_without_rights(target: str) -> None:
    words = [instruction.word for instruction in FILE.stages[target].instructions]
    assert FILE.stages[target].last("USER") == "10001:10001"
    assert set(words[words.index("USER") :]) <= {"USER", "ENTRYPOINT", "CMD"}, "whatever runs after USER needs rights"


@BY_TARGET
def test_an_image_says_what_it_is(target: str) -> None:
    labels = {name: value for stage in FILE.chain(target) for name, value in stage.labels.items()}
    assert labels["title"] == f"vigil-{target}"
    assert {"description", "vendor", "licenses"} <= labels.keys()
    for label in ("version", "revision", "created"):  # they change with every commit, so they are given by the build
        assert f"org.opencontainers.image.{label}=" in BUILD.read_text()


@BY_TARGET
def test_an_image_has_a_bill_of_materials(target: str) -> None:
    script = re.compile(rf"/tools/bin/(sbom\.py|finish\.sh) vigil-{target}\b")
    assert any(script.search(run) for run in FILE.stages[target].every("RUN"))


def test_base_images_are_arguments_with_exact_versions() -> None:
    for stage in FILE.stages.values():
        argument = re.fullmatch(r"\$\{(\w+)\}", stage.base)
        assert argument or stage.base in FILE.stages, f"{stage.name} begins with {stage.base}"
        if argument:
            assert re.fullmatch(r"[a-z0-9./-]+:\d+\.\d+\.\d+-[a-z0-9.-]+", FILE.arguments[argument[1]])


def test_no_digest_is_invented_and_no_frontend_is_fetched() -> None:
    assert "No digest is pinned: no registry could be reached" in " ".join(TEXT.split("\n# "))
    assert not re.search(r"@sha256:[0-9a-f]", TEXT)
    assert "syntax=" not in TEXT


@BY_TARGET
def test_an_image_has_no_compiler_and_no_cache(target: str) -> None:
    stages = list(FILE.chain(target))
    assert not {"tools", "engine-environment"} & {stage.name for stage in stages}
    runs = [run for stage in stages for run in stage.every("RUN")]
    assert [run for run in runs if COMPILERS.search(run)] == []
    assert [run for run in runs if "pip install" in run] == []
    installs = [run for run in runs if "apt-get install" in run]
    assert [run for run in installs if "--no-install-recommends" not in run or "/var/lib/apt/lists" not in run] == []
    copied = [copy for stage in stages for copy in stage.every("COPY")]
    assert [copy for copy in copied if "--from=tools" in copy or copy.startswith(". ")] == []


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_module_has_the_client_and_its_own_pinned_packages(name: str) -> None:
    stage = FILE.stages[f"module-{name}"]
    assert stage.command("ENTRYPOINT") == ["python", "-m", name]
    assert f"install-module.sh {name} " in stage.last("RUN")
    assert "--package vigil-client" in FILE.stages[stage.base].last("RUN")
    lines = (ROOT / f"examples/modules/{name}/requirements.txt").read_text().splitlines()
    pinned = re.compile(r"#.*|\S+==\S+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not pinned.fullmatch(line)] == []
    assert "--require-hashes --no-deps" in (ROOT / "examples/modules/extras.sh").read_text()


def test_no_line_asks_sh_for_a_list_in_braces() -> None:
    runs = [run for stage in FILE.stages.values() for run in stage.every("RUN")]
    assert [run for run in runs if re.search(r"\{[^{}\s]*,[^{}\s]*\}", run)] == [], (
        "only bash makes several words of it"
    )


@pytest.mark.parametrize(
    ("environment", "needed", "other"), [("ear", "faster_whisper", "hibari"), ("voice", "hibari", "faster-whisper")]
)
def test_an_image_of_speech_has_its_own_engine_alone(environment: str, needed: str, other: str) -> None:
    stage = FILE.stages[f"{environment}-environment"]
    assert re.search(rf"pip uninstall [^&]*\b{other}\b.*&&.* -c \"import {needed}\b", stage.last("RUN"))


def test_python_packages_come_from_the_lock() -> None:
    script = (IMAGES / "install.sh").read_text()
    assert "uv sync --quiet --frozen --no-dev --no-editable" in script
    installs = [run for stage in FILE.stages.values() for run in stage.every("RUN") if "pip install" in run]
    assert all(re.search(r"\w==\$\{\w+_VERSION\}", run) for run in installs), "tools of the build are pinned, too"


def test_no_secret_is_part_of_an_image() -> None:
    said = [rest for stage in FILE.stages.values() for word in ("ENV", "ARG", "COPY") for rest in stage.every(word)]
    assert [rest for rest in said if SECRET.search(rest)] == []


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "uv.lock",
        "libs/vigil/pyproject.toml",
        "libs/vigil/vigil/runtime/process/probe.py",
        "services/gateway/vigil_gateway/main.py",
        "models/vigil-small/model.safetensors",
        "deploy/engine/serve.sh",
        "deploy/images/install.sh",
        "deploy/helm/vigil/files/engine-warm.py",
    ],
)
def test_a_build_sees_the_sources(path: str) -> None:
    assert (ROOT / path).is_file()
    assert not ignored(path, IGNORE)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        ".venv-engine/bin/python",
        "api-keys.json",
        "build/local/secrets/nats",
        "deploy/.env",
        "deploy/helm/vigil/values.yaml",
        "docs/design.md",
        "libs/vigil/.env",
        "libs/vigil/tests/core/test_alert.py",
        "libs/vigil/vigil/__pycache__/__init__.cpython-311.pyc",
        "libs/vigil/vigil/testing/servers.py",
        "models/other/model.safetensors",
        "services/gateway/tests/conftest.py",
        "tests/test_images.py",
    ],
)
def test_a_build_sees_nothing_else(path: str) -> None:
    assert ignored(path, IGNORE)


@pytest.mark.parametrize("path", sorted(set(_of_the_checkout())))
def test_what_a_build_mounts_or_copies_is_seen(path: str) -> None:
    found = [file for file in _files(path) if not ignored(str(file.relative_to(ROOT)), IGNORE)]
    assert found, f"{path} is not here, or .dockerignore keeps it out"


@pytest.mark.parametrize("name", [composition.BASE, *composition.layers()])
def test_an_empty_volume_belongs_to_the_user_that_all_run_as(name: str) -> None:
    made = FILE.stages["provision"].last("RUN").split()
    mounts = composition.deployment(*(() if name == composition.BASE else (name,)))["services"]["provision"]["volumes"]
    assert [mount for mount in mounts if mount.split(":")[1] not in made] == [], "a folder of the image of provision"


def test_an_unknown_image_is_told() -> None:
    told = subprocess.run([BUILD, "gatway"], capture_output=True, text=True, timeout=30)
    assert told.returncode == 1
    assert "there is no image gatway; there are: gateway gateway-agents ingestion" in told.stderr


def test_without_docker_the_next_step_is_told(tmp_path: Path) -> None:
    nowhere = {"PATH": os.defpath, "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "HOME": str(tmp_path)}
    told = subprocess.run([BUILD], capture_output=True, text=True, timeout=30, env=nowhere)
    assert told.returncode == 1
    assert "no Docker daemon answers" in told.stderr
