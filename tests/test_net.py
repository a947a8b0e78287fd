"""Where Dazi reaches out to: a list of ways to be led astray, none of which opens a socket."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from dazi.net import Egress, EgressForbidden, Origin, Rule, TooLarge, fetch

INSIDE_V4 = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.170.2", "169.254.0.1",
    "100.100.100.200", "100.64.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "192.0.2.1", "203.0.113.1",
]  # fmt: skip
INSIDE_V6 = [
    "::1", "::", "fe80::1", "fe80::1%25lo", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1",
    "2001:db8::1", "2001:0:53aa:64c:0:0:80ff:fffe",
]  # fmt: skip
NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "app.localhost": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "inside.example": ["10.1.2.3"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "cloud.example": ["100.100.100.200"],
}
TRICKS = [
    "http://shop.example@{at}/", "http://user:password@{at}/", "http://{at}#@shop.example/",
    "http://{at}?@shop.example/", "http:\\\\{at}\\", "http://shop.example\\@{at}/", "//{at}/",
    "http:///{at}/", "http:{at}", "file:///etc/passwd", "file://{at}/etc/passwd", "ftp://{at}/",
    "gopher://{at}/_x", "dict://{at}/info", "ldap://{at}/", "jar:http://{at}!/", "data:text/plain,x",
    "ws://{at}/", "unix:///run/docker.sock", "http://{at}%00.shop.example/", "http://{at}%2f@x/",
    "\thttp://{at}/", "http://{at}\n.shop.example/", "", "http://", "http://[::1", "https://{at}:0/",
]  # fmt: skip


def spellings(text: str) -> Iterator[str]:
    """Ways to write one IPv4 address as a URL's host."""
    number = int(ipaddress.IPv4Address(text))
    a, b, c, d = text.split(".")
    high, low = number >> 16, number & 0xFFFF
    yield from (text, text + ".", str(number), hex(number), f"0{number:o}")
    yield from (f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{low}", f"{int(a):#x}.{b}.{c}.{int(d):#x}")
    yield f"{int(a):#o}.{int(b):#o}.{c}.{d}".replace("0o", "0")
    yield from (f"[::ffff:{text}]", f"[::ffff:{high:x}:{low:x}]", f"[::{text}]")
    yield from (f"[2002:{high:x}:{low:x}::1]", f"[64:ff9b::{high:x}:{low:x}]")


def astray(port: int) -> list[str]:
    hosts = [s for text in INSIDE_V4 for s in spellings(text)]
    hosts += [f"[{text}]" for text in INSIDE_V6]
    urls = [f"http://{host}:{port}/latest/meta-data/" for host in (*hosts, *NAMES)]
    return urls + [t.format(at=f"127.0.0.1:{port}") for t in TRICKS]


class Listener:
    """A server on this machine that counts who comes."""

    def __init__(self) -> None:
        self.port = 0
        self.came = 0
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names without a network: those of the list, and numbers in any notation."""
    known = dict(NAMES)

    async def look_up(_: Any, host: str, port: int, **more: Any) -> list[Any]:
        found: list[Any] = []
        for text in known.get(host, [host]):
            found += socket.getaddrinfo(
                text, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        return found

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", look_up)
    return known


async def reach(egress: Egress, url: str) -> str:
    try:
        async with egress.request("GET", url, timeout=aiohttp.ClientTimeout(2)) as response:
            return f"answered {response.status}"
    except (EgressForbidden, aiohttp.ClientError, ValueError, OSError) as e:
        return type(e).__name__


async def test_no_public_request_is_led_inside(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every way is tried for real: nothing is opened, and nobody comes."""
    opened: list[Any] = []
    real = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda self, at: (opened.append(at), real(self, at))[1]
    )
    urls = astray(listener.port)
    assert len(urls) > 350
    egress = Egress(Rule())
    said = {url: await reach(egress, url) for url in urls}
    await egress.close()
    assert not [url for url, what in said.items() if what.startswith("answered")]
    assert opened == [] and listener.came == 0


async def test_a_broken_guard_is_noticed(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same list with the check at the socket taken out: some do reach this machine."""
    monkeypatch.setattr(Rule, "check_address", lambda self, text: None)
    egress = Egress(Rule())
    ways = [f"http://{s}:{listener.port}/" for s in spellings("127.0.0.1")]
    said = [await reach(egress, url) for url in [*ways, f"http://app.localhost:{listener.port}/"]]
    await egress.close()
    assert listener.came >= 6 and said.count("answered 200") == listener.came


async def test_a_configured_system_is_reached_and_nothing_beside_it(listener: Listener) -> None:
    base = f"http://127.0.0.1:{listener.port}"
    egress = Egress(Rule.to(f"{base}/api"))
    assert await reach(egress, f"{base}/api/orders?id=1") == "answered 200"
    elsewhere = [
        f"http://localhost:{listener.port}/", f"https://127.0.0.1:{listener.port}/",
        f"http://127.0.0.1:{listener.port + 1}/", f"http://u:p@127.0.0.1:{listener.port}/",
        f"http://127.1:{listener.port}/", "http://shop.example/", "ftp://127.0.0.1/", "nonsense",
    ]  # fmt: skip
    assert {await reach(egress, url) for url in elsewhere} == {"EgressForbidden"}
    await egress.close()
    assert listener.came == 1


async def test_redirects_are_shown_and_not_followed(listener: Listener) -> None:
    listener.answer = (
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\n"
        b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    base = f"http://127.0.0.1:{listener.port}"
    egress = Egress(Rule.to(base))
    async with egress.request("GET", base, allow_redirects=True) as response:
        assert response.status == 302 and not response.history
    await egress.close()
    assert listener.came == 1


async def test_a_name_that_changes_its_address_is_caught_at_the_socket(
    listener: Listener, names: dict[str, list[str]]
) -> None:
    """In-house addresses are all right for a configured system; this machine and clouds' are not."""
    names["crm.example"] = ["127.0.0.1"]
    base = f"http://crm.example:{listener.port}"
    egress = Egress(Rule.to(base))
    assert await reach(egress, base) == "ClientConnectorError"
    names["crm.example"] = ["169.254.169.254"]
    assert await reach(egress, base) == "ClientConnectorError"
    await egress.close()
    assert listener.came == 0


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("169.254.169.254", "metadata"),
        ("::ffff:100.100.100.200", "metadata"),
        ("fe80::1%eth0", "metadata"),
        ("0.0.0.0", "no host"),
        ("ff02::1", "no host"),
        ("127.0.0.1", "localhost"),
        ("10.0.0.1", ""),
        ("192.168.1.20", ""),
        ("93.184.216.34", ""),
        ("2606:2800:220:1:248:1893:25c8:1946", ""),
    ],
)
def test_what_a_configured_system_may_turn_out_to_be(address: str, reason: str) -> None:
    rule = Rule.to("https://crm.example/api")
    if not reason:
        rule.check_address(address)
        return
    with pytest.raises(EgressForbidden, match=reason) as caught:
        rule.check_address(address)
    assert caught.value.text.zh and address in caught.value.text.zh


