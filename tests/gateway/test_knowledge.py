"""The company's documents over HTTP: read, searched, uploaded, given to others and taken away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dazi.access.keys import Draft, Scope
from dazi.knowledge.service import INCOMING
from tests.gateway.conftest import Answered, Site

BASE = "/v1/dazi/knowledge"
TEXT = "# 蓝莓\n\n蓝莓报销单要在七日内提交,超期的不予受理。\n\n## 附则\n\n本办法由财务部解释。\n".encode()


async def upload(
    site: Site, name: str = "蓝莓.md", data: Any = TEXT, user: str = "admin", **query: Any
) -> Answered:
    params = [("name", name), *(("readers", r) for r in query.get("readers", ()))]
    return await site.request("POST", f"{BASE}/documents", user, data=data, params=params)


async def read(site: Site) -> None:
    assert site.runtime.documents is not None
    await site.runtime.documents.library.index_now()


async def find(site: Site, user: str, query: str, **more: Any) -> Any:
    body = {"query": query} | more
    answered = await site.request("POST", f"{BASE}/search", user, json=body)
    assert answered.status == 200, answered.body
    return answered.json


async def test_what_is_uploaded_is_found_by_its_readers_only(site: Site) -> None:
    made = await upload(site, readers=["role:finance", "user:li"])
    assert made.status == 200
    assert made.json["state"] == "new" and made.json["readers"] == ["role:finance", "user:li"]
    await read(site)
    found = await find(site, "finance", "蓝莓报销单几日内提交")
    assert found["quote"] == "蓝莓报销单要在七日内提交,超期的不予受理。"
    quoted = found["passages"][found["quoted"]]
    assert quoted["title"] == "蓝莓" and found["quote"] in quoted["text"]
    for user in ("staff", "customer", "admin"):
        other = await find(site, user, "蓝莓报销单几日内提交")
        assert "蓝莓" not in str(other)
        number = made.json["id"]
        assert (await site.request("GET", f"{BASE}/documents/{number}", user)).status == 404
    (row,) = [r for r in await site.audit("admin") if r.get("act") == "knowledge_add"]
    assert row["user"] == "admin" and row["what"] == "蓝莓.md"


async def test_a_document_is_read_in_pieces(site: Site) -> None:
    number = (
        await upload(site, data="\n\n".join(f"# 第{n}章\n\n内容 {n}。" for n in range(7)).encode())
    ).json["id"]
    await read(site)
    got: list[str] = []
    at: int | None = 0
    while at is not None:
        path = f"{BASE}/documents/{number}?first={at}&limit=3"
        page = (await site.request("GET", path, "staff")).json
        assert page["document"]["id"] == number and len(page["passages"]) <= 3
        got += [p["text"] for p in page["passages"]]
        at = page["next"]
    assert got == [f"内容 {n}。" for n in range(7)]


async def test_readers_are_changed_and_a_document_goes(site: Site) -> None:
    number = (await upload(site)).json["id"]
    await read(site)
    assert (await find(site, "customer", "蓝莓报销单几日内提交"))["quote"]
    readers = f"{BASE}/documents/{number}/readers"
    body = {"readers": ["role:staff"]}
    assert (await site.request("PUT", readers, "admin", json=body)).json == body
    # The database knows at once, before the index does.
    assert "蓝莓" not in str(await find(site, "customer", "蓝莓报销单几日内提交"))
    await read(site)
    assert (await find(site, "staff", "蓝莓报销单几日内提交"))["quote"]
    wrong = await site.request("PUT", readers, "admin", json={"readers": ["role:none"]})
    assert wrong.status == 400 and "没有角色" in wrong.error["message"]
    again = await site.request("POST", f"{BASE}/documents/{number}/reindex", "admin")
    assert again.json["state"] == "new"
    gone = await site.request("DELETE", f"{BASE}/documents/{number}", "admin")
    assert gone.json == {"removed": 1}
    assert "蓝莓" not in str(await find(site, "staff", "蓝莓报销单几日内提交"))
    assert (await site.request("DELETE", f"{BASE}/documents/{number}", "admin")).status == 404


async def test_a_url_is_a_source_and_says_why_it_cannot_be_read(site: Site) -> None:
    body = {"url": "http://127.0.0.1:1/rules", "readers": ["role:staff"]}
    made = (await site.request("POST", f"{BASE}/sources", "admin", json=body)).json
    assert made["kind"] == "url" and made["readers"] == ["role:staff"] and not made["declared"]

    async def error() -> str:
        found = (await site.request("GET", f"{BASE}/sources", "admin")).json["data"]
        return str(next(s for s in found if s["id"] == made["id"])["error"])

    for _ in range(200):
        if await error():
            break
        await asyncio.sleep(0.05)
    assert "127.0.0.1" in await error()
    path = f"{BASE}/sources/{made['id']}"
    assert (await site.request("DELETE", path, "admin")).json == {"removed": 0}
    assert (await site.request("DELETE", path, "admin")).status == 404
    for url in ("file:///etc/passwd", "/etc/passwd", "ftp://x/y", "http://" + "a" * 3000):
        wrong = await site.request("POST", f"{BASE}/sources", "admin", json={"url": url})
        assert wrong.status == 400, url


async def test_a_declared_source_stays(site: Site) -> None:
    found = (await site.request("GET", f"{BASE}/sources", "admin")).json["data"]
    declared = next(s for s in found if s["declared"])
    assert declared["documents"] > 70
    refused = await site.request("DELETE", f"{BASE}/sources/{declared['id']}", "admin")
    assert refused.status == 400 and refused.error["code"] == "declared"


async def test_a_manager_sees_all_with_errors_and_readers(site: Site) -> None:
    await upload(site, "坏的.pdf", b"%PDF-1.7 broken")
    await read(site)
    every = (await site.request("GET", f"{BASE}/documents?all=true", "admin")).json["data"]
    (broken,) = [d for d in every if d["place"] == "坏的.pdf"]
    assert broken["state"] == "failed" and broken["error"] and broken["readers"] == ["all"]
    own = (await site.request("GET", f"{BASE}/documents", "customer")).json["data"]
    assert 0 < len(own) < len(every) and not any("readers" in d for d in own)


class Slow:
    """A body whose end does not come by itself."""

    def __init__(self, size: int, pause_s: float = 0.0) -> None:
        self.size, self.pause_s = size, pause_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.size // 65_536):
            yield b"x" * 65_536
            await asyncio.sleep(self.pause_s)


async def test_an_upload_has_a_limit_of_its_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.runtime.documents is not None and site.runtime.documents.people is not None
    people = site.runtime.documents.people
    incoming = people.library.files / INCOMING
    large = await upload(site, "large.txt", b"x" * (site.limits.max_body_bytes + 70_000))
    assert large.status == 200, "the limit of other bodies is not its limit"
    monkeypatch.setattr(people, "largest_upload", 300_000)
    for data in (b"x" * 300_001, aiter(Slow(1_000_000))):
        refused = await upload(site, "larger.txt", data)
        assert refused.status == 413 and "300000" in refused.error["message"]
    assert list(incoming.iterdir()) == []


async def test_an_upload_that_stops_coming_is_given_up(site: Site) -> None:
    assert site.runtime.documents is not None
    late = await upload(
        site, "late.txt", aiter(Slow(65_536 * 2, pause_s=site.limits.body_seconds + 1))
    )
    assert late.status == 408
    incoming = site.runtime.documents.library.files / INCOMING
    assert list(incoming.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", ".hidden.md", "x.exe", "x.doc", "x" * 300])
async def test_a_name_is_checked(site: Site, name: str) -> None:
    refused = await upload(site, name)
    assert refused.status == 400 and refused.error["message"]


async def test_only_the_last_part_of_a_name_counts(site: Site) -> None:
    made = await upload(site, "../../etc/cron.d/蓝莓.md")
    assert made.json["place"] == "蓝莓.md"


async def test_nobody_else_uploads_and_nothing_is_kept(site: Site) -> None:
    for user in ("staff", "customer", "manager"):
        assert (await upload(site, user=user)).status == 403
    assert site.runtime.documents is not None
    library = site.runtime.documents.library
    assert not (library.files / INCOMING).exists()
    assert not [d for d in await library.records.documents() if d.place == "蓝莓.md"]


async def test_a_key_for_some_tools_reads_only_if_one_of_them_does(site: Site) -> None:
    by = site.runtime.access.people.principal("admin", "web")

    async def key(*tools: str) -> dict[str, str]:
        scope = Scope(frozenset({"admin", "employee"}), tools=frozenset(tools))
        made = await site.runtime.access.keys.create(by, Draft("default", "admin", "k", scope, 1.0))
        return {"Authorization": f"Bearer {made.text}"}

    async def status(headers: dict[str, str], method: str, path: str, **more: Any) -> int:
        answered = await site.request(method, BASE + path, None, headers=headers, **more)
        return answered.status

    search = {"json": {"query": "退货"}}
    reading, other = await key("search_knowledge"), await key("get_order_status")
    assert await status(reading, "POST", "/search", **search) == 200
    assert await status(reading, "GET", "/documents") == 200
    assert await status(other, "POST", "/search", **search) == 403
    assert await status(other, "GET", "/documents") == 403
    for narrowed in (reading, other):
        assert await status(narrowed, "GET", "/documents?all=true") == 403
        assert await status(narrowed, "GET", "/sources") == 403
    assert await status(await key(), "GET", "/sources") == 200


@pytest.mark.parametrize(
    "body",
    [{"query": " "}, {"query": "a", "limit": 0}, {"query": "a", "limit": 99}, {"query": "a" * 3000},
     {"query": "a", "documents": ["d"] * 300}, {"query": "a", "more": 1}, {}],
)  # fmt: skip
async def test_a_search_that_is_wrong_says_where(site: Site, body: dict[str, Any]) -> None:
    refused = await site.request("POST", f"{BASE}/search", "staff", json=body)
    assert refused.status == 400 and refused.error["message"]


async def test_a_search_in_some_documents(site: Site) -> None:
    numbers = [(await upload(site, f"{n}.md")).json["id"] for n in "ab"]
    await read(site)
    found = await find(site, "staff", "蓝莓报销单", documents=[numbers[1]])
    assert {p["document"] for p in found["passages"]} == {numbers[1]}
