"""Signing in and out, and what is shown to whom."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlencode, urlsplit

from tests.console.browser import Browser
from tests.console.conftest import Site, until


def post(site: Site, path: str, form: dict[str, str], **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    sent |= {k.replace("_", "-"): v for k, v in headers.items()}
    connection.request("POST", path, urlencode(form), sent)
    return connection.getresponse()


def get(site: Site, path: str, cookie: str = "") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    return connection.getresponse()


def location(response: http.client.HTTPResponse) -> str:
    return response.headers["Location"]


def test_every_demo_user_has_a_card_with_what_the_role_may_do(browser: Browser, site: Site) -> None:
    browser.open("/")
    browser.one(".dz-people")
    assert browser.driver.current_url == f"{site.url}/login"
    cards = {c.get_property("value"): c.text for c in browser.all(".dz-person")}
    assert set(cards) == {u.user for u in site.runtime.company.users}
    assert "财务" in cards["finance"] and "给订单退款" in cards["finance"]
    assert "给订单退款" not in cards["customer"]


def test_a_click_signs_in_with_a_cookie_that_scripts_cannot_read(browser: Browser) -> None:
    browser.open("/login")
    browser.click_sign_in("customer")
    assert "林先生" in browser.text()
    cookie = browser.driver.get_cookie("dazi_session")
    assert cookie is not None and cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    assert "dazi_session" not in browser.js("return document.cookie")


def test_a_wrong_password_is_told_and_the_name_is_kept(browser: Browser) -> None:
    browser.open("/login")
    browser.press(".dz-login-form summary")
    browser.one("input[name=user]").send_keys("finance")
    browser.one("input[name=password]").send_keys("wrong")
    browser.press(".dz-submit")
    browser.one(".dz-error", "用户名或密码不对")
    assert browser.one("input[name=user]").get_property("value") == "finance"
    browser.one("input[name=password]").send_keys("finance")
    browser.press(".dz-submit")
    browser.ready()
    assert "赵雪" in browser.text()


def test_signing_out_ends_every_tab(browser: Browser, site: Site) -> None:
    browser.sign_in("customer")
    token = browser.driver.get_cookie("dazi_session")["value"]  # type: ignore[index]
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open("/")
    browser.ready()
    browser.box.send_keys("我的草稿")
    browser.press(".dz-account")
    browser.press(".dz-sign-out")
    browser.one(".dz-people")
    assert browser.driver.current_url == f"{site.url}/login"
    assert not browser.js("return sessionStorage.getItem('dazi-draft')")
    browser.driver.switch_to.window(first)
    browser.one(".dz-error", "登录已失效")
    assert get(site, "/", f"dazi_session={token}").status == 303


def test_who_is_not_signed_in_sees_nothing_and_comes_back_after(
    browser: Browser, site: Site
) -> None:
    for path in ("/", "/t/web_1"):
        assert get(site, path).status == 303
        assert get(site, path, "dazi_session=guess").status == 303
    assert location(get(site, "/t/web_1")) == "/login?next=%2Ft%2Fweb_1"
    site.says("第一次", "好的。")
    browser.sign_in("customer")
    browser.ask("第一次")
    browser.one(".dz-foot", "AI 生成")
    path = urlsplit(until(lambda: _thread_url(browser))).path
    browser.driver.delete_cookie("dazi_session")
    browser.open(path)
    browser.click_sign_in("customer")
    browser.one(".dz-bubble", "第一次")


def test_nobody_is_sent_elsewhere_after_signing_in(site: Site) -> None:
    for elsewhere in ("https://evil.example", "//evil.example", "/\\evil.example", "/t/../../x"):
        response = post(site, "/login", {"demo": "customer", "next": elsewhere})
        assert response.status == 303 and location(response) == "/"


def test_forms_of_other_sites_are_refused(site: Site) -> None:
    refused = post(site, "/login", {"demo": "admin"}, Origin="http://evil.example")
    assert location(refused) == "/login?error=origin&user=admin"
    assert "Set-Cookie" not in refused.headers
    refused = post(site, "/login", {"demo": "admin"}, Sec_Fetch_Site="cross-site")
    assert "error=origin" in location(refused)
    # A name of another site that resolves to this machine.
    refused = post(site, "/login", {"demo": "admin"}, Host="rebound.example")
    assert "error=loopback" in location(refused) and "Set-Cookie" not in refused.headers
    rows = site.run(site.runtime.audit.rows(limit=100_000))
    tries = [json.loads(r.body) for r in rows if r.kind == "sign_in" and r.user == "admin"]
    assert [t["why"] for t in tries if not t["ok"]][-3:] == ["origin", "origin", "loopback"]


def test_an_oversized_or_odd_form_is_only_a_wrong_password(site: Site) -> None:
    assert "error=sign_in" in location(
        post(site, "/login", {"user": "admin", "password": "x" * 9000})
    )
    assert "error=sign_in" in location(post(site, "/login", {"demo": "nobody"}))
    assert "error=sign_in" in location(post(site, "/login", {}))


def test_pages_carry_headers_that_keep_them_on_this_server(site: Site) -> None:
    headers = get(site, "/login").headers
    assert "img-src 'self' data: blob:" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


def test_anothers_thread_is_not_found(browser: Browser, site: Site) -> None:
    site.says("我的私事", "好的。")
    browser.sign_in("customer")
    browser.ask("我的私事")
    path = urlsplit(until(lambda: _thread_url(browser))).path
    cookie = "dazi_session=" + browser.driver.get_cookie("dazi_session")["value"]  # type: ignore[index]
    assert get(site, path, cookie).status == 200
    assert get(site, "/t/web_nothing", cookie).status == 404
    browser.driver.delete_cookie("dazi_session")
    browser.sign_in("customer2")
    other = "dazi_session=" + browser.driver.get_cookie("dazi_session")["value"]  # type: ignore[index]
    assert get(site, path, other).status == 404
    browser.open(path)
    browser.one(".dz-empty", "没有这个会话")
    assert "我的私事" not in browser.text()


def _thread_url(browser: Browser) -> str | None:
    url = browser.driver.current_url
    return url if "/t/" in url else None
