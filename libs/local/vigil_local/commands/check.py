"""One line of a doctor's report, and how a report is shown."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.markup import escape

from vigil.contract.services import SERVICES
from vigil_client.commands.running import console

NAME_WIDTH = max(len(row.program) for row in SERVICES)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. An `optional` one that fails is no problem; `mend` says how to put it right."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    optional: bool = False


def report(checks: Iterable[Check]) -> bool:
    """Show every check and the verdict; whether nothing must be mended."""
    problems = 0
    for check in checks:
        _show(check)
        problems += not check.ok and not check.optional
    console.print(f"\n[bold red]{problems} to mend[/]" if problems else "\n[bold green]all is well[/]")
    return not problems


async def output_of(argv: Sequence[str], limit_s: float) -> tuple[int, str]:
    """A program's exit status and output; it is ended after `limit_s` seconds."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return 127, f"cannot be run: {error.strerror}"
    try:
        async with asyncio.timeout(limit_s):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 124, f"did not finish within {limit_s:g} s"
    return process.returncode or 0, output.decode(errors="replace")


def _show(check: Check) -> None:
    mark = "[green]ok     [/]" if check.ok else ("[dim]absent [/]" if check.optional else "[bold red]problem[/]")
    console.print(f"{mark}  {check.name:<{NAME_WIDTH}} {escape(check.detail)}", highlight=False, soft_wrap=True)
    if not check.ok and check.mend:
        console.print(f"         {'':<{NAME_WIDTH}} [dim]→ {escape(check.mend)}[/]", highlight=False, soft_wrap=True)
