"""`vigil up`: everything on this machine."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from vigil.runtime.process.output import unfailing_stdout
from vigil_client.commands.running import console, run
from vigil_client.endpoints import DATA_DIR, Endpoints
from vigil_local.commands.progress import Progress
from vigil_local.supervisor.plan import PREFERRED_PORTS
from vigil_local.supervisor.stack import UpOptions, running

MODEL_DIR = Path("models/vigil-small")

ModelDir = Annotated[Path, typer.Option("--model-dir", help="Checkpoint that the engine serves.")]
EngineUrl = Annotated[
    str,
    typer.Option("--engine-url", help="Use this running OpenAI-compatible engine, or several: URL,URL; needs --model."),
]
Model = Annotated[str, typer.Option("--model", help="Model name; default: the name of the model directory.")]
Profile = Annotated[str, typer.Option("--profile", help="Prompt profile: vigil-small, joyai or harness.")]
UpDataDir = Annotated[Path, typer.Option("--data-dir", help="Where everything is kept: store, streams, logs, keys.")]
PortBase = Annotated[
    int,
    typer.Option(
        "--port-base", help=f"First of {len(PREFERRED_PORTS)} ports to use; default: usual ports, others where taken."
    ),
]
EnginePython = Annotated[
    Path | None, typer.Option("--engine-python", help="Python of the engine environment; default: .venv-engine.")
]
Webhooks = Annotated[
    Path | None, typer.Option("--webhooks", help="Also send alerts to the HTTP endpoints that this JSON file names.")
]
Brains = Annotated[
    Path | None, typer.Option("--brains", help="Answer delegated questions by the brains that this JSON file names.")
]

Speech = Annotated[
    bool, typer.Option("--speech", help="Also hear and speak, by the engines for the CPU that `make speech` installs.")
]


def up(
    model_dir: ModelDir = MODEL_DIR,
    engine_url: EngineUrl = "",
    model: Model = "",
    profile: Profile = "vigil-small",
    data_dir: UpDataDir = DATA_DIR,
    port_base: PortBase = 0,
    engine_python: EnginePython = None,
    webhooks: Webhooks = None,
    brains: Brains = None,
    speech: Speech = False,
) -> None:
    """Run NATS, Redis, the engine and the services on this machine until Ctrl-C.

    Each is started when what it needs is healthy, and started again should it die. The addresses and a key
    are written to DATA_DIR/endpoints.json, where the other commands find them; logs are in DATA_DIR/logs.

    \b
    Examples:
      vigil up
      vigil up --engine-url http://gpu-box:8000 --model my-model --profile harness
      vigil up --data-dir /var/lib/vigil --port-base 9500
    """
    console.file = unfailing_stdout()
    options = UpOptions(
        model_dir, engine_url, model, profile, data_dir, port_base, engine_python, webhooks, brains, speech
    )
    run(_up(options))


async def _up(options: UpOptions) -> bool:
    progress = Progress(console)
    async with AsyncExitStack() as stack:
        with progress:
            vigil = await stack.enter_async_context(running(options, progress.changed, progress.told))
        for warning in vigil.warnings:
            console.print(f"[yellow]warning[/]  {escape(warning)}", highlight=False, soft_wrap=True)
        console.print(where(vigil.endpoints, vigil.moved), highlight=False, soft_wrap=True)
        await vigil.supervisor.failed()
    return True


def console_line(endpoints: Endpoints) -> str:
    """Where the web console is and what opens it, or how to get it."""
    if not endpoints.console_url:
        return "not built: `make console` builds it (needs npm), then start again"
    return f"{endpoints.console_url}  log in with the key {endpoints.api_key}"


def where(endpoints: Endpoints, moved: str) -> str:
    """What `vigil up` says once it is healthy."""
    ports = f"  ports    {moved}\n" if moved else ""
    return (
        f"\n[bold green]Vigil is up.[/]  Ctrl-C stops it.\n"
        f"  console  {console_line(endpoints)}\n"
        f"  gateway  {endpoints.gateway_url}  (API page: /docs)\n"
        f"  gRPC     {endpoints.gateway_grpc}  vigil.v1.GatewayService\n"
        f"  alerts   {endpoints.nats_url}  vigil.v1.alert.{endpoints.tenant}.>\n"
        f"  engine   {endpoints.engine_url}  model {escape(endpoints.model)}\n"
        f"{ports}"
        f"\nNext, in another terminal:\n"
        f'  vigil watch VIDEO-OR-RTSP-ADDRESS --alert "Alert me when a fire starts."\n'
        f"  vigil subscribe alerts\n"
    )
