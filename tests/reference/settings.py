"""`docs/settings.md`: every setting of every service, from the settings classes."""

import inspect
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from bench.settings import BenchSettings
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from reference import code as source
from reference.table import code, table
from vigil.runtime.process.config import EndpointSettings, ServiceSettings, WorkerSettings

HEAD = ("variable", "type", "default", "bounds", "meaning")
_TYPES: Mapping[object, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    SecretStr: "secret",
}
_BOUNDS = {
    Ge: ("ge", "≥"),
    Gt: ("gt", ">"),
    Le: ("le", "≤"),
    Lt: ("lt", "<"),
    MinLen: ("min_length", "characters ≥"),
    MaxLen: ("max_length", "characters ≤"),
}
_INTRODUCTION = """# Settings

This page is generated from the settings classes: change those, then run `make docs`. A test compares the two.

A service reads its settings once, when it starts, from environment variables (`vigil.runtime.process.config`). A
value that breaks a rule stops the service with exit code 2 and a line that names the variable. The first log line,
`service started`, shows every setting with secrets masked. `vigil up` sets these variables for the processes that it
starts; its own options are listed by `vigil up --help`.

A variable that starts with `VIGIL_BENCH_` belongs to `make bench`. Lists are JSON: `VIGIL_BENCH_STEPS='[20, 50]'`."""


def page() -> str:
    """The whole page."""
    sections = [
        _section("Every service", ServiceSettings, "All services read these."),
        _section(
            "Every worker",
            EndpointSettings,
            "The services that serve gRPC inside (ingestion, codec, interaction, brain) read these too.",
        ),
        _section(
            "Every worker that claims sessions",
            WorkerSettings,
            "Ingestion, codec and interaction read these, beside those of *Every worker*.",
        ),
    ]
    for service in source.services():
        kind = settings_of(service)
        also = "Every worker" if issubclass(kind, EndpointSettings) else "Every service"
        sections.append(
            _section(f"`{service}`", kind, f"Beside those of *{also}*; a default that stands here replaces theirs.")
        )
    sections.append(_section("`make bench`", BenchSettings, "Read by the benchmark alone."))
    return "\n\n".join([_INTRODUCTION, *sections]) + "\n"


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings class of a service: the one that its module `config` defines."""
    module = f"vigil_{service}.config"
    (kind,) = (
        value
        for value in source.constants(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == module
    )
    return kind


def own_fields(kind: type[BaseSettings]) -> dict[str, FieldInfo]:
    """The fields that the class declares itself; a field that it declares anew counts."""
    return {name: kind.model_fields[name] for name in inspect.get_annotations(kind) if name in kind.model_fields}


def _section(title: str, kind: type[BaseSettings], introduction: str) -> str:
    prefix = str(kind.model_config.get("env_prefix", ""))
    rows = [
        (
            code(f"{prefix}{name.upper()}"),
            _type(field.annotation),
            _default(field),
            _bounds(field),
            field.description or "",
        )
        for name, field in own_fields(kind).items()
    ]
    return "\n".join([f"## {title}", "", introduction, "", *table(HEAD, rows)])


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return "one of " + ", ".join(code(str(choice)) for choice in arguments)
    if origin in (Union, UnionType):
        return _type(next(argument for argument in arguments if argument is not NoneType))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "one of " + ", ".join(code(choice.value) for choice in annotation)
    return _TYPES.get(annotation, "path" if issubclass(annotation, Path) else annotation.__name__)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default is PydanticUndefined:
        return "computed"
    return _shown(field.default)


def _shown(value: object) -> str:
    match value:
        case None | "" | ():
            return "none"
        case SecretStr():
            return "none" if not value.get_secret_value() else "hidden"
        case bool():
            return code(str(value).lower())
        case Path():
            return code(str(value.relative_to(source.ROOT) if value.is_relative_to(source.ROOT) else value))
        case tuple():
            return ", ".join(_shown(part) for part in value)
        case float():
            return code(f"{value:g}")
        case StrEnum():
            return code(value.value)
        case _:
            return code(str(value))


def _bounds(field: FieldInfo) -> str:
    found = []
    for rule in field.metadata:
        if type(rule) in _BOUNDS:
            attribute, sign = _BOUNDS[type(rule)]
            found.append(f"{sign} {getattr(rule, attribute):,}")
        elif pattern := getattr(rule, "pattern", None):
            found.append(code(str(pattern)))
    return ", ".join(found)
