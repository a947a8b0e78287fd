"""The rules for reaching out: where a connection may go is decided when it is made.

A name is checked as the address that it turned out to be, at the moment a socket is opened for it:
whatever a URL looks like (``127.1``, ``0x7f000001``, ``[::ffff:169.254.169.254]``, a name whose answer
changes between two look-ups), it is the address that is refused.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from yarl import URL

from dazi.core.language import Text

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
CLOUD_SECRETS = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"),
    )
)
"""Where clouds hand out a machine's credentials (AWS, Azure, GCP, ECS tasks, Alibaba, Oracle)."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class EgressForbidden(OSError):
    """The connection must not be made. An ``OSError``, so that clients treat it as a failed one."""

    def __init__(self, what: str, why: Text) -> None:
        super().__init__(f"{what}: {why.en}")
        self.text = Text(f"{what}:{why.zh}", f"{what}: {why.en}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str | URL) -> Origin:
        """Raises ``ValueError`` for what is no http(s) URL with a host."""
        parsed = URL(url) if isinstance(url, str) else url
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.port is None:
            raise ValueError(f"not an http(s) URL: {url}")
        return cls(parsed.scheme, parsed.host.lower().rstrip("."), parsed.port)

    @property
    def local(self) -> bool:
        """Is it named as this very machine?"""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Rule:
    """Where requests may go.

    ``origins``: those of the configured systems; an in-house address is all right for them, this
    machine only if it is named as such. Empty: any public address, and none other; for URLs that
    people or documents bring along.
    """

    origins: frozenset[Origin] = frozenset()

    @classmethod
    def to(cls, *urls: str) -> Rule:
        """Raises ``ValueError`` for what is no http(s) URL."""
        return cls(frozenset(Origin.of(u) for u in urls))

    def check_url(self, url: str | URL) -> URL:
        """The URL as it will be requested. Raises ``EgressForbidden``."""
        try:
            parsed = URL(url) if isinstance(url, str) else url
            origin = Origin.of(parsed)
        except ValueError as e:
            raise EgressForbidden(str(url)[:200], NOT_HTTP) from e
        if parsed.user is not None or parsed.password is not None:
            raise EgressForbidden(origin.host, CREDENTIALS)
        if self.origins and origin not in self.origins:
            raise EgressForbidden(f"{origin.scheme}://{origin.host}:{origin.port}", NOT_LISTED)
        return parsed

    def check_address(self, text: str) -> None:
        """Raise ``EgressForbidden`` unless a socket may be opened to this address."""
        address = embedded(ipaddress.ip_address(text.partition("%")[0]))
        if address in CLOUD_SECRETS or address.is_link_local:
            raise EgressForbidden(text, METADATA)
        # Nobody: unspecified, multicast, broadcast, and ranges that belong to no one.
        if address.is_unspecified or address.is_multicast or _nobody(address):
            raise EgressForbidden(text, NOBODY)
        if not self.origins and not address.is_global:
            raise EgressForbidden(text, NOT_PUBLIC)
        if address.is_loopback and not any(o.local for o in self.origins):
            raise EgressForbidden(text, THIS_MACHINE)


NOT_HTTP = Text("不是 http(s) 网址", "not an http(s) URL")
CREDENTIALS = Text("网址里不能带用户名和密码", "a URL may not hold a user name or password")
NOT_LISTED = Text(
    "不在允许访问的系统里;请在公司配置中写明它的地址",
    "not one of the systems that may be reached; name its address in the company's configuration",
)
METADATA = Text("云主机的元数据地址,从不访问", "an address of cloud metadata; never reached")
DOWNGRADE = Text("从 https 转到了没有加密的地址", "leads from https to an address without it")
NOBODY = Text("不是任何主机的地址", "the address of no host")
NOT_PUBLIC = Text("是内部地址,这里只能访问公网", "an internal address; only public ones here")
THIS_MACHINE = Text(
    "解析到了本机;如果就是本机的服务,请把地址写成 localhost 或 127.0.0.1",
    "turned out to be this machine; if that is meant, write localhost or 127.0.0.1",
)


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _nobody(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_reserved or int(address) >> 24 == 0
    return address.is_site_local
