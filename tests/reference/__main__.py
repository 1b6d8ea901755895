"""Writes the generated pages of `docs/`."""

from reference import metrics, services, settings
from reference.code import ROOT

PAGES = {"settings.md": settings.page, "metrics.md": metrics.page, "services.md": services.page}


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())


if __name__ == "__main__":
    main()
