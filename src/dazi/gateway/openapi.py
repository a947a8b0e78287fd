"""The OpenAPI document, made from the same list that the routes are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from dazi.gateway.errors import ProblemBody

if TYPE_CHECKING:
    from dazi.gateway.door import Entry
    from dazi.gateway.route_spec import RouteSpec

_REF = "#/components/schemas/{name}"
_KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"key": []}]
_SESSION: list[dict[str, list[str]]] = [{"session": []}]
_SECURITY: dict[Entry, list[dict[str, list[str]]]] = {
    "public": [],
    "key": _KEYS,
    "session": _SESSION,
    "step": _SESSION,
    "visitor": [{"visitor": []}],
}
_MEANINGS = {
    400: "请求有误 / the request is wrong",
    401: "缺少密钥或密钥不对 / no key, or not a known one",
    403: "没有权限 / not allowed",
    404: "不存在,或不属于调用者 / not there, or not the caller's",
    409: "这个会话正在回答上一条 / the thread is still being answered",
    413: "请求体过大 / the body is too large",
    429: "到了限额,见 Retry-After / a limit is reached, see Retry-After",
    503: "繁忙或不可用,见 Retry-After / busy or unavailable, see Retry-After",
}


def document(specs: Sequence[RouteSpec], version: str) -> dict[str, Any]:
    types = {t for s in specs for t in (s.body, s.answer) if t is not None} | {ProblemBody}
    ordered = sorted(types, key=lambda t: t.__name__)
    shapes, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    schema = dict(zip(ordered, shapes, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for spec in specs:
        path = spec.path.replace(":path}", "}")
        paths.setdefault(path, {})[spec.method.lower()] = _operation(spec, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dazi", "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "POST /v1/dazi/sign-in 给出的令牌 / the token that it gives",
                },
                "visitor": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "POST /v1/widget/{site}/begin 给出的令牌 / the token that it gives",
                },
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(spec: RouteSpec, schema: dict[type, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {}
    if spec.answer is not None:
        good["application/json"] = {"schema": schema[spec.answer]}
    if spec.streams:
        good["text/event-stream"] = {"schema": {"type": "string"}}
    for kind in spec.files:
        good[kind] = {"schema": {} if kind == "application/json" else {"type": "string"}}
    responses: dict[str, Any] = {str(spec.success): {"description": "OK", "content": good}}
    problem = {"application/json": {"schema": schema[ProblemBody]}}
    for status in spec.statuses:
        meaning = _MEANINGS[status]
        responses[str(status)] = {"description": meaning, "content": problem}
    operation: dict[str, Any] = {
        "operationId": spec.handler.__name__,
        "summary": spec.summary,
        "responses": responses,
        "security": _SECURITY[spec.entry],
    }
    names = [part[1:-1].split(":")[0] for part in spec.path.split("/") if part.startswith("{")]
    parameters = [
        {"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names
    ]
    parameters += [
        {
            "name": n,
            "in": "header",
            "required": False,
            "description": d,
            "schema": {"type": "string"},
        }
        for n, d in spec.headers.items()
    ]
    parameters += [
        {"name": n, "in": "query", "required": n in spec.needs, "schema": dict(schema)}
        for n, schema in spec.query.items()
    ]
    if parameters:
        operation["parameters"] = parameters
    if spec.takes_file:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": content}
    if spec.body is not None:
        content = {"application/json": {"schema": schema[spec.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
