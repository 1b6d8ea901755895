"""The compose files as data: read, filled in from deploy/.env, and laid over each other as Compose does."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
BASE = "compose.yaml"
# What a layer needs besides deploy/.env, as a user would export it.
EXAMPLES = {
    "VIGIL_VIDEOS": "/srv/videos",
    "VIGIL_OIDC_ISSUER": "https://id.example/realms/guards",
    "VIGIL_OIDC_CLIENT_ID": "vigil",
    "VIGIL_OIDC_REDIRECT_URL": "https://vigil.example/v1/login/oidc/callback",
    "VIGIL_ENGINE_URLS": "http://gpu-1:8000,http://gpu-2:8000",
    "VIGIL_MODEL": "jdopensource/JoyAI-VL-Interaction",
    "VIGIL_PROFILE": "joyai",
    "VIGIL_MODEL_REVISION": "0123456789abcdef0123456789abcdef01234567",
    "VIGIL_ASR_REVISION": "0123456789abcdef0123456789abcdef01234567",
    "VIGIL_TTS_REVISION": "0123456789abcdef0123456789abcdef01234567",
    "VIGIL_TTS_SAMPLE": "/srv/voice.wav",
    "VIGIL_TTS_SAMPLE_TEXT": "Good morning.",
}
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Missing(Exception):
    """A variable has no value; `message` is what the file says about it."""

    name: str
    message: str


def layers() -> list[str]:
    """The names of the compose files beside the base."""
    return sorted(path.name for path in DEPLOY.glob("compose.*.yaml"))


@cache
def raw(name: str) -> dict[str, Any]:
    """One file as it stands; YAML's own anchors and merges are resolved."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


@cache
def defaults() -> dict[str, str]:
    """The variables of deploy/.env."""
    lines = (line.strip() for line in (DEPLOY / ".env").read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables(name: str) -> list[re.Match[str]]:
    """Every variable that a file names; its comments do not count."""
    text = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in (DEPLOY / name).read_text().splitlines())
    return list(_VARIABLE.finditer(text))


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """`value` with every variable replaced. Raises `Missing`."""
    match value:
        case str():
            return _VARIABLE.sub(lambda found: _value(found, values), value)
        case dict():
            return {key: filled(item, values) for key, item in value.items()}
        case list():
            return [filled(item, values) for item in value]
        case _:
            return value


def deployment(*names: str, **given: str) -> dict[str, Any]:
    """The base with these layers over it, filled in."""
    values = {**defaults(), **EXAMPLES, **given}
    made: dict[str, Any] = filled(raw(BASE), values)
    for name in names:
        made = _over(made, filled(raw(name), values))
    return made


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    value = values.get(found["name"], "")
    if value or found["kind"] is None:
        return value
    if found["kind"] == ":?":
        raise Missing(found["name"], found["rest"])
    return found["rest"]


# Where a layer's list takes the place of the base's; all other lists are joined.
_REPLACED = {"command", "entrypoint", "test"}


def _over(lower: Any, upper: Any, key: str = "") -> Any:
    if isinstance(lower, dict) and isinstance(upper, dict):
        return lower | {name: _over(lower[name], item, name) if name in lower else item for name, item in upper.items()}
    if isinstance(lower, list) and isinstance(upper, list) and key not in _REPLACED:
        return lower + [item for item in upper if item not in lower]
    return upper


def plugin() -> bool:
    """Whether `docker compose` is here. It reads files without a daemon."""
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def config(*names: str) -> "subprocess.CompletedProcess[str]":
    """`docker compose config` of the base and these layers."""
    files = [word for name in (BASE, *names) for word in ("-f", str(DEPLOY / name))]
    command = ["docker", "compose", *files, "config", "--format", "json"]
    environment = {"PATH": os.defpath, "HOME": str(Path.home()), **EXAMPLES}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
