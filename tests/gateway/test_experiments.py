"""Prompt versions and experiments over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dazi.access.accounts import Account
from dazi.core.language import Text
from tests.gateway.conftest import Answered, Site

ZH = "你是{company}的同事。今天是{today}。像水手一样说话。"
PLAN = {
    "name": "tone",
    "why": "换种语气",
    "arms": [{"name": "now", "prompt": 0}, {"name": "new", "prompt": 1}],
    "ramp": [{"hours": 0, "shares": {"new": 0.5}}],
    "metrics": ["event:bought"],
    "window_hours": 1,
}


class Chen:
    """A system administrator."""

    def __init__(self, site: Site, token: str) -> None:
        self.site, self.token = site, token

    async def ask(self, method: str, path: str, body: object = None) -> Answered:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}
        more = {"json": body} if body is not None else {}
        return await self.site.request(method, f"/v1/dazi/{path}", None, headers=headers, **more)


async def chen(site: Site) -> Chen:
    stores = site.runtime.access.stores
    await stores.accounts.create(Account("chen", Text("陈", "Chen"), frozenset({"sysadmin"})))
    begun = await stores.sessions.begin(("default", "chen"), "api", "127.0.0.1")
    return Chen(site, begun.token)


@pytest.fixture
def always(site: Site) -> Iterator[None]:
    """The model answers whatever it is asked."""
    site.engine.script, site.engine._replies = (lambda _: "好。"), None
    yield
    site.engine.script = ()


async def test_a_version_is_added_compared_previewed_and_used(site: Site, always: None) -> None:
    who = await chen(site)
    for body, told in (
        ({"zh": "你好"}, "{today}"),
        ({"zh": "今天是{today}{firma}"}, "{firma}"),
        ({"zh": "今天是{today}{"}, "lone {"),
        ({"tools": {"nonesuch": {"zh": "a", "en": "b"}}}, "no such tool"),
        ({"zh": "今天是{today}" + "x" * 9_000}, "8000"),
    ):
        refused = await who.ask("POST", "prompts", body)
        assert refused.status == 400 and told in refused.error["message"], body
    made = (await who.ask("POST", "prompts", {"zh": ZH, "note": "sailor"})).json
    assert (made["number"], made["active"], made["author"]) == (1, False, "chen")
    assert made["texts"]["zh"] == ZH and "You are Dazi" in made["texts"]["en"]
    again = await who.ask("POST", "prompts", {"zh": ZH})
    assert again.error["code"] == "no_change"
    lines = (await who.ask("GET", "prompts/1/differences")).json["data"][0]["lines"]
    assert {"mark": "added", "text": ZH} in lines
    seen = (await who.ask("GET", "prompts/1/preview?role=finance&language=zh")).json
    assert "水手" in seen["system"] and seen["tokens"] > 0
    assert "request_refund" in [t["name"] for t in seen["tools"]]
    assert (await who.ask("GET", "prompts/1/preview?role=nobody")).status == 400
    assert (await who.ask("POST", "prompts/7/activate")).status == 404
    assert (await who.ask("POST", "prompts/1/activate")).status == 200
    await site.chat("你好")
    assert "水手" in site.engine.requests[-1].messages[0].content
    assert (await who.ask("GET", "prompts")).json["active"] == 1
    assert (await who.ask("POST", "prompts/0/activate")).status == 200
    acts = [b["act"] for b in await site.audit("admin") if b["user"] == "chen"]
    assert acts == ["prompt.add", "prompt.activate", "prompt.activate"]


async def test_an_experiment_from_beginning_to_end(site: Site, always: None) -> None:
    who = await chen(site)
    await who.ask("POST", "prompts", {"zh": ZH})
    for change, told in (
        ({"arms": [{"name": "now", "prompt": 0}]}, "2 to"),
        ({"ramp": [{"hours": 1, "shares": {"new": 0.5}}]}, "hours 0"),
        ({"ramp": [{"hours": 0, "shares": {"new": 1.5}}]}, "between 0 and 1"),
        ({"ramp": [{"hours": 0, "shares": {"old": 0.5}}]}, "needed for: new"),
        ({"metric": "joy"}, "no metric joy"),
        ({"arms": [{"name": "now", "prompt": 0}, {"name": "new", "prompt": 9}]}, "version 9"),
        ({"extra": 1}, "extra"),
    ):
        refused = await who.ask("POST", "experiments", PLAN | change)
        assert refused.status in (400, 404) and told in refused.error["message"], change
    one = "experiments/tone"
    assert (await who.ask("POST", "experiments", PLAN)).json["state"] == "draft"
    event = {"event": "bought"}
    assert (await site.request("POST", f"/v1/dazi/{one}/events", json=event)).status == 404
    assert (await who.ask("POST", one, {"act": "start"})).json["experiment"]["state"] == "running"
    # Of somebody who has had no turn nothing is taken.
    assert (await site.request("POST", f"/v1/dazi/{one}/events", json=event)).status == 404
    await site.chat("你好")
    found = await site.request("POST", f"/v1/dazi/{one}/events", json=event)
    assert found.status == 200
    wrong = await site.request("POST", f"/v1/dazi/{one}/events", json={"event": "sold"})
    assert wrong.status == 400
    looked = (await who.ask("GET", one)).json
    assert sum(a["subjects"] for a in looked["arms"]) == 1 and looked["waiting"] == 1
    assert looked["decision"][0].startswith("new: nothing can be concluded yet")
    (subject,) = await site.runtime.experiments.service.store.subjects("tone")  # type: ignore[union-attr]
    assert subject.means["event:bought"] == 1.0
    shrunk = await who.ask("POST", one, {"act": "shares", "shares": {"new": 0.2}})
    assert shrunk.status == 400 and "only grow" in shrunk.error["message"]
    assert (await who.ask("POST", one, {"act": "dance"})).status == 400
    promoted = (await who.ask("POST", one, {"act": "promote", "arm": "new"})).json
    assert promoted["experiment"]["promoted"] == "new" and "version 1" in promoted["told"]
    assert (await who.ask("POST", one, {"act": "start"})).status == 400
    assert (await who.ask("GET", "prompts")).json["active"] == 1
    acts = [b["act"] for b in await site.audit("admin") if b["user"] == "chen"]
    assert acts[-2:] == ["experiment.promote", "prompt.activate"]
