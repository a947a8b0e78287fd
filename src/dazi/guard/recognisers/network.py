"""E-mail and network addresses."""

from __future__ import annotations

import ipaddress
import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser
from dazi.guard.recognisers.labels import Label

_HAN = "\u3400-\u9fff"
_CHINESE_DOMAIN = "中国|公司|网络|集团|商城|网址|在线|中文网|政务|公益|网店|企业|手机|我爱你|佛山|广东|香港|台湾|澳门"
_ENDINGS = "bmp css gif htm html ico jpeg jpg js json md png py svg ts txt webp xml yaml yml"
_FILES = frozenset(_ENDINGS.split())
_LEAD_IN = re.compile(
    r".*(?:邮箱|邮件|信箱|地址|联系|发送|抄送|[到给至是为向请找与和及、])", re.DOTALL
)
_VERSION = Label.of(
    r"[Vv]ersion|版本号?|固件|[Bb]uild|[Rr]elease|[Ff]irmware|章节?|条款|小节|[Ss]ection|[Cc]hapter|§|OID|图|表",
    r"[\s:：=为是第号]{0,3}[vV]?",
)
_ADDRESS = Label.of(r"IP|ip|主机|服务器|网关|地址|[Hh]ost|[Ss]erver|DNS|网段|[Gg]ateway")
_CREDENTIALS = re.compile(r"://[^\s/@:]{1,64}:[^\s/@]{0,24}\Z")
_LINE_START = re.compile(r"(?:\A|\n)[ #*-]*\Z")


def _email(m: re.Match[str]) -> Hit | None:
    domain, start = m["domain"], m.start()
    name, _, top = domain.rpartition(".")
    if top.lower() in _FILES and (name in ("2x", "3x") or ("." not in name and name.isdigit())):
        return None
    if m["local"] == "git" and m.string.startswith(":", m.end()):
        return None  # a repository over SSH
    if _CREDENTIALS.search(m.string, max(0, start - 96), start):
        return None  # the password in a URL
    return Hit(start, m.end(), Certainty.SHAPE)


def _chinese_email(m: re.Match[str]) -> Hit | None:
    """A Chinese mailbox name is as long as what stands before it allows."""
    lead_in = _LEAD_IN.match(m["local"])
    start = m.start() + (lead_in.end() if lead_in else 0)
    if start >= m.end("local"):
        return None
    return Hit(start, m.end(), Certainty.SHAPE)


def _ipv4(m: re.Match[str]) -> Hit | None:
    text, start, end = m.string, m.start(), m.end()
    parts = m[0].split(".")
    if any(int(p) > 255 or (len(p) > 1 and p[0] == "0") for p in parts):
        return None
    if _VERSION.stands_before(text, start) or text[end : end + 1] in tuple("节章条款版"):
        return None
    section = all(0 < int(p) < 30 for p in parts)
    if section and _is_heading(text, start, end) and not _ADDRESS.stands_before(text, start):
        return None
    return Hit(start, end, Certainty.SHAPE)


def _is_heading(text: str, start: int, end: int) -> bool:
    """At the start of a line with a title behind it: the number of a section."""
    if _LINE_START.search(text[max(0, start - 8) : start]) is None:
        return False
    return re.match(rf"[ \t、]{{0,2}}[{_HAN}A-Z]", text[end : end + 4]) is not None


def _ipv6(m: re.Match[str]) -> Hit | None:
    if not any(c.isdigit() for c in m[0]):
        return None
    try:
        ipaddress.IPv6Address(m[0])
    except ValueError:
        return None
    return Hit(m.start(), m.end(), Certainty.PROOF)


_CHINESE_HOST = rf"[A-Za-z0-9{_HAN}-]{{1,30}}\.(?:{_CHINESE_DOMAIN}|[A-Za-z]{{2,24}})"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}"

RECOGNISERS = (
    Recogniser(
        "email",
        "at",
        re.compile(
            rf"(?<![A-Za-z0-9._%+-])(?P<local>[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}})@"
            rf"(?P<domain>(?:{_DOMAIN}[A-Za-z]{{2,24}}|{_CHINESE_HOST})(?![A-Za-z]))"
        ),
        _email,
        reach=(0, 200),
        after=2,
    ),
    Recogniser(
        "email",
        "at",
        re.compile(
            rf"(?<![{_HAN}A-Za-z0-9._%+-])(?P<local>[{_HAN}A-Za-z0-9._-]{{0,39}}[{_HAN}])@"
            rf"(?P<domain>(?:{_DOMAIN}[A-Za-z]{{2,24}}|{_CHINESE_HOST})(?![A-Za-z]))"
        ),
        _chinese_email,
        reach=(0, 200),
        after=2,
    ),
    Recogniser(
        "ip",
        "number",
        re.compile(
            r"(?<![0-9A-Za-z])(?<![0-9A-Za-z][./])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z])(?!\.[0-9])"
        ),
        _ipv4,
        after=5,
        digits=(4, 12),
    ),
    Recogniser(
        "ip",
        "colons",
        re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{2,39}(?:\.[0-9]{1,3}){0,3}(?![0-9A-Za-z:])"),
        _ipv6,
        reach=(6, 56),
    ),
)
