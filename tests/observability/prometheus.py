"""A real Prometheus with the rules that the chart ships, scraping what a test runs."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from observability.rules import RULES
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port

SCRAPE_S = 1
START_S = 60.0


def missing() -> bool:
    """Whether Prometheus is not installed here."""
    return shutil.which("prometheus") is None


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs, by its root address."""

    url: str
    http: aiohttp.ClientSession

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples that an expression has now. Raises `ValueError` for one that Prometheus does not understand."""
        async with self.http.get(f"{self.url}/api/v1/query", params={"query": expression}) as answer:
            found = await answer.json()
        if found["status"] != "success":
            raise ValueError(f"{found['error']}: {expression}")
        result: list[dict[str, Any]] = found["data"]["result"]
        return result

    async def fired(self) -> set[str]:
        """The alerts that wait for their time or fire now."""
        return {sample["metric"]["alertname"] for sample in await self.query("ALERTS")}


@asynccontextmanager
async def scraping(folder: Path, targets: Mapping[str, int]) -> AsyncIterator[Prometheus]:
    """Prometheus over these jobs and their ports on this machine, ready; ended on leaving."""
    port = free_port()
    file = await asyncio.to_thread(_configured, folder, targets)
    flags = [
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        started = await asyncio.create_subprocess_exec(
            "prometheus", *flags, env={"PATH": os.defpath}, stdin=DEVNULL, stdout=log, stderr=STDOUT
        )
    try:
        async with aiohttp.ClientSession() as http:
            prometheus = Prometheus(f"http://127.0.0.1:{port}", http)
            await eventually(lambda: _is_ready(prometheus), START_S, "Prometheus is ready")
            yield prometheus
    finally:
        started.kill()
        await started.wait()


def _configured(folder: Path, targets: Mapping[str, int]) -> Path:
    """The configuration file, in a new folder."""
    config = {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
        "rule_files": [str(path) for path in RULES],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{number}"]}]}
            for job, number in targets.items()
        ],
    }
    folder.mkdir()
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


async def _is_ready(prometheus: Prometheus) -> bool:
    try:
        async with prometheus.http.get(f"{prometheus.url}/-/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
