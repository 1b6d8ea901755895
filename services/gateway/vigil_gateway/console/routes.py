"""What the console asks for that no other client needs."""

from fastapi import APIRouter
from pydantic import Field

from vigil_gateway.api.models.base import Out
from vigil_gateway.console.links import links_of
from vigil_gateway.ports import PortsOf, Tenant

router = APIRouter(prefix="/v1/console", tags=["health"])


class LinkOut(Out):
    """A dashboard that the operator has named."""

    name: str
    url: str


class ConsoleOut(Out):
    """What the console shows beside what the rest of the API tells."""

    links: list[LinkOut] = Field(description="Dashboards, as VIGIL_CONSOLE_LINKS names them")


@router.get("")
async def show_console(ports: PortsOf, _: Tenant) -> ConsoleOut:
    """The dashboards that the operator has named for the web console."""
    links = links_of(ports.settings.console_links)
    return ConsoleOut(links=[LinkOut(name=link.name, url=link.url) for link in links])
