"""Jobs and schedules over HTTP."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from dazi.access.keys import Draft, Scope
from dazi.apps.questions import question_kind
from dazi.core.principal import Principal
from dazi.store.jobs.model import Job, NewFile, NewJob
from dazi.store.jobs.service import JobService
from dazi.store.jobs.work import Workers
from tests.fakes.engine import call
from tests.gateway.conftest import Site

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "我三天前下的订单 ORD12345 还没发货,怎么回事?"


def service(site: Site) -> JobService:
    assert site.runtime.jobs is not None
    return site.runtime.jobs


async def work(site: Site) -> None:
    workers = service(site).workers
    assert workers is not None
    await workers.drain()


async def begin(site: Site, body: dict[str, Any], user: str = "customer") -> dict[str, Any]:
    answered = await site.request("POST", "/v1/dazi/jobs", user, json=body)
    assert answered.status == 202, answered.body
    made: dict[str, Any] = answered.json
    return made


async def test_a_question_is_asked_with_the_persons_rights_and_kept(site: Site) -> None:
    site.says(call("get_order_status", order_id="ORD12345"), "您的订单已打包。")
    made = await begin(site, {"kind": "ask", "arguments": {"question": QUESTION}})
    assert made["state"] == "queued" and made["result"] is None
    await work(site)
    found = (await site.request("GET", f"/v1/dazi/jobs/{made['id']}")).json
    assert found["state"] == "done" and found["fraction"] == 1
    assert found["result"]["calls"] == ["get_order_status"] and not found["result"]["waits"]
    thread = (await site.request("GET", f"/v1/dazi/threads/{found['result']['thread']}")).json
    assert thread["messages"][0]["content"] == QUESTION
    told = [(r["what"], r["job"]) for r in await site.audit("job")]
    assert told == [("begun", made["id"]), ("done", made["id"])]


async def test_what_changes_something_is_not_proposed_a_second_time(site: Site) -> None:
    """The worker dies in the middle of the call; another takes the job up."""
    kind = question_kind(site.runtime.service, 5_000)
    store, by = service(site).store, site.runtime.directory.principal("supervisor", "api")
    job = await store.put(by, NewJob("ask", "t", {"question": "给 ORD12345 加备注:易碎"}))
    proposed = call("update_order_note", order_id="ORD12345", note="易碎")

    def workers() -> Workers:
        return Workers(store, {"ask": kind}, lambda _: by)

    async def notes() -> int:
        return len([r for r in await site.audit("outcome") if r.get("tool") == "update_order_note"])

    site.says(proposed, "好了。")
    claim = await store.claim({"ask": 3}, 0.0)
    assert claim is not None
    await store.put_step(claim, "change:update_order_note", "of the one that died")
    await workers().drain()
    ended = await store.get(job.id, by)
    assert ended.state == "failed" and ended.error is not None
    assert ended.error.code == "broke_off" and await notes() == 0
    # By hand it stays refused too: a person looks first, and asks anew.
    site.says(proposed, "好了。")
    again = await store.put(by, NewJob("ask", "t", {"question": "给 ORD12345 加备注:易碎"}))
    await workers().drain()
    assert (await store.get(again.id, by)).state == "done" and await notes() == 1


async def test_files_lists_and_batches(site: Site) -> None:
    made = [await begin(site, {"kind": "export", "batch": "b", "title": f"t{n}"}) for n in range(3)]
    await work(site)
    listed = (await site.request("GET", "/v1/dazi/jobs?batch=b&limit=2")).json
    assert [j["title"] for j in listed["data"]] == ["t2", "t1"]
    rest = (await site.request("GET", f"/v1/dazi/jobs?batch=b&after={listed['next']}")).json
    assert [j["title"] for j in rest["data"]] == ["t0"] and rest["next"] == ""
    counted = (await site.request("GET", "/v1/dazi/batches/b")).json
    assert counted == {"batch": "b", "jobs": 3, "states": {"done": 3}}
    one = (await site.request("GET", f"/v1/dazi/jobs/{made[0]['id']}")).json
    (file,) = one["files"]
    got = await site.request("GET", f"/v1/dazi/jobs/{one['id']}/files/{file['name']}")
    assert got.status == 200 and len(got.body) == file["size"]
    assert got.headers["content-type"] == "application/x-ndjson"
    deleted = await site.request("DELETE", f"/v1/dazi/jobs/{one['id']}")
    assert deleted.status == 200
    assert (await site.request("GET", f"/v1/dazi/jobs/{one['id']}")).status == 404


async def test_cancel_and_retry(site: Site) -> None:
    made = await begin(site, {"kind": "export"})
    path = f"/v1/dazi/jobs/{made['id']}"
    assert (await site.request("DELETE", path)).error["code"] == "not_over"
    assert (await site.request("POST", f"{path}/cancel")).json["state"] == "cancelled"
    assert (await site.request("POST", f"{path}/cancel")).error["code"] == "over"
    assert (await site.request("POST", f"{path}/retry")).json["state"] == "queued"
    await work(site)
    assert (await site.request("GET", path)).json["state"] == "done"
    assert (await site.request("POST", f"{path}/retry")).error["code"] == "not_failed"


async def test_what_cannot_be_begun(site: Site) -> None:
    for body, status, code in (
        ({"kind": "nonesuch"}, 404, "job_kind"),
        ({"kind": "ask"}, 400, "question"),
        ({"kind": "ask", "arguments": {"question": "q" * 5_001}}, 400, "message_too_long"),
        ({"kind": "export", "title": "t" * 201}, 400, None),
        ({"kind": "export", "nonsense": 1}, 400, None),
    ):
        answered = await site.request("POST", "/v1/dazi/jobs", json=body)
        assert answered.status == status, body
        assert code is None or answered.error["code"] == code
    assert (await site.request("GET", "/v1/dazi/jobs?state=asleep")).status == 400


async def test_schedules(site: Site) -> None:
    body = {
        "kind": "ask",
        "cron": "0 8 * * 1",
        "arguments": {"question": QUESTION},
        "title": "周一",
    }
    made = await site.request("POST", "/v1/dazi/schedules", json=body)
    assert made.status == 201
    path = f"/v1/dazi/schedules/{made.json['id']}"
    off = (await site.request("PATCH", path, json={"enabled": False})).json
    assert off["enabled"] is False
    wrong = await site.request("PATCH", path, json={"cron": "every monday"})
    assert wrong.status == 400 and wrong.error["code"] == "cron"
    assert len((await site.request("GET", "/v1/dazi/schedules")).json["data"]) == 1
    assert (await site.request("DELETE", path)).status == 200
    assert (await site.request("DELETE", path)).status == 404


async def test_a_narrow_key_begins_nothing(site: Site) -> None:
    """A job has all of its owner's rights; a key that has fewer would gain them."""
    access = site.runtime.access
    by = access.people.principal("supervisor", "web")
    roles = access.people.roles("default", "supervisor")
    for scope, allowed in (
        (Scope(roles), True),
        (Scope(roles - {"supervisor"}), False),
        (Scope(roles, tools=frozenset({"get_weather"})), False),
    ):
        made = await access.keys.create(by, Draft("default", "supervisor", "k", scope, 1.0))
        headers = {"Authorization": f"Bearer {made.text}"}
        for path, body in (
            ("/v1/dazi/jobs", {"kind": "export"}),
            ("/v1/dazi/schedules", {"kind": "export", "cron": "0 8 * * 1"}),
        ):
            answered = await site.request("POST", path, None, json=body, headers=headers)
            assert answered.status == ((202 if "jobs" in path else 201) if allowed else 403), scope


