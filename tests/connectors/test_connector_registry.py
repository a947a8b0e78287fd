"""Connectors by kind, and every tool of the demo company fitting its own."""

from __future__ import annotations

from typing import Any

import pytest

from dazi.connectors import registry
from dazi.core.errors import ConfigError
from tests.connectors.systems import TOOLS, Company


async def test_every_declared_tool_fits_its_connector(company: Company) -> None:
    for tool in TOOLS.values():
        company.connector(tool).check(tool)
    assert registry.kinds() == ("http", "knowledge", "mcp", "python", "smtp", "sql")


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("sql", lambda config, context: None)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("kind", "config", "words"),
    [
        ("soap", {}, "no connector kind soap"),
        ("sql", {}, "lacks database"),
        ("sql", {"database": 5}, "lacks database"),
        ("sql", {"database": "crm", "databse": "x"}, "does not know databse"),
        ("sql", {"database": "nope"}, r"\[databases\] has no nope"),
        ("http", {"service": "nope", "openapi": "x"}, r"\[services\] has no nope"),
        ("http", {"service": "erp", "openapi": "no.json"}, "cannot be read"),
        ("python", {"module": "no.py"}, "no such Python file"),
    ],
)
def test_wrong_entries_say_what_is_wrong(
    company: Company, kind: str, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        registry.make_connector(kind, {"kind": kind, **config}, company.context)
