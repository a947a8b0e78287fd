"""``search_knowledge`` over the demo company's 73 documents, as they are made and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dazi.connectors.knowledge import KnowledgeConnector
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.principal import Principal
from dazi.core.tools import Parameter
from dazi.main.documents import Documents
from dazi.main.door import Door
from tests.connectors.systems import CUSTOMER, STAFF, TOOLS, Company, invocation

TOOL = TOOLS["search_knowledge"]


async def asked(
    company: Company, query: str, who: Principal = STAFF, **more: Any
) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = await company.run(
            invocation(TOOL, {"query": query}, who, **more)
        )
    except ConnectorError as e:
        assert e.code == "not_found"
        return None
    return found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("出差住宿标准", "每晚500元"),
        ("hotel limit for business trips", "CNY 500 a night"),
        ("七天无理由退货", "七天内可以无理由退货"),
        ("return policy", "within seven days"),
        ("手机保修期限", "12个月"),
        ("how long is the warranty on phones", "12 months"),
        ("年假能不能跨年结转", "次年3月31日"),
        ("VPN怎么连", "vpn.yunshan.example"),
        ("reset my password", "Forgot password"),
        ("发货时效", "48小时"),
        ("报销截止日期", "次月10日"),
        ("收到钓鱼邮件怎么办", "转发给"),
        ("会议室要提前预订吗", "14天"),
    ],
)
async def test_documents_are_quoted(
    company: Company, company_documents: Documents, query: str, words: str
) -> None:
    found = await asked(company, query)
    assert found is not None and words in found["quote"]
    cited = found["cited"]
    assert found["quote"] in cited["text"] and found["source"] == cited["source"]
    who = replace(STAFF, channel="test")
    document = await company_documents.library.document(cited["document"], who)
    assert cited["source"].startswith(document.place)


@pytest.mark.parametrize("query", ["火星移民补贴", "?", "的的的", "量子 🦄", "公司股票代码是多少"])
async def test_what_no_document_says_is_not_found(
    company: Company, company_documents: Documents, query: str
) -> None:
    assert await asked(company, query) is None


async def test_what_was_looked_at_is_told(company: Company, company_documents: Documents) -> None:
    with pytest.raises(ConnectorError, match="Looked at: ") as told:
        await company.run(invocation(TOOL, {"query": "火星移民补贴"}))
    assert "《" in told.value.message("zh")
    company_documents.extractive = False  # a model that words answers itself may see what is near
    found = await company.run(invocation(TOOL, {"query": "火星移民补贴"}))
    assert found["passages"] and "quote" not in found


async def test_documents_have_readers(company: Company, company_documents: Documents) -> None:
    for query in ("合同审批流程", "contracts over 100k"):
        for role, seen in (
            ("manager", True), ("finance", True), ("staff", False), ("customer", False),
        ):  # fmt: skip
            found = await asked(company, query, Principal(role, frozenset({role})))
            sources = [p["source"] for p in found["passages"]] if found else []
            assert any(s.startswith("contracts.") for s in sources) is seen
    assert await asked(company, "出差住宿标准", CUSTOMER) is None
    assert await asked(company, "退货政策", CUSTOMER)


async def test_a_question_leans_on_the_one_before(
    company: Company, company_documents: Documents
) -> None:
    alone = await asked(company, "那其他城市呢?")
    leaning = await asked(
        company, "那其他城市呢?", heard=("那其他城市呢?", "一线城市的出差住宿标准是多少")
    )
    assert alone is None or "350" not in alone["quote"]
    assert leaning is not None and "350元" in leaning["quote"]


async def test_pages_are_told(company: Company, company_documents: Documents) -> None:
    found = await asked(company, "书面警告的有效期是多久")
    assert found is not None and found["cited"]["page"] > 0
    assert found["source"] == f"employee-handbook.pdf 第 {found['cited']['page']} 页"
    found = await asked(company, "how long is a written warning valid")
    assert found is not None and ", p. " in found["source"]


def test_the_declaration_is_checked() -> None:
    connector = KnowledgeConnector(Door())
    connector.check(TOOL)
    more = Parameter("limit", "integer", TOOL.description)
    wrong = (
        replace(TOOL, parameters=(*TOOL.parameters, more)),
        replace(TOOL, effect="write"),
        replace(TOOL, origin="tool"),
    )
    for tool in wrong:
        with pytest.raises(ConfigError):
            connector.check(tool)


async def test_a_closed_door_says_so() -> None:
    with pytest.raises(ConnectorError) as told:
        await KnowledgeConnector(Door()).execute(invocation(TOOL, {"query": "退货"}))
    assert told.value.code == "unavailable"
