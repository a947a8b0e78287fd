"""Signing in and administering over HTTP: steps, duties, second persons, sessions, keys."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from dazi.access.accounts import Account
from dazi.access.totp import STEP_S, code_at
from dazi.core.language import Text
from tests.gateway.conftest import Answered, Site

WORD = "Kx7-mauerwerk-2"


async def person(site: Site, user: str, *roles: str, tenant: str = "default") -> str:
    """A session's token, by every step that a new account has to go through."""
    stores = site.runtime.access.stores
    account = Account(user, Text(user, user), frozenset(roles), tenant=tenant)
    await stores.accounts.create(account)
    if tenant != "default":  # nobody of another tenant signs in by name alone
        begun = await stores.sessions.begin((tenant, user), "api", "127.0.0.1")
        return begun.token
    first = await stores.passwords.make_initial(tenant, user)
    begun = await post(site, "/v1/dazi/sign-in", None, user=user, password=first)
    token, remaining = begun.json["token"], begun.json["remaining"]
    if "enrol" in remaining:
        made = (await post(site, "/v1/dazi/sign-in/enrolment", token)).json
        code = code_at(base64.b32decode(made["secret"]), int(time.time() // STEP_S))
        token = (await post(site, "/v1/dazi/sign-in/code", token, code=code)).json["token"]
    done = await post(site, "/v1/dazi/sign-in/password", token, password=WORD)
    assert done.json["remaining"] == []
    return str(done.json["token"])


async def call(site: Site, method: str, path: str, token: str | None, **more: Any) -> Answered:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await site.request(method, path, None, headers=headers, **more)


async def post(site: Site, path: str, token: str | None, **body: Any) -> Answered:
    return await call(site, "POST", path, token, json=body)


async def test_each_step_gives_a_new_token_and_only_the_last_is_good(site: Site) -> None:
    stores = site.runtime.access.stores
    await stores.accounts.create(Account("wang", Text("王", "Wang"), frozenset({"sysadmin"})))
    first = await stores.passwords.make_initial("default", "wang")
    begun = (await post(site, "/v1/dazi/sign-in", None, user="wang", password=first)).json
    assert begun["user"] == "wang" and begun["remaining"] == ["enrol", "new_password"]
    early = await call(site, "GET", "/v1/dazi/users", begun["token"])
    assert early.status == 403 and early.error["code"] == "sign_in_steps"
    assert (await call(site, "GET", "/v1/dazi/me", begun["token"])).status == 403
    made = (await post(site, "/v1/dazi/sign-in/enrolment", begun["token"])).json
    assert made["uri"].startswith("otpauth://") and len(made["recovery_codes"]) == 10
    wrong = await post(site, "/v1/dazi/sign-in/code", begun["token"], code="000000")
    assert wrong.status == 401 and wrong.error["code"] == "code"
    code = code_at(base64.b32decode(made["secret"]), int(time.time() // STEP_S))
    second = (await post(site, "/v1/dazi/sign-in/code", begun["token"], code=code)).json
    assert (await post(site, "/v1/dazi/sign-in/code", begun["token"], code=code)).status == 401
    weak = await post(site, "/v1/dazi/sign-in/password", second["token"], password="short")
    assert weak.status == 400 and weak.error["code"] == "weak_password"
    third = (await post(site, "/v1/dazi/sign-in/password", second["token"], password=WORD)).json
    me = await call(site, "GET", "/v1/dazi/me", third["token"])
    assert me.json["user"] == "wang" and me.json["name"] == "王"
    assert (await call(site, "GET", "/v1/dazi/users", third["token"])).status == 200
    for old in (begun, second):
        assert (await call(site, "GET", "/v1/dazi/me", old["token"])).status == 401
    assert (await post(site, "/v1/dazi/sign-out", third["token"])).status == 200
    assert (await call(site, "GET", "/v1/dazi/me", third["token"])).status == 401


async def test_guesses_are_counted_and_told_when_to_come_back(site: Site) -> None:
    for _ in range(5):
        wrong = await post(site, "/v1/dazi/sign-in", None, user="nobody", password="x")
        assert wrong.status == 401 and wrong.error["code"] == "sign_in"
    locked = await post(site, "/v1/dazi/sign-in", None, user="nobody", password="x")
    assert locked.status == 429 and int(locked.headers["Retry-After"]) > 800


async def test_who_was_locked_out_is_let_in_again_and_that_is_on_record(site: Site) -> None:
    sys, sec = await person(site, "sys", "sysadmin"), await person(site, "sec", "secadmin")
    await person(site, "lihua", "employee")
    path = "/v1/dazi/users/lihua/lock"

    async def sign_in(word: str) -> int:
        return (await post(site, "/v1/dazi/sign-in", None, user="lihua", password=word)).status

    assert (await call(site, "GET", path, sys)).json == {"password": None, "code": None}
    assert [await sign_in("x") for _ in range(6)] == [401] * 5 + [429]
    assert await sign_in(WORD) == 429
    locked = (await call(site, "GET", path, sys)).json
    assert locked["password"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert locked["code"] is None
    assert (await call(site, "DELETE", path, sec)).status == 200
    assert await sign_in(WORD) == 429, "the code's pause is the security administrator's, not this"
    assert (await call(site, "DELETE", path, sys)).json == {"done": True}
    assert (await call(site, "GET", path, sys)).json["password"] is None
    assert await sign_in(WORD) == 200
    acts = [r for r in await site.audit("admin") if r.get("act") == "user.unlock"]
    assert [(r["of"], r["locks"], r["user"]) for r in acts if r.get("of")] == [
        ("lihua", ["code"], "sec"),
        ("lihua", ["account"], "sys"),
    ]


async def test_who_may_not_unlock(site: Site) -> None:
    sys, li = await person(site, "sys", "sysadmin"), await person(site, "lihua", "employee")
    assert (await call(site, "DELETE", "/v1/dazi/users/sys/lock", sys)).status == 403, "oneself"
    assert (await call(site, "DELETE", "/v1/dazi/users/sys/lock", li)).status == 403
    assert (await call(site, "GET", "/v1/dazi/users/sys/lock", li)).status == 403
    assert (await call(site, "DELETE", "/v1/dazi/users/nobody/lock", sys)).status == 404


async def test_a_session_chats_as_its_person(site: Site) -> None:
    token = await person(site, "lihua", "employee")
    site.says("你好。")
    body = {"model": "dazi", "messages": [{"role": "user", "content": "你好"}]}
    answered = await call(site, "POST", "/v1/chat/completions", token, json=body)
    assert answered.status == 200
    (turn,) = await site.audit("turn")
    assert turn["user"] == "lihua" and token not in str(turn)


async def test_who_makes_accounts_does_not_give_roles(site: Site) -> None:
    sys, sec = await person(site, "sys", "sysadmin"), await person(site, "sec", "secadmin")
    made = await post(
        site, "/v1/dazi/users", sys,
        user="lihua", name="李华", name_en="Li Hua", roles=["employee"], department="人事部",
        attributes={"employee_id": "E1007"},
    )  # fmt: skip
    assert made.status == 200 and made.headers["Cache-Control"] == "no-store"
    assert made.json["account"]["roles"] == [] and made.json["password"]
    request = made.json["request"]
    own = await post(site, f"/v1/dazi/role-requests/{request['id']}", sys, confirm=True)
    assert own.status == 403
    listed = await call(site, "GET", "/v1/dazi/role-requests", sec)
    assert [r["user"] for r in listed.json["data"]] == ["lihua"]
    done = await post(site, f"/v1/dazi/role-requests/{request['id']}", sec, confirm=True)
    assert done.status == 200
    shown = (await call(site, "GET", "/v1/dazi/users/lihua", sec)).json
    assert (shown["roles"], shown["name_en"], shown["department"]) == (
        ["employee"], "Li Hua", "人事部",
    )  # fmt: skip
    assert (await post(site, "/v1/dazi/users", sec, user="x", name="x")).status == 403
    mine = await post(site, "/v1/dazi/users/sys/roles", sys, roles=["employee"], give=True)
    assert mine.json["request"]["user"] == "sys"  # asked for, not given


async def test_an_account_is_edited_disabled_and_deleted(site: Site) -> None:
    sys = await person(site, "sys", "sysadmin")
    li = await person(site, "lihua", "employee")
    path = "/v1/dazi/users/lihua"
    edited = await call(site, "PATCH", path, sys, json={"name_en": "Li H.", "department": "HR"})
    assert (edited.json["name"], edited.json["name_en"], edited.json["department"]) == (
        "lihua", "Li H.", "HR",
    )  # fmt: skip
    assert (await call(site, "PATCH", path, sys, json={"nmae": "x"})).status == 400
    sessions = await call(site, "GET", f"{path}/sessions", sys)
    (session,) = sessions.json["data"]
    assert session["channel"] == "api" and session["address"] == "127.0.0.1"
    ended = await call(site, "DELETE", f"{path}/sessions/{session['id']}", sys)
    assert ended.json == {"ended": 1}
    assert (await call(site, "GET", "/v1/dazi/me", li)).status == 401
    assert (await call(site, "PATCH", path, sys, json={"disabled": True})).json["disabled"]
    refused = await post(site, "/v1/dazi/sign-in", None, user="lihua", password=WORD)
    assert refused.status == 401
    assert (await call(site, "DELETE", path, sys)).status == 200
    assert (await call(site, "GET", path, sys)).status == 404
    taken = await post(site, "/v1/dazi/users", sys, user="lihua", name="another")
    assert taken.status == 400 and taken.error["code"] == "user_taken"
    assert (await call(site, "DELETE", "/v1/dazi/users/sys", sys)).status == 403


async def test_a_new_password_needs_the_old_one(site: Site) -> None:
    token = await person(site, "lihua", "employee")
    path = "/v1/dazi/sign-in/password"
    wrong = await post(site, path, token, password="Kx7-mauerwerk-3", old="guess")
    assert wrong.status == 401
    right = await post(site, path, token, password="Kx7-mauerwerk-3", old=WORD)
    assert right.status == 200
    assert (await call(site, "GET", "/v1/dazi/me", token)).status == 401
    assert (await call(site, "GET", "/v1/dazi/me", right.json["token"])).status == 200


async def test_keys_are_made_by_people_and_not_by_keys(site: Site) -> None:
    token = await person(site, "lihua", "employee")
    made = await post(site, "/v1/dazi/keys", token, name="nightly", tools=["list_orders"], days=3)
    assert made.status == 200 and made.headers["Cache-Control"] == "no-store"
    key = made.json["key"]
    assert key.startswith("dz_") and made.json["tools"] == ["list_orders"]
    for method, path in (("GET", "/v1/dazi/keys"), ("POST", "/v1/dazi/keys")):
        by_key = await call(site, method, path, key, json={"name": "more"})
        assert by_key.status == 403 and by_key.error["code"] == "session_needed"
    listed = (await call(site, "GET", "/v1/dazi/keys", token)).json["data"]
    assert [k["id"] for k in listed] == [made.json["id"]] and listed[0]["key"] is None
    assert key.split("_")[2] not in str(listed)
    wide = await post(site, "/v1/dazi/keys", token, name="wide", roles=["finance"])
    assert wide.status == 403
    assert (await call(site, "GET", "/v1/dazi/me", key)).status == 200
    assert (await call(site, "DELETE", f"/v1/dazi/keys/{made.json['id']}", token)).status == 200
    assert (await call(site, "GET", "/v1/dazi/me", key)).status == 401


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_a_session_has_one_scope_in_every_header(site: Site, header: str) -> None:
    token = await person(site, "lihua", "employee")
    value = f"Bearer {token}" if header == "Authorization" else token
    me = await site.request("GET", "/v1/dazi/me", None, headers={header: value})
    assert me.json["user"] == "lihua"
    cookie = await site.request(
        "GET", "/v1/dazi/me", None, headers={"Cookie": f"dazi_session={token}"}
    )
    assert cookie.status == 401  # a page of another site sends cookies along; it may not act here
