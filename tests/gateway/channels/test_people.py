"""Signing in with WeCom, codes and bindings, the command line, and being erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import uvicorn

from dazi.access.accounts import Account
from dazi.console.sign_in import CHANNEL_PATH
from dazi.console.visits import COOKIE
from dazi.core.errors import AccessError, NotFound
from dazi.core.language import Text
from dazi.gateway.channels import texts
from dazi.gateway.channels.identities import Identities
from dazi.gateway.channels.protocol import Undelivered
from dazi.main import channel_desk
from dazi.main.channels import channel_findings
from dazi.main.erasing import Stores
from dazi.main.serve import build_app
from tests.gateway.channels.conftest import Both

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def page(both: Both) -> AsyncIterator[str]:
    config = uvicorn.Config(
        build_app(both.site.runtime), port=0, log_level="warning", lifespan="on"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


async def test_signing_in_with_the_vendor_s_browser(both: Both) -> None:
    both.wecom.codes |= {"c1": "LinXianSheng", "c2": "Stranger", "c3": "LinXianSheng"}
    async with (
        page(both) as url,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):

        async def get(path: str, **more: object) -> aiohttp.ClientResponse:
            return await browser.get(url + path, allow_redirects=False, **more)  # type: ignore[arg-type]

        began = await get(f"{CHANNEL_PATH}/wecom")
        asked = parse_qs(urlsplit(began.headers["Location"]).query)
        assert asked["appid"] == [both.wecom.corp]
        assert asked["redirect_uri"] == [f"{url}{CHANNEL_PATH}/wecom/callback"]
        back, state = f"{CHANNEL_PATH}/wecom/callback", asked["state"][0]
        # Somebody else's code cannot be slipped into this browser, nor a state be made up.
        assert "error=oidc" in (await get(f"{back}?code=c1&state=x")).headers["Location"]
        await get(f"{CHANNEL_PATH}/wecom")
        lost = await get(f"{back}?code=c1&state={state}")
        assert "error=oidc" in lost.headers["Location"] and "c1" in both.wecom.codes
        for code, good in (("c2", False), ("nothing", False), ("c1", True)):
            began = await get(f"{CHANNEL_PATH}/wecom")
            state = parse_qs(urlsplit(began.headers["Location"]).query)["state"][0]
            done = await get(f"{back}?code={code}&state={state}")
            assert (done.headers["Location"] == "/") == good, code
            assert (COOKIE in done.cookies) == good
        token = done.cookies[COOKIE].value
        found = await both.site.runtime.access.sign_in.principal(token, "web")
        assert found is not None and found[0].user == "customer"
        other = await get(f"{CHANNEL_PATH}/dingtalk")
        assert "error=oidc" in other.headers["Location"]


async def test_codes_are_for_those_who_have_signed_in(both: Both) -> None:
    accounts = both.site.runtime.access.stores.accounts
    await accounts.create(Account("zoe", Text("zoe", "zoe"), frozenset({"staff"})))
    begun = await both.site.runtime.access.sessions.begin(("default", "zoe"), "api", "127.0.0.1")
    headers = {"Authorization": f"Bearer {begun.token}"}

    async def ask(method: str, path: str) -> object:
        got = await both.site.request(method, f"/v1/dazi/channels{path}", None, headers=headers)
        return got.status, got.json

    by_key = await both.site.request("POST", "/v1/dazi/channels/codes", "staff")
    assert (by_key.status, by_key.error["code"]) == (403, "session_needed")
    _, made = await ask("POST", "/codes")  # type: ignore[misc]
    _, before = await ask("GET", "")  # type: ignore[misc]
    await both.wecom_says(both.wecom.said("Zoe", f"bind {made['code']}"))
    await both.quiet()
    assert "zoe" in both.wecom.texts("Zoe")[0]
    _, after = await ask("GET", "")  # type: ignore[misc]
    known = [[c["bound"] for c in said["data"]] for said in (before, after)]
    assert known == [[False, False], [True, False]]
    assert (await ask("DELETE", "/wecom/binding"))[0] == 200  # type: ignore[index]
    assert (await ask("DELETE", "/wecom/binding"))[0] == 404  # type: ignore[index]
    acts = [(r["user"], r["act"], r["channel"]) for r in await both.site.audit("admin")]
    assert acts[-2:] == [("zoe", "channel.bound", "wecom"), ("zoe", "channel.unbound", "wecom")]


async def test_whom_the_administrator_entered_does_not_become_another(both: Both) -> None:
    """They would be told that they are, and be answered as before."""
    bindings = both.channels.bindings
    code = await bindings.code(both.site.runtime.access.people.principal("customer2", "web"))
    await both.wecom_says(both.wecom.said("LinXianSheng", f"绑定 {code}"))
    await both.quiet()
    assert both.wecom.texts("LinXianSheng") == [texts.KNOWN("zh").format(user="customer")]
    assert await bindings.owner(code) == "customer2"  # of use to whom it was made for


async def test_a_card_never_goes_to_whom_a_name_belongs_now(both: Both) -> None:
    """Bound first, entered for somebody else afterwards."""
    await both.channels.bindings.bind("wecom", "LinXianSheng", "default", "customer2")
    identities = both.channels.line("wecom").identities
    assert await identities.name_of("default", "customer2") == ""
    assert await identities.name_of("default", "customer") == "LinXianSheng"


async def test_a_vendor_that_will_never_tell_leaves_what_people_bound(both: Both) -> None:
    line = both.channels.line("wecom")
    told = {"table": {}, "attribute": "employee_id", "vendor_field": "email"}
    section = line.section.people.model_copy(update=told)

    class Silent:
        name, wait = "wecom", None

        async def profile(self, user: str) -> dict[str, str]:
            raise Undelivered("errcode_60111", "nobody", self.wait)

    silent: Any = Silent()
    ids = Identities(silent, section, line.identities.people, both.channels.bindings)
    await both.channels.bindings.bind("wecom", "Quiet", "default", "staff")
    found = await ids.find("Quiet", ask=True)
    assert found is not None and found.user == "staff"
    silent.wait = 60.0  # a right that somebody may still grant
    with pytest.raises(Undelivered):
        await ids.find("Another", ask=True)


async def test_the_operator_binds_with_the_right_to_and_on_record(both: Both) -> None:
    settings, runtime = both.site.runtime.settings, both.site.runtime
    accounts = runtime.access.stores.accounts
    for user, role in (("sys", "sysadmin"), ("ann", "staff")):
        await accounts.create(Account(user, Text(user, user), frozenset({role})))
    with pytest.raises(AccessError):
        await channel_desk.bind(settings, "ann", "wecom", "ann", "Ann")
    with pytest.raises(NotFound):
        await channel_desk.bind(settings, "sys", "feishu", "ann", "Ann")
    await channel_desk.bind(settings, "sys", "wecom", "ann", "Ann")
    (line, other) = await channel_desk.listed(settings, "sys", "zh", json_out=False), []
    assert "    ann <- Ann" in line and other == []
    assert "Ann" not in str(await channel_desk.listed(settings, "ann", "zh", json_out=True))
    assert (await channel_desk.send_test(settings, "wecom", "ann"))("en") == "Sent."
    assert "测试" in both.wecom.texts("Ann")[0]
    assert [r["act"] for r in await both.site.audit("admin")] == ["channel.bound"]
    await channel_desk.unbind(settings, "sys", "wecom", "ann")
    with pytest.raises(NotFound):
        await channel_desk.send_test(settings, "wecom", "ann")


async def test_whoever_is_erased_is_nobody_here(both: Both) -> None:
    both.site.says("好。")
    bindings = both.channels.bindings
    await bindings.bind("wecom", "Gone", "default", "risk")
    await both.wecom_says(both.wecom.said("Gone", "你好"))
    await both.wecom_says(both.wecom.said("Gone", "/new"))
    await both.quiet()
    runtime = both.site.runtime
    stores = Stores.of(runtime.database, runtime.sealing.keys)
    assert await stores.messages.forget("risk") == 2
    assert await stores.bindings.forget("risk") == 1
    for table in ("channel_messages", "channel_bindings", "channel_threads"):
        assert await both.rows(f"SELECT * FROM {table}") == []


async def test_the_doctor_asks_for_a_token(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = both.site.runtime.company.folder
    assert [f.ok for f in await channel_findings(folder)] == [True, True]
    monkeypatch.setenv("TEST_WECOM_SECRET", "wrong")
    first, second = await channel_findings(folder)
    assert (first.ok, second.ok) == (False, True) and "40001" in first.text.en
    monkeypatch.delenv("TEST_WECOM_SECRET")
    assert "TEST_WECOM_SECRET" in (await channel_findings(folder))[0].text.en


async def test_the_page_tells_where_one_is_known(both: Both) -> None:
    begun = await both.site.runtime.access.sessions.begin(("default", "staff"), "web", "127.0.0.1")
    async with (
        page(both) as url,
        aiohttp.ClientSession(cookies={COOKIE: begun.token}) as browser,
        browser.get(f"{url}/channels") as answer,
    ):
        said = await answer.text()
    assert answer.status == 200
    assert "企业微信" in said and "钉钉" in said and "由管理员登记" in said  # by the number
