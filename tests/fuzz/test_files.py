"""What operators bring in from files: a company's folder, imports, exports, keys, backups."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import mcp.types as wire
import pytest
import yaml
from hypothesis import given

from dazi.audit.anchors import read_checkpoints
from dazi.audit.export import verify_file
from dazi.audit.signing import SigningKeys, Trust
from dazi.connectors import mcp_import, openapi_import
from dazi.connectors.openapi import UnsafeValueError, read_operations
from dazi.core.errors import CallerError, ConfigError
from dazi.guard.words import read_words
from dazi.main.company import load_company, load_settings
from dazi.main.settings import demo_folder
from dazi.ops.backup.entries import entries
from dazi.ops.backup.keyfile import read_keys
from dazi.ops.backup.sealed import SealedReader, read_header
from dazi.router.declare import load_tools
from dazi.router.yaml_source import YamlSource
from tests.fuzz.inputs import bent_bytes, bent_data, bent_text, deep, fuzzed
from tests.ops.test_sealed import SEALED, known

DEMO = demo_folder()
TOOLS = (DEMO / "tools" / "crm.yaml").read_text("utf-8")
ROLES = (DEMO / "roles.yaml").read_text("utf-8")
SETTINGS = (DEMO / "dazi.toml").read_text("utf-8")
OTHER_YAML = (
    "a: &x {b: 2025-01-02, c: [1, 0x1f, 1e3, ~, yes]}\nd: *x\ne: !!set {f}\n<<: *x\n",
    "? [1, 2]\n: |\n  text\n  more\n'q': !!binary aGk=\nt: 2025-04-03 10:00:00\nn: 1:30\n",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("company")
    (made / "tools").mkdir()
    (made / "words").mkdir()
    return made


def only_config_errors(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ConfigError as e:
        assert e.text.zh and e.text.en
        return None


@fuzzed
@given(bent_bytes(*(t.encode() for t in (TOOLS[:1500], *OTHER_YAML))))
def test_yaml_of_any_bytes(folder: Path, data: bytes) -> None:
    path = folder / "x.yaml"
    path.write_bytes(data)
    source = only_config_errors(lambda: YamlSource(path))
    if source is not None:
        lines = data.count(b"\n") + data.count(b"\r") + 1
        for path_in in ((), ("a",), ("d", "c", 1), ("tools", "x", 9)):
            line = source.line(path_in)
            assert line is None or 1 <= line <= lines + 1


@fuzzed
@given(bent_data(yaml.safe_load(TOOLS)))
def test_declarations_of_any_form(folder: Path, data: Any) -> None:
    (folder / "tools" / "crm.yaml").write_text(yaml.safe_dump(data), "utf-8")
    tools = only_config_errors(lambda: load_tools(folder))
    for name, tool in (tools[0] if tools else {}).items():
        assert tool.name == name and json.dumps(tool.schema("zh"))


@fuzzed
@given(bent_data(yaml.safe_load(ROLES)), bent_text(SETTINGS))
def test_companies_of_any_form(folder: Path, roles: Any, settings: str) -> None:
    (folder / "tools" / "crm.yaml").write_text(TOOLS, "utf-8")
    (folder / "dazi.toml").write_text(SETTINGS, "utf-8")
    (folder / "roles.yaml").write_text(yaml.safe_dump(roles), "utf-8")
    only_config_errors(lambda: load_company(folder))
    (folder / "roles.yaml").write_text(ROLES, "utf-8")
    (folder / "dazi.toml").write_bytes(settings.encode("utf-8", "surrogatepass"))
    only_config_errors(lambda: load_company(folder))


@pytest.mark.parametrize("text", [b"\xff", f"a = {deep('[', ']')}".encode(), b"a = 1979-13-45"])
def test_settings_that_no_parser_likes(folder: Path, text: bytes) -> None:
    (folder / "dazi.toml").write_bytes(text)
    with pytest.raises(ConfigError):
        load_settings(folder)


@fuzzed
@given(bent_bytes("[high]\n敏感词\n# x\nProject X\n[low]\nab\n".encode()))
def test_word_lists(folder: Path, data: bytes) -> None:
    (folder / "words" / "a.txt").write_bytes(data)
    words = only_config_errors(lambda: read_words(folder))
    assert words is None or all(w == w.strip() for w in words)


# --- imports --------------------------------------------------------------------------------------

DOCUMENT: Any = {
    "openapi": "3.1.0",
    "info": {"title": "Shop"},
    "components": {
        "schemas": {
            "Id": {"type": "string", "pattern": "^O[0-9]+$"},
            "Order": {"type": "object", "properties": {"id": {"$ref": "#/components/schemas/Id"}}},
        }
    },
    "paths": {
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/Id"}}],
            "get": {
                "operationId": "getOrder",
                "summary": "查订单",
                "parameters": [{"name": "full", "in": "query", "schema": {"type": "boolean"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
            },
            "post": {
                "operationId": "refundOrder",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["amount"],
                                "properties": {
                                    "amount": {"type": "number", "minimum": 1},
                                    "kind": {"type": "string", "enum": ["a"]},
                                    "tags": {"type": "array", "items": {"enum": ["x"]}},
                                },
                            }
                        }
                    }
                },
                "responses": {"201": {"description": "ok"}},
            },
        }
    },
}  # fmt: skip


@fuzzed
@given(bent_data(DOCUMENT))
def test_openapi_documents_of_any_form(folder: Path, document: Any) -> None:
    text = json.dumps(document)
    (folder / "openapi.json").write_text(text, "utf-8")
    for operation in (
        only_config_errors(lambda: read_operations(folder / "openapi.json")) or {}
    ).values():
        try:
            target = operation.target(dict.fromkeys(operation.names, "a?b=c"))
        except UnsafeValueError:
            continue
        assert "?b" not in target
    try:
        made = openapi_import.imported(openapi_import.parse(text), [], ["staff"])
    except ValueError:
        return
    assert all(tool["effect"] in ("read", "write", "sensitive") for tool in made.tools.values())
    yaml.safe_dump(made.tools)


@fuzzed
@given(bent_text(json.dumps(DOCUMENT), yaml.safe_dump(DOCUMENT), *OTHER_YAML))
def test_openapi_texts(text: str) -> None:
    try:
        openapi_import.parse(text)
    except ValueError as e:
        assert "\n" not in str(e)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}, *{chr(97 + i)}]\n"
    for i in range(20)
)


@pytest.mark.parametrize(
    "text",
    [
        deep("[", "]"),
        deep('{"a":', "}", "1"),
        deep("- ", ""),
        f"openapi: 3\npaths: {{}}\n{BOMB}",
        "openapi: 3\npaths: &a {x: *a}\n",
    ],
    ids=["list", "object", "yaml", "aliases", "itself"],
)  # fmt: skip
def test_documents_that_grow_as_they_are_read(text: str) -> None:
    with pytest.raises(ValueError):
        openapi_import.parse(text)


def test_numbers_longer_than_python_reads(folder: Path) -> None:
    path = folder / "openapi.json"
    path.write_text('{"paths": ' + "9" * 5000 + "}")
    with pytest.raises(ConfigError):
        read_operations(path)


SCHEMA = DOCUMENT["paths"]["/orders/{id}"]["post"]["requestBody"]["content"]["application/json"]["schema"]  # fmt: skip


@fuzzed
@given(bent_data(SCHEMA), bent_text("send_mail"), bent_text("Sends a mail", " \n "))
def test_mcp_tools_of_any_form(schema: Any, name: str, said: str) -> None:
    if not isinstance(schema, dict):
        return
    tool = wire.Tool(name=name, description=said, input_schema=schema)
    made = mcp_import.imported("desk", [tool], [], ["staff"])
    assert len(made.tools) + len(made.skipped) == 1


# --- records, keys, backups -----------------------------------------------------------------------

LINE = {
    "seq": 1, "at": 1.5, "kind": "call", "user": "u", "turn": "t", "body": '{"commitment": "x"}',
    "previous": "0" * 64, "hash": "1" * 64, "salt": "c2FsdA==", "content": {"a": 1},
}  # fmt: skip
END = {"count": 1, "digest": "x", "whole": True, "key": "k", "at": 1.0, "signature": "c2ln"}
POINT = {"seq": 3, "at": 1.5, "hash": "1" * 64, "key": "k", "signature": "c2ln"}


@fuzzed
@given(bent_data(LINE), bent_data(END), bent_bytes(json.dumps(LINE).encode() + b"\n"))
def test_exports_of_any_form(folder: Path, line: Any, end: Any, data: bytes) -> None:
    path = folder / "export.jsonl"
    for content in (f"{json.dumps(line)}\n{json.dumps(end)}\n".encode(), data):
        path.write_bytes(content)
        checked = only_config_errors(lambda: verify_file(path, Trust([])))
        assert checked is None or checked.bad is not None


@pytest.mark.parametrize("inside", ["content", "x", "body"])
def test_exports_nested_too_deeply(folder: Path, inside: str) -> None:
    nested = deep("[", "]")
    line = dict(LINE)
    text = json.dumps(line | {"body": nested}) if inside == "body" else None
    path = folder / "export.jsonl"
    path.write_text(text or f'{{"{inside}": {nested}, {json.dumps(line)[1:]}')
    checked = only_config_errors(lambda: verify_file(path, Trust([])))
    assert checked is None or checked.bad is not None


@fuzzed
@given(bent_bytes(json.dumps(POINT).encode(), f'{{"x": {"[" * 2000}'.encode()))
def test_checkpoints(folder: Path, data: bytes) -> None:
    path = folder / "head.json"
    path.write_bytes(data)
    only_config_errors(lambda: read_checkpoints(path))


PUBLIC = (
    b'{"id":"2b394ca254710320","public":"7eR664C5Fm6B/7rgTryEztF5/5NbmHiAwa53npT+Uxk=",'
    b'"at":1795933286.5,"by":"","signature":""}\n'
)
PRIVATE = (
    b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPyDzhQqXmdYLcQE1EVBVnKzrpZ0Yvjx+5I3LnSKpjvd\n"
    b"-----END PRIVATE KEY-----\n"
)


@fuzzed
@given(bent_bytes(PUBLIC + PUBLIC), bent_bytes(PRIVATE))
def test_files_of_signing_keys(folder: Path, public: bytes, private: bytes) -> None:
    (folder / "public.jsonl").write_bytes(public)
    (folder / "signing.key").write_bytes(private)
    keys = SigningKeys(folder)
    only_config_errors(keys.trust)
    only_config_errors(lambda: keys.sign(b"x"))


@fuzzed
@given(bent_bytes(SEALED))
def test_backups_of_any_bytes(data: bytes) -> None:
    if data == SEALED:
        return
    with pytest.raises(CallerError):
        list(entries(SealedReader(BytesIO(data), "right", known)))


@fuzzed
@given(bent_bytes(SEALED[:300]))
def test_files_of_keys_of_any_bytes(folder: Path, data: bytes) -> None:
    path = folder / "x.keys"
    path.write_bytes(data)
    with pytest.raises(CallerError):
        read_keys(path, "right", known)


def test_a_header_nested_too_deeply() -> None:
    magic = SEALED[: SEALED.index(b"{") - 4]
    nested = f'{{"x": {"[" * 60_000}'.encode()
    with pytest.raises(CallerError):
        read_header(BytesIO(magic + len(nested).to_bytes(4, "big") + nested))
