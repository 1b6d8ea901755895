"""An example module as a container beside the deployment: what it notices is shown to the model."""

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from compose_stage import PROJECT, VERSION, Deployment, Table, docker
from system import Rest, rest

from vigil.testing.eventually import eventually

pytestmark = pytest.mark.timeout(600)

SHOWN_S = 180.0  # it learns from nine pictures first what is usually there
ZONES = """
[[zone]]
name = "the whole picture"
polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
"""


async def test_what_a_module_notices_reaches_a_turn(deployment: Deployment, table: Table, tmp_path: Path) -> None:
    image = f"vigil-module-zones:{VERSION}"
    if not docker("image", "ls", "--quiet", image).strip():
        pytest.skip(f"the image {image} is not here: make images IMAGES=module-zones")
    await deployment.forget()
    light = deployment.with_files().with_layer("scripted.yaml").with_variables({"COMPOSE_PROFILES": ""})
    await light.run("up", "--detach")
    await light.until(light.is_healthy, "every container is healthy")
    await light.run("run", "--rm", "-T", "camera")
    printed = await light.run("run", "--rm", "-T", "modules", "add", "zones")
    port = light.variables["VIGIL_PUBLISH_NATS"]
    _put(tmp_path, {"zones.toml": ZONES, "zones.address": printed.replace(f"127.0.0.1:{port}", "nats:4222")})
    # As examples/modules/README.md has people type it, with this project's network and folder.
    options = ("--detach", "--read-only", "--network", f"{PROJECT}_inside", "-v", f"{tmp_path}:/site:ro")
    module = docker("run", *options, image, "/site/zones.toml", "@/site/zones.address").strip()
    try:
        async with rest(light) as gateway:
            session = await gateway.open("file:///media/demo.mp4", source={"loop": True})
            began = time.monotonic()
            await eventually(lambda: _is_shown(gateway, session), SHOWN_S, "a turn is shown what moves")
            table.note(
                "a module in a container until a turn is shown what it noticed", f"{time.monotonic() - began:.0f} s"
            )
        docker("stop", "--time", "20", module)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", module).strip() == "0", "SIGTERM ends it in order"
    finally:
        docker("rm", "--force", module)


def _put(folder: Path, files: Mapping[str, str]) -> None:
    """Write files that user 10001 can read."""
    folder.chmod(0o755)
    for name, text in files.items():
        (folder / name).write_text(text)


async def _is_shown(gateway: Rest, session: str) -> bool:
    _, history = await gateway.call("GET", f"/v1/sessions/{session}/history")
    return any("something moves in the whole picture" in str(turn["observed"]) for turn in history["turns"])