def test_a_public_rule_lets_public_addresses_through() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"):
        Rule().check_address(address)


def test_origins_are_compared_as_they_are_requested() -> None:
    assert Origin.of("HTTP://Shop.Example./x") == Origin("http", "shop.example", 80)
    assert Origin.of("https://shop.example") == Origin("https", "shop.example", 443)
    assert Origin.of("http://localhost:1").local and Origin.of("http://[::1]:1").local
    for bad in ("", "shop.example", "mailto:a@b.c", "http://"):
        with pytest.raises(ValueError, match="not an http"):
            Origin.of(bad)


def redirect(to: str) -> bytes:
    return (
        f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ).encode()


async def test_a_fetch_checks_every_redirect_as_the_first_url(listener: Listener) -> None:
    base = f"http://127.0.0.1:{listener.port}"
    for there in (
        "http://169.254.169.254/latest/", "http://127.1:1/", "file:///etc/passwd", "ftp://x/",
        f"http://localhost:{listener.port}/", f"http://u:p@127.0.0.1:{listener.port}/", "//[::1]/",
    ):  # fmt: skip
        listener.came, listener.answer = 0, redirect(there)
        with pytest.raises(EgressForbidden):
            await fetch(base, Rule.to(base), limit=1000, seconds=5)
        assert listener.came == 1


async def test_a_fetch_follows_to_the_same_place_and_not_for_ever(listener: Listener) -> None:
    base = f"http://127.0.0.1:{listener.port}"
    listener.answer = redirect("/again")
    with pytest.raises(OSError, match="more than 5 redirects"):
        await fetch(base, Rule.to(base), limit=1000, seconds=5)
    assert listener.came == 6


async def test_a_fetch_is_bounded(listener: Listener) -> None:
    base = f"http://127.0.0.1:{listener.port}"
    listener.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000
    with pytest.raises(TooLarge):
        await fetch(base, Rule.to(base), limit=1000, seconds=5)
    found = await fetch(base, Rule.to(base), limit=2000, seconds=5)
    assert (found.status, len(found.body), found.url) == (200, 2000, base)
