"""Writes what is made from the code: the reference pages of `docs/`, and files of the chart."""

from reference import chart, metrics, services, settings
from reference.code import ROOT

PAGES = {"settings.md": settings.page, "metrics.md": metrics.page, "services.md": services.page}


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
    (ROOT / chart.FOLDER).mkdir(parents=True, exist_ok=True)
    for name, text in chart.files().items():
        (ROOT / chart.FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
