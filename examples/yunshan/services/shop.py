"""A page of the company's own site with the assistant on it, under a policy as strict as sites have.

Signed in or not is a matter of the address here (``?user=customer``); a real site has a session. What
matters is the token: the site's server vouches for whoever has signed in, and nobody else can.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

SITE = "shop"
CUSTOMERS = {"customer": ("C10001", "林先生", "Mr Lin"), "customer2": ("C10002", "何女士", "Ms He")}
DAZI = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}")
"""Only a server on this very machine is asked for a script."""
WORDS = {
    "zh": ("云杉商贸", "演示商店", "访客", "登录为", "今日推荐", "右下角可以和搭子对话。", "English", "en"),
    "en": ("Yunshan Trading", "demo shop", "visitor", "sign in as", "Today", "Talk to Dazi at the lower right.",
           "中文", "zh"),
}  # fmt: skip
GOODS = (
    ("iPhone 15", "5,999"),
    ("Galaxy S24", "5,499"),
    ("ThinkPad X1", "9,999"),
    ("AirPods Pro", "1,899"),
)
STYLE = """
body { margin: 0; font: 16px/1.6 system-ui, sans-serif; color: #1d2a33; background: #f5f7f8; }
header { background: #14564f; color: #fff; padding: 18px 6vw; display: flex; gap: 8px 24px;
  align-items: baseline; flex-wrap: wrap; }
header a { color: #cdeee8; }
h1 { font-size: 22px; margin: 0; }
main { padding: 24px 6vw; }
ul { list-style: none; padding: 0; display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); }
li { background: #fff; border: 1px solid #dde4e6; border-radius: 12px; padding: 20px; }
li b { display: block; }
@media (prefers-color-scheme: dark) {
  body { background: #12191d; color: #e4eaec; }
  li { background: #1b252b; border-color: #2c3940; }
}
"""


def routes(data: Path) -> list[Route]:
    """``data``: the folder in which the secret is that the site shares with Dazi."""
    secret = _secret(data / "shop.secret")

    def page(request: Request) -> Response:
        dazi = request.query_params.get("dazi", "http://127.0.0.1:8000")
        if not DAZI.fullmatch(dazi):
            return PlainTextResponse("?dazi=http://127.0.0.1:PORT", 400)
        language = "en" if request.query_params.get("lang") == "en" else "zh"
        user = request.query_params.get("user", "")
        made = HTMLResponse(_page(dazi, language, user if user in CUSTOMERS else "", secret))
        made.headers["content-security-policy"] = (
            f"default-src 'none'; script-src {dazi}; connect-src {dazi}; style-src 'self'; "
            "base-uri 'none'; form-action 'none'"
        )
        return made

    return [
        Route("/", page),
        Route("/style.css", lambda _: Response(STYLE, media_type="text/css")),
    ]


def token(secret: str, user: str, now: float) -> str:
    """Says who has signed in, for ten minutes: a JWT (RFC 7519) with HS256."""
    customer, name, _ = CUSTOMERS[user]
    claims = {
        "aud": SITE,
        "sub": user,
        "name": name,
        "iat": int(now),
        "exp": int(now) + 600,
        "attributes": {"customer_id": customer},
    }
    parts = [_encoded(json.dumps(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = hmac.digest(secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, base64.urlsafe_b64encode(signed).decode().rstrip("=")])


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _secret(path: Path) -> str:
    if not path.is_file():
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(made, "w") as out:
            out.write(secrets.token_hex(32))
    return path.read_text("utf-8").strip()


def _page(dazi: str, language: str, user: str, secret: str) -> str:
    name, kind, visitor, sign_in, today, hint, other, code = WORDS[language]
    who = CUSTOMERS[user][1 if language == "zh" else 2] if user else visitor

    def link(**more: str) -> str:
        query = {"dazi": dazi, "lang": language, "user": user} | more
        return "/shop/?" + "&amp;".join(f"{k}={escape(v)}" for k, v in query.items() if v)

    people = " · ".join(
        f'<a id="as-{u}" href="{link(user=u)}">{sign_in} {escape(c[1 if language == "zh" else 2])}</a>'
        for u, c in CUSTOMERS.items()
        if u != user
    )
    goods = "".join(f"<li><b>{escape(n)}</b>¥{p}</li>" for n, p in GOODS)
    signed = f' data-token="{token(secret, user, time.time())}"' if user else ""
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{name}</title><link rel="stylesheet" href="/shop/style.css">'
        f'<script src="{dazi}/widget.js" data-site="{SITE}" data-language="{language}"{signed} defer>'
        f"</script><header><h1>{name} · {kind}</h1><span>{escape(who)}</span>{people} "
        f'<a href="{link(lang=code)}">{other}</a></header>'
        f"<main><h2>{today}</h2><p>{hint}</p><ul>{goods}</ul></main></html>"
    )
