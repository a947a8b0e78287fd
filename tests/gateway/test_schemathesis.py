"""Every route, asked what its document allows and much that it does not: none breaks, and what comes
back is what the document says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dazi.access.accounts import Account
from dazi.core.language import Text
from dazi.gateway.openapi import document
from dazi.gateway.routes import ROUTES
from tests.gateway.conftest import Threaded, threaded

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(document(ROUTES, "0"))
ENTRIES = {(s.method, s.path.replace(":path}", "}")): s.entry for s in ROUTES}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> Iterator[Threaded]:
    data = tmp_path_factory.mktemp("st") / "data"
    with threaded(data, seeded, lambda request: "你好。") as made:
        accounts = made.site.runtime.access.stores.accounts
        for role in ("sysadmin", "secadmin"):
            made.run(accounts.create(Account(role, Text(role, role), frozenset({role}))))
        yield made


def token(served: Threaded, user: str) -> str:
    """Of a new session: an earlier request may have ended the last one."""
    sessions = served.site.runtime.access.sessions
    return served.run(sessions.begin(("default", user), "api", "127.0.0.1")).token


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_route_breaks(case: Any, served: Threaded) -> None:
    entry = ENTRIES[case.operation.method.upper(), case.operation.path]
    user = "secadmin" if "role" in case.operation.path else "sysadmin"
    key = token(served, user) if entry in ("session", "step") else "dazi-demo-admin"
    response = case.call(
        base_url=served.site.url, headers={"Authorization": f"Bearer {key}"}, timeout=120
    )
    case.validate_response(response, checks=CHECKS)


def test_a_route_that_breaks_is_noticed(served: Threaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(type(served.site.runtime.service), "tools_for", broken)
    case = schema["/v1/dazi/me"]["GET"].Case()
    headers = {"Authorization": "Bearer dazi-demo-admin"}
    response = case.call(base_url=served.site.url, headers=headers)
    with pytest.raises(FailureGroup):
        case.validate_response(response, checks=CHECKS)
