"""From OpenAPI documents to declared tools: what is guessed, what is skipped, what is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from dazi.connectors.drafts import tool_name
from dazi.connectors.openapi_import import imported, parse
from dazi.core.errors import CallerError, OperatorError
from dazi.main import importing
from dazi.main.company import load_company
from dazi.main.importing import ImportRequest, import_openapi
from dazi.main.initialise import initialise
from tests.connectors.systems import FOLDER
from tests.main.test_commands import dazi

ERP = FOLDER / "services" / "erp.openapi.json"


def document(**paths: Any) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop"},
        "paths": {f"/{name}": item for name, item in paths.items()},
        "components": {"schemas": {"Name": {"type": "string", "maxLength": 40}}},
    }


def operation(number: str, method: str = "get", **entry: Any) -> dict[str, Any]:
    return {method: {"operationId": number, **entry}}


def query(name: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "schema": schema,
        "required": schema.pop("required", False),
    }


def body(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"content": {"application/json": {"schema": schema}}}


def tools(*operations: dict[str, Any]) -> dict[str, dict[str, Any]]:
    made = imported(document(**{f"p{i}": o for i, o in enumerate(operations)}), (), ("staff",))
    return made.tools


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("getOrderById", "get_order_by_id"),
        ("HTTPStatus-list", "http_status_list"),
        ("2fa", "op_2fa"),
        ("查询", "op_"),
        ("a" * 100, "a" * 60),
    ],
)
def test_names(number: str, name: str) -> None:
    assert tool_name(number).startswith(name)


@pytest.mark.parametrize(
    ("number", "method", "summary", "effect"),
    [
        ("listOrders", "get", "", "read"),
        ("addNote", "post", "", "write"),
        ("putNote", "put", "", "write"),
        ("dropNote", "delete", "", "sensitive"),
        ("payBill", "post", "", "sensitive"),
        ("act", "post", "发送短信", "sensitive"),
        ("refundStatus", "get", "", "read"),
    ],
)
def test_the_risk_is_guessed_on_the_safe_side(
    number: str, method: str, summary: str, effect: str
) -> None:
    (made,) = tools(operation(number, method, summary=summary)).values()
    assert made["effect"] == effect and made["roles"] == ["staff"]


def test_parameters() -> None:
    (made,) = tools(
        operation(
            "find",
            parameters=[
                query("order_id", type="string", required=True),
                query("day", type="string", format="date"),
                query("quarter", type="string", pattern="^[0-9]{4}-Q[1-4]$"),
                query("state", type="string", enum=["a", "b"]),
                query("top", type=["integer", "null"], minimum=1),
                query("kinds", type="array", items={"type": "string", "enum": ["x", "y"]}),
                query("code", type="string", pattern="^C[0-9]+$", description="the code\nmore"),
                {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
            ],
            requestBody=body(
                {"amount": {"type": "number"}, "who": {"$ref": "#/components/schemas/Name"}}
            ),
        )
    ).values()
    p = made["parameters"]
    assert p["order_id"] == {
        "type": "string", "description": "order_id", "required": True, "grounded": True
    }  # fmt: skip
    assert (p["day"]["format"], p["quarter"]["format"], p["amount"]["format"]) == (
        "date", "quarter", "money"
    )  # fmt: skip
    assert p["state"]["enum"] == ["a", "b"] and p["kinds"]["items"] == ["x", "y"]
    assert (p["top"]["type"], p["top"]["minimum"]) == ("integer", 1)
    assert p["code"] == {
        "type": "string", "description": "the code", "pattern": "^C[0-9]+$", "grounded": True
    }  # fmt: skip
    assert p["who"]["max_length"] == 40 and "X-Trace" not in p


def test_what_cannot_become_a_tool_is_skipped_with_its_reason() -> None:
    made = imported(
        document(
            a=operation("wantsHeader", parameters=[
                {"name": "X-Key", "in": "header", "required": True, "schema": {"type": "string"}}]),
            b=operation("upload", "post", requestBody={"content": {"multipart/form-data": {}}}),
            c=operation("nested", "post", requestBody=body({"o": {"type": "object"}}, "o")),
            d=operation("free", parameters=[query("l", type="array", items={"type": "string"})]),
            e=operation("broken", parameters=[{"$ref": "#/nowhere"}]),
            f=operation("fine", "post", requestBody=body({"o": {"type": "object"}})),
        ),
        (), ("staff",),
    )  # fmt: skip
    assert set(made.skipped) == {"wantsHeader", "upload", "nested", "free", "broken"}
    assert "X-Key" in made.skipped["wantsHeader"].en and made.tools["fine"]["parameters"] == {}


def test_results() -> None:
    record = {"type": "object", "properties": {"id": {"type": "string"}, "in": {"type": "object"}}}

    def answering(schema: Any) -> dict[str, Any]:
        good = {"200": {"content": {"application/json": {"schema": schema}}}}
        return operation("o", responses={**good, "404": {}})

    def result(schema: Any) -> Any:
        return next(iter(tools(answering(schema)).values()))["result"]

    assert result(record) == {"shape": "one", "shown": ["id"]}
    listed = {"type": "array", "items": record}
    assert result(listed)["shape"] == "many" and result(listed)["shown"] == ["id"]
    whole = {"type": "object", "properties": {"n": {"type": "integer"}, "orders": listed}}
    assert result(whole)["rows"] == "orders"
    assert result({"type": "string"}) == {"shape": "value"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"openapi": "2.0", "paths": {}}', "a: [", '{"swagger": "2.0"}']
)
def test_what_is_no_openapi_3_document(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    initialise(tmp_path / "c", "en")
    settings = tmp_path / "c" / "dazi.toml"
    settings.write_text(
        settings.read_text("utf-8") + '\n[services]\nerp = "http://127.0.0.1:9/erp"\n', "utf-8"
    )
    return tmp_path / "c"


def request(source: str, *only: str, **more: Any) -> ImportRequest:
    return ImportRequest(source, "erp", only, ("staff",), **more)


def test_an_imported_company_passes_its_check(folder: Path) -> None:
    told = import_openapi(folder, request(str(ERP)), "en")
    assert told[0].startswith("get_inventory  [read]") and "no mistakes found" in told[-1]
    company = load_company(folder)
    refund = company.tools["request_refund"]
    assert (refund.effect, refund.roles) == ("sensitive", {"staff"})
    amount = refund.parameter("amount")
    assert amount is not None and amount.format == "money" and amount.grounded


def test_only_what_was_chosen_and_nothing_written_over(folder: Path) -> None:
    import_openapi(folder, request(str(ERP), "getInventory"), "en")
    made = folder / "tools" / "erp.yaml"
    assert set(yaml.safe_load(made.read_text("utf-8"))["tools"]) == {"get_inventory"}
    before = made.read_text("utf-8")
    with pytest.raises(CallerError, match="--replace"):
        import_openapi(folder, request(str(ERP)), "en")
    assert made.read_text("utf-8") == before
    import_openapi(folder, request(str(ERP), replace=True), "en")
    assert made.read_text("utf-8") != before
    with pytest.raises(CallerError, match="getNothing"):
        import_openapi(folder, request(str(ERP), "getNothing", replace=True), "en")


def test_the_command_wants_a_company_and_says_what_is_missing(tmp_path: Path) -> None:
    refused = dazi("tool", "import", "openapi", str(ERP), "--service", "erp", "--role", "staff",
                   DAZI_LANG="en")  # fmt: skip
    assert refused.returncode == 2 and "--company" in refused.stderr
    made = str(tmp_path / "c")
    dazi("init", made)
    done = dazi("tool", "import", "openapi", str(ERP), "--service", "erp", "--role", "staff",
                "--company", made, DAZI_LANG="en")  # fmt: skip
    assert done.returncode == 0 and "[services] has no erp" in done.stdout
    gone = dazi("tool", "import", "openapi", "none.json", "--service", "x", "--role", "staff",
                "--company", made, DAZI_LANG="en")  # fmt: skip
    assert gone.returncode == 2 and "none.json" in gone.stderr


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()

    async def whole(_: web.Request) -> web.Response:
        return web.Response(text=yaml.safe_dump(json.loads(ERP.read_text("utf-8"))))

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/openapi.yaml")

    async def endless(_: web.Request) -> web.Response:
        return web.Response(body=b" " * (importing.MAX_DOCUMENT + 1))

    app.router.add_get("/openapi.yaml", whole)
    app.router.add_get("/moved", elsewhere)
    app.router.add_get("/endless", endless)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    yield server
    await server.close()


async def test_documents_from_a_server(server: TestServer) -> None:
    assert "requestRefund" in await importing.fetched(str(server.make_url("/openapi.yaml")))
    with pytest.raises(CallerError, match="not one of the systems"):
        await importing.fetched(str(server.make_url("/moved")))
    with pytest.raises(CallerError, match="larger"):
        await importing.fetched(str(server.make_url("/endless")))
    with pytest.raises(CallerError, match="404"):
        await importing.fetched(str(server.make_url("/none")))
    for url in ("http://169.254.169.254/latest", "http://[::ffff:169.254.169.254]/", "http://a@b/"):
        with pytest.raises((CallerError, OperatorError)):
            await importing.fetched(url)


def test_two_operations_of_one_name_both_stay_and_the_limit_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert set(tools(operation("getOne"), operation("get_one"))) == {"get_one", "get_one_2"}
    monkeypatch.setattr("dazi.connectors.openapi_import.MAX_OPERATIONS", 1)
    made = imported(document(a=operation("a1"), b=operation("b1")), (), ("staff",))
    assert set(made.tools) == {"a1"} and "--only" in made.skipped["b1"].en
    assert set(imported(document(a=operation("a1"), b=operation("b1")), ("b1",), ()).tools) == {
        "b1"
    }


@pytest.mark.parametrize("name", ["../x", "a/b", "", "A", "a b"])
def test_files_have_plain_names(folder: Path, name: str) -> None:
    with pytest.raises(CallerError):
        import_openapi(folder, ImportRequest(str(ERP), name, (), ("staff",)), "en")


def nested(depth: int) -> Iterator[Any]:
    yield {"a": {"b": [{"c": depth}]}}


def test_an_answer_is_trimmed_to_the_declared_path() -> None:
    from dazi.connectors.http import _at

    (value,) = nested(7)
    assert _at(value, "a.b.0") == {"c": 7} and _at(value, "") == value
    for path in ("a.x", "a.b.4", "a.b.c", "a.b.0.c.d"):
        with pytest.raises((LookupError, TypeError, ValueError)):
            _at(value, path)
