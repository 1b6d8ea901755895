"""The operations of `openapi.json`, with requests made of it: valid ones, and ones that break one rule each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPENAPI: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "services" / "gateway" / "openapi.json").read_text()
)
UNKNOWN = "no_such_option"
# What the schemas cannot say: the last message of a chat must hold a picture, and a source has an address or is pushed.
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}
WHOLE: dict[str, Any] = {
    "SourceIn": {"url": "rtsp://camera.local/1"},
    "ChatIn": {"model": "vigil-small", "messages": [{"role": "user", "content": [PICTURE]}]},
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A body that breaks one rule, and the field that the refusal must name."""

    field: str
    body: Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, and what the document says of it."""

    method: str
    path: str
    told: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_open(self) -> bool:
        """Whether it needs no key."""
        return not self.told["security"]

    @property
    def is_openai(self) -> bool:
        """Whether clients of OpenAI's API call it, and its errors have that API's shape."""
        return "OpenAI-compatible" in self.told["tags"]

    @property
    def names_session(self) -> bool:
        """Whether it is about one session, named in the path or in a header."""
        return "{session}" in self.path or any(
            parameter["name"] == "x-session-id" for parameter in self.told["parameters"]
        )

    @property
    def queries(self) -> dict[str, Json]:
        """The schemas of its query parameters."""
        return {
            parameter["name"]: parameter["schema"]
            for parameter in self.told["parameters"]
            if parameter["in"] == "query"
        }

    @property
    def body(self) -> Json | None:
        """The schema of its JSON body; None when it has none."""
        content = self.told.get("requestBody", {}).get("content", {})
        schema: Json | None = content.get("application/json", {}).get("schema")
        return schema

    def url(self, **names: str) -> str:
        """The path with these names in it."""
        return self.path.format(**names)

    def valid(self) -> Any:
        """A body that is accepted as far as its form goes; None when it has none."""
        return None if self.body is None else example(self.body)


def operations() -> list[Operation]:
    """Every operation of the API."""
    return [
        Operation(method.upper(), path, {"parameters": [], **told})
        for path, methods in OPENAPI["paths"].items()
        for method, told in methods.items()
    ]


def resolved(schema: Json) -> Json:
    """The schema that a reference means, or the one that is not null of two."""
    if "$ref" in schema:
        return resolved(OPENAPI["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    return resolved(parts[0]) if len(parts) == 1 else schema


def example(schema: Json) -> Any:
    """A value with the required properties alone."""
    found = resolved(schema)
    if found.get("title") in WHOLE:
        return WHOLE[found["title"]]
    if "properties" in found:
        return {name: example(found["properties"][name]) for name in found.get("required", ())}
    if "examples" in found:
        return found["examples"][0]
    return found["enum"][0] if "enum" in found else []


def with_unknown(schema: Json) -> Iterator[Broken]:
    """The example with one option that is not known, in itself and in each group where that is refused."""
    for path, inner in _objects(schema):
        if inner.get("additionalProperties") is False:
            yield Broken(".".join((*path, UNKNOWN)), _put(example(schema), (*path, UNKNOWN), 1, schema))


def with_wrong_types(schema: Json) -> Iterator[Broken]:
    """The example with each of its options in turn of a type that it cannot have."""
    for path, inner in _objects(schema):
        for name, told in inner["properties"].items():
            wrong: Any = 3.5 if resolved(told).get("type") in ("object", "array", "string") else {"not": "it"}
            if "anyOf" not in resolved(told):
                yield Broken(".".join((*path, name)), _put(example(schema), (*path, name), wrong, schema))


def _objects(schema: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Each object in the schema with the way to it; the first item stands for a list's."""
    found = resolved(schema)
    if found.get("type") == "array":
        yield from _objects(found["items"], (*path, "0"))
    if "properties" in found:
        yield path, found
        for name, told in found["properties"].items():
            yield from _objects(told, (*path, name))


def _put(value: Any, path: tuple[str, ...], new: Any, schema: Json) -> Any:
    """A copy of `value` with `new` at the end of the path; what is missing on the way is made as in the example."""
    if not path:
        return new
    name, rest, found = path[0], path[1:], resolved(schema)
    if found.get("type") == "array":
        items = value or [example(found["items"])]
        return [_put(items[0], rest, new, found["items"]), *items[1:]]
    inner = found["properties"].get(name, {})
    return {**value, name: _put(value.get(name, example(inner)) if rest else None, rest, new, inner)}


def wrong_parameters(schema: Json) -> list[Any]:
    """Values that a parameter's schema does not take."""
    (kind,) = [resolved(part) for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    match kind:
        case {"minimum": least, "maximum": most}:
            return [least - 1, most + 1, "many"]
        case {"type": "boolean"} | {"format": "date-time"} | {"pattern": _} | {"enum": _}:
            return ["neither this nor that"]
        case {"maxLength": most}:
            return ["x" * (most + 1)]
        case {"items": items}:
            return ["x" * (items["maxLength"] + 1)]
    raise AssertionError(f"no value is known that {kind} does not take")
