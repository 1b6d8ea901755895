"""The commands of docs/operations.md for a backup and for a restore, word for word, against a deployment that runs."""

import asyncio
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from compose_stage import COMMAND_S, PROJECT, Deployment, Table
from system import Rest, decisions, rest

from vigil.testing.eventually import eventually

pytestmark = pytest.mark.timeout(1_200)

ROOT = Path(__file__).resolve().parents[2]
AGAIN_S = 240.0
SECTION = re.compile(r"\*\*Compose\.\*\*.*?```console\n(.*?)```.*?```console\n(.*?)```", re.DOTALL)


def commands() -> tuple[str, str]:
    """What the page has people type for a backup, and for a restore."""
    found = SECTION.search((ROOT / "docs/operations.md").read_text())
    assert found is not None
    backup, restore = (re.sub(r"^\$ ", "", block, flags=re.MULTILINE) for block in found.groups())
    return backup, restore


def typed(deployment: Deployment, script: str, folder: Path) -> None:
    """Run the commands, with this project in the place of `vigil`, and this folder in the place of `/backup/vigil`."""
    for word, here in (("vigil_$volume", f"{PROJECT}_$volume"), ("/backup/vigil", str(folder))):
        assert word in script
        script = script.replace(word, here)
    environment = {**deployment.environment, "COMPOSE_PROJECT_NAME": PROJECT, "PATH": os.environ["PATH"]}  # noqa: TID251
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        capture_output=True,
        env=environment,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2_000:]


async def test_a_session_goes_on_from_its_backup(deployment: Deployment, table: Table, tmp_path: Path) -> None:
    backup, restore = commands()
    await deployment.forget()
    fresh = deployment.with_files()
    await fresh.run("up", "--detach")
    await fresh.until(fresh.is_healthy, "every container is healthy")
    async with rest(fresh) as gateway:
        session = await gateway.open("file:///media/demo.mp4", source={"loop": True})
        await _turns(gateway, session, 5)
        began = time.monotonic()
        await asyncio.to_thread(typed, fresh, backup, tmp_path)
        await fresh.until(fresh.is_healthy, "every container is healthy after the backup")
        table.note(
            "a backup, from stopping until every container is healthy again", f"{time.monotonic() - began:.0f} s"
        )
        saved = len(await decisions(fresh, session))
        await _turns(gateway, session, saved + 10)
        began = time.monotonic()
        await asyncio.to_thread(typed, fresh, restore, tmp_path)
        await fresh.until(fresh.is_healthy, "every container is healthy after the restore")
        table.note(
            "a restore into empty volumes, until every container is healthy", f"{time.monotonic() - began:.0f} s"
        )
        await _turns(gateway, session, saved + 5)
        stored = await decisions(fresh, session)
    assert [decision.sequence for decision in stored] == list(range(len(stored)))


async def _turns(gateway: Rest, session: str, count: int) -> None:
    async def reached() -> bool:
        await asyncio.sleep(0.5)  # a gateway that is asked all the time has no time for the others
        return await gateway.turns(session, count)

    await eventually(reached, AGAIN_S, f"{count} turns of {session}")
