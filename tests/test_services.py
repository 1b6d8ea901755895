"""The rows of the services against the services themselves."""

import importlib
import tomllib
from typing import Any

import pytest
from reference import code
from reference.code import ROOT

from vigil.contract.service_spec import ServiceKind, ServiceSpec
from vigil.contract.services import SERVICES
from vigil.runtime.process.config import ServiceSettings, WorkerSettings

BY_NAME = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)


def settings_of(row: ServiceSpec) -> type[ServiceSettings]:
    """The settings class that the row names."""
    module, _, name = row.settings.partition(":")
    found: type[ServiceSettings] = getattr(importlib.import_module(module), name)
    return found


def project_of(row: ServiceSpec) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "services" / row.name / "pyproject.toml").read_text())["project"]
    return found


def test_every_service_has_a_row() -> None:
    assert sorted(row.name for row in SERVICES) == code.services()


@BY_NAME
def test_the_program_runs_the_module(row: ServiceSpec) -> None:
    assert project_of(row)["scripts"] == {row.program: f"{row.module}:main"}
    assert callable(importlib.import_module(row.module).main)


@BY_NAME
def test_the_wiring_is_settings_of_the_service(row: ServiceSpec) -> None:
    fields = settings_of(row).model_fields
    assert set(row.wiring) <= set(fields)
    required = {name for name, field in fields.items() if field.is_required()}
    assert required <= set(row.wiring), "a setting without a default must be given by whoever starts the service"


@BY_NAME
def test_the_ports_are_the_defaults_of_the_service(row: ServiceSpec) -> None:
    fields = settings_of(row).model_fields
    assert fields["http_port"].default == row.http_port
    assert row.grpc_port == (fields["grpc_port"].default if "grpc_port" in fields else None)
    assert row.metrics_port == (fields["metrics_port"].default if "metrics_port" in fields else None)


@BY_NAME
def test_a_claimer_is_a_worker(row: ServiceSpec) -> None:
    assert issubclass(settings_of(row), WorkerSettings) == (row.kind is ServiceKind.CLAIMER)