async def test_every_kind_is_documented(site: Site) -> None:
    kinds = {k["name"] for k in (await site.request("GET", "/v1/dazi/job-kinds")).json["data"]}
    for language in ("zh", "en"):
        page = (ROOT / "docs" / language / "jobs.md").read_text("utf-8")
        assert kinds == set(re.findall(r"^\| `([a-z_]+)` \|", page, re.M)), language


async def test_limits(site: Site) -> None:
    jobs = service(site)
    store = type(jobs.store)(
        site.runtime.database,
        jobs.store._sealer,
        type(jobs.store._limits)(waiting=2, file_bytes=10),
    )
    by = site.runtime.directory.principal("customer", "api")
    site_jobs = jobs.store
    jobs.store = store
    try:
        file = NewFile("f.txt", "text/plain", b"x" * 11)
        with pytest.raises(Exception, match=r"f\.txt"):
            await jobs.begin(by, "export", {}, files=[file])
        for _ in range(2):
            await begin(site, {"kind": "export"})
        full = await site.request("POST", "/v1/dazi/jobs", json={"kind": "export"})
        assert full.status == 400 and full.error["code"] == "jobs_full"
    finally:
        jobs.store = site_jobs


async def test_files_that_a_job_works_on(site: Site) -> None:
    store, by = service(site).store, site.runtime.directory.principal("customer", "api")
    job = await store.put(by, NewJob("k", "t", {}), [NewFile("in.txt", "text/plain", b"abc")])
    claim = await store.claim({"k": 1}, 30.0)
    assert claim is not None and claim.job.id == job.id
    assert await store.given_file(claim, "in.txt") == b"abc"
    assert (await store.get(job.id, by)).files[0].size == 3


async def test_progress_is_seen(site: Site) -> None:
    """Over HTTP, while it runs."""
    jobs = service(site)
    gate = asyncio.Event()
    site.says("好。")
    made = await begin(site, {"kind": "ask", "arguments": {"question": "你好"}})
    kind = jobs.kinds["ask"]

    async def slow(run: Any) -> Any:
        run.report(kind.title, 0.5)
        await gate.wait()
        return await kind.work(run)

    slowly = type(kind)("ask", kind.title, kind.check, slow)
    workers = Workers(jobs.store, {"ask": slowly}, _who(site))
    working = asyncio.create_task(workers.drain())
    found: dict[str, Any] = {}
    for _ in range(100):
        found = (await site.request("GET", f"/v1/dazi/jobs/{made['id']}")).json
        if found["fraction"] == 0.5:
            break
        await asyncio.sleep(0.05)
    assert found["state"] == "running" and found["step"] and found["left"] is not None
    gate.set()
    await working


def _who(site: Site) -> Any:
    def who(job: Job) -> Principal:
        return site.runtime.access.people.principal(job.user, job.channel, job.tenant)

    return who
