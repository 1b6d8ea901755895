"""Writes what is made from the code: the reference pages of `docs/`, and files of the chart."""

from collections.abc import Callable

from injection.page import page as injection_page

from reference import chart, metrics, services, settings, traces
from reference.code import ROOT
from reference.dashboards.bus import BUS
from reference.dashboards.engine import ENGINE
from reference.dashboards.fleet import FLEET
from reference.dashboards.session import SESSION

DASHBOARDS = "deploy/helm/vigil/files/dashboards"
# Each file by its place in the repository, and what makes its text.
PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings.page,
    "docs/metrics.md": metrics.page,
    "docs/services.md": services.page,
    "docs/traces.md": traces.page,
    "docs/injection.md": injection_page,
    f"{DASHBOARDS}/fleet.json": FLEET.file,
    f"{DASHBOARDS}/session.json": SESSION.file,
    f"{DASHBOARDS}/engine.json": ENGINE.file,
    f"{DASHBOARDS}/bus.json": BUS.file,
}


def main() -> None:
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page())
    (ROOT / chart.FOLDER).mkdir(parents=True, exist_ok=True)
    for name, text in chart.files().items():
        (ROOT / chart.FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
