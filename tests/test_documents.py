"""The documents are true where a machine can tell: what they cite exists."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest
from reference import metrics, settings
from reference.code import ROOT, services

from vigil.contract.spans import ATTRIBUTES

DOCS = ROOT / "docs"
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("*/*/README.md"), *ROOT.glob("examples/*/*/README.md")]
)
CODE = [path for folder in ("libs", "services", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]

CITATION = re.compile(r"design (§\d+(?:\.\d+)?(?:,? (?:and )?§\d+(?:\.\d+)?)*)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
LINK = re.compile(r"(?<!\!)\[[^\]]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
GLOSSARY_ROW = re.compile(r"^\| (?P<term>[\w -]+) \| (?P<meaning>.+) \| `(?P<module>[\w.]+)` \|$", re.MULTILINE)
FILE = re.compile(r"`((?:deploy|docs|libs|models|proto|services|tests)/[\w./-]+)[`:]")
MODULE = re.compile(r"`(vigil(?:_[a-z]+)?(?:\.(?!v1)\w+)+)[`:]")
# A field of a request, a file beside its page, attributes of spans.
# Named like modules that do not exist.
EVENTS = {
    "vigil.memory.ready",
    "vigil.memory.failed",
    "vigil.transcript.final",
    "vigil.transcript.partial",
    "vigil.speech.started",
}
NO_MODULES = frozenset({"vigil.time_s", "vigil_gunzip.py"}) | EVENTS | ATTRIBUTES.keys()
LOG_EVENT = re.compile(r"\blog `([^`]+)`")


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = (re.sub(r"[^\w\s-]", "", title.lower()) for title in HEADING.findall(prose(page)))
    return {title.strip().replace(" ", "-") for title in titles}


def sections_cited(text: str) -> set[str]:
    return {section for found in CITATION.findall(text) for section in re.findall(r"\d+(?:\.\d+)?", found)}


def sections_of_the_design() -> set[str]:
    titles = HEADING.findall((DOCS / "design.md").read_text())
    return {found[1] for title in titles if (found := re.match(r"(\d+(?:\.\d+)?)\.? ", title))}


def test_every_section_of_the_design_that_the_code_cites_exists() -> None:
    cited = {path: sections_cited(path.read_text()) for path in CODE if path != Path(__file__)}
    assert sum(map(bool, cited.values())) > 10
    missing = {str(path): gone for path, found in cited.items() if (gone := found - sections_of_the_design())}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for pair in LINK.findall(prose(page)):
        target = "".join(pair)
        if not target.startswith(("http://", "https://")):
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), f"{target}: there is no such file"
            assert not anchor or anchor in anchors(file), f"{target}: there is no such heading"


GLOSSARY = list(GLOSSARY_ROW.finditer((DOCS / "glossary.md").read_text()))


def test_the_glossary_is_read_whole_and_in_order() -> None:
    terms = [row["term"] for row in GLOSSARY]
    assert len(terms) == (DOCS / "glossary.md").read_text().count("\n| ") - 2
    assert terms == sorted(terms)


@pytest.mark.parametrize("row", GLOSSARY, ids=lambda row: row["term"])
def test_a_term_lives_in_a_module_that_exists(row: re.Match[str]) -> None:
    assert importlib.util.find_spec(row["module"]) is not None


def test_every_log_event_that_an_operator_is_told_of_is_logged() -> None:
    told = {event for page in PAGES for event in LOG_EVENT.findall(page.read_text())}
    logged = {
        node.value
        for path in CODE
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert told
    assert not told - logged


def test_every_metric_that_is_named_exists() -> None:
    known = {metric.name for found in metrics.declared().values() for metric in found}
    libraries = {"vigil_client", "vigil_local", "vigil_provision", "vigil_recipe"}
    packages = {f"vigil_{service}" for service in services()} | libraries
    for page in PAGES:
        named = set(re.findall(r"`(vigil_[a-z_]+)[`{]", page.read_text()))
        assert not named - known - packages, page.name


def test_every_setting_that_is_named_exists() -> None:
    known = set(re.findall(r"`(VIGIL_[A-Z_]+)`", settings.page()))
    of_the_command = {"VIGIL_GATEWAY_URL", "VIGIL_API_KEY", "VIGIL_NATS_URL", "VIGIL_DATA_DIR"}
    layered = "".join(path.read_text() for path in [*(ROOT / "deploy").glob("compose*.yaml"), ROOT / "deploy/.env"])
    of_compose = set(re.findall(r"\b(VIGIL_[A-Z_]+[A-Z])\b", layered))
    of_the_engine = set(re.findall(r"\b(VIGIL_ENGINE_[A-Z_]+[A-Z])\b", (ROOT / "deploy/engine/serve.sh").read_text()))
    for page in PAGES:
        named = set(re.findall(r"\b(VIGIL_[A-Z_]+[A-Z])\b", page.read_text())) - {"VIGIL_BENCH"}
        assert not named - known - of_the_command - of_the_engine - of_compose, page.name


def test_the_page_of_compose_has_every_layer_and_every_port() -> None:
    page = (DOCS / "compose.md").read_text()
    listed = set(re.findall(r"^\| \[`(compose\.[a-z-]+\.yaml)`\]", page, re.MULTILINE))
    assert listed == {path.name for path in (ROOT / "deploy").glob("compose.*.yaml")}
    ports = set(re.findall(r"VIGIL_PUBLISH_(?:HTTP|GRPC|NATS)", (ROOT / "deploy/compose.yaml").read_text()))
    assert len(ports) == 3
    assert not {port for port in ports if f"`{port}`" not in page}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_empties_a_deployment_by_compose_takes_every_profile(page: Path) -> None:
    for command in re.findall(r"^\$ (docker compose .*down -v.*)$", page.read_text(), re.MULTILINE):
        assert "--profile '*' down -v" in command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_subscriber_that_is_shown_outlives_a_long_absence_of_nats(page: Path) -> None:
    for call in re.findall(r"nats\.connect\((.*)", page.read_text()):
        assert "max_reconnect_attempts=-1" in call, "nats-py gives up after two minutes, and the program ends"


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a module, or what a module holds."""
    try:
        if importlib.util.find_spec(dotted) is not None:
            return True
    except ModuleNotFoundError:  # its parent is a module that has no modules of its own
        pass
    module, _, name = dotted.rpartition(".")
    return (
        bool(module) and importlib.util.find_spec(module) is not None and hasattr(importlib.import_module(module), name)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_module_that_is_named_exists(page: Path) -> None:
    named = prose(page)
    missing = [path for path in FILE.findall(named) if not (ROOT / path).exists()]
    missing += [module for module in MODULE.findall(named) if module not in NO_MODULES and not is_there(module)]
    assert not missing


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150
