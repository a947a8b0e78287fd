"""Operations of an OpenAPI 3 document: what a request to a service is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from dazi.core.errors import ConfigError

METHODS = ("get", "put", "post", "delete", "patch")
IDEMPOTENCY_HEADER = "Idempotency-Key"
_PLACE = re.compile(r"\{([^{}]+)\}")


class UnsafeValueError(ValueError):
    """A path argument that would reach another path."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: which argument goes where."""

    id: str
    method: str
    path: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    in_body: frozenset[str]
    required: frozenset[str]

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def names(self) -> frozenset[str]:
        return self.in_path | self.in_query | self.in_body

    def target(self, values: Mapping[str, Any]) -> str:
        """Path and query for ``values``. Raises ``UnsafeValueError``."""
        path = _PLACE.sub(lambda place: _segment(values.get(place[1])), self.path)
        query = [
            (name, _text(item))
            for name in sorted(self.in_query & values.keys())
            for item in _items(values[name])
        ]
        return f"{path}?{urlencode(query)}" if query else path

    def body(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The JSON body for ``values``; ``None`` where the operation takes none."""
        if not self.in_body:
            return None
        return {name: values[name] for name in sorted(self.in_body & values.keys())}


def _segment(value: Any) -> str:
    """``value`` as one segment of a path, whatever decodes it on the other side."""
    text = "" if value is None else _text(value)
    if not text or text == "." or ".." in text or any(c in "/\\%" or c < " " for c in text):
        raise UnsafeValueError(text)
    return quote(text, safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def read_operations(path: Path) -> dict[str, Operation]:
    """The operations of the JSON document at ``path``, by id. Raises ``ConfigError``."""
    try:
        document = json.loads(path.read_text("utf-8"))
        found = list(_operations(document))
    except OSError as error:
        zh, en = "读不到 OpenAPI 文件", "the OpenAPI document cannot be read"
        raise ConfigError(path, None, zh, en) from error
    except json.JSONDecodeError as error:
        zh, en = f"不是有效的 JSON:{error.msg}", f"not valid JSON: {error.msg}"
        raise ConfigError(path, error.lineno, zh, en) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        zh, en = "不是有效的 OpenAPI 3 文档", f"not a valid OpenAPI 3 document ({error!r})"
        raise ConfigError(path, None, zh, en) from error
    by_id = {operation.id: operation for operation in found}
    if len(by_id) < len(found):
        raise ConfigError(path, None, "operationId 有重复", "an operationId occurs twice")
    for operation in found:
        if set(_PLACE.findall(operation.path)) != operation.in_path:
            zh = f"{operation.id} 的路径参数与 {operation.path} 不一致"
            en = f"the path parameters of {operation.id} are not those of {operation.path}"
            raise ConfigError(path, None, zh, en)
    return by_id


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and "operationId" in item[method]:
                shared = item.get("parameters", [])
                yield operation_of(document, method, path, shared, item[method])


def operation_of(
    document: Mapping[str, Any], method: str, path: str, shared: list[Any], entry: Mapping[str, Any]
) -> Operation:
    """Raises ``KeyError`` and the like for an entry that is not as it should be."""
    parameters = [resolve(document, p) for p in (*shared, *entry.get("parameters", []))]
    places: dict[str, set[str]] = {"path": set(), "query": set(), "header": set(), "cookie": set()}
    required = set()
    for parameter in parameters:
        name = str(parameter["name"])
        if parameter["in"] == "header" and name.lower() == IDEMPOTENCY_HEADER.lower():
            continue
        places[parameter["in"]].add(name)
        if parameter.get("required"):
            required.add(name)
    content = resolve(document, entry.get("requestBody", {})).get("content", {})
    schema = resolve(document, content.get("application/json", {}).get("schema", {}))
    return Operation(
        id=str(entry["operationId"]),
        method=method.upper(),
        path=str(path),
        in_path=frozenset(places["path"]),
        in_query=frozenset(places["query"]),
        in_body=frozenset(schema.get("properties", {})),
        required=frozenset(required | set(schema.get("required", []))),
    )


def resolve(document: Mapping[str, Any], entry: Any, depth: int = 8) -> Any:
    """Follow local ``$ref``s; others are not supported (``KeyError``)."""
    if not isinstance(entry, Mapping) or "$ref" not in entry:
        return entry
    reference = str(entry["$ref"])
    if depth == 0 or not reference.startswith("#/"):
        raise KeyError(reference)
    node: Any = document
    for part in reference[2:].split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return resolve(document, node, depth - 1)
