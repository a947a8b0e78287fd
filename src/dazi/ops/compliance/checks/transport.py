"""What goes over a network: how people come in, and what goes out."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from dazi.access.users import LOOPBACK
from dazi.core.language import Text
from dazi.net.rules import CLOUD_SECRETS, EgressForbidden, Rule
from dazi.ops.compliance.results import BUG, Notes, Result, Status, some
from dazi.ops.compliance.subject import Subject

SOON_DAYS = 14
LEAST_RSA_BITS = 2048
INWARD = ("127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.1")
"""Addresses that a URL from outside must never lead to."""
UNENCRYPTED = ("http://", "redis://")
SET_TLS = Text(
    "设 DAZI_TLS_CERT 和 DAZI_TLS_KEY,或者只听本机、由前面的代理加密",
    "set DAZI_TLS_CERT and DAZI_TLS_KEY, or listen on loopback behind a proxy that encrypts",
)


async def remote_transport(s: Subject) -> Result:
    """Nobody reaches the service over a network without encryption."""
    n = Notes()
    where = s.serving
    if where.tls_cert is None or where.tls_key is None:
        n.expect(
            where.host in LOOPBACK,
            Text(f"只听 {where.host},网络上没有明文", f"only {where.host} is listened on"),
            Text(f"监听 {where.host},没有加密", f"{where.host} is listened on without encryption"),
            SET_TLS,
        )
        return n.result()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(where.tls_cert, where.tls_key)
        found = _certificate(where.tls_cert)
    except (OSError, ValueError) as e:
        n.wrong(f"证书或私钥用不了:{e}", f"certificate or key cannot be used: {e}", SET_TLS)
        return n.result()
    left = (found.not_valid_after_utc - datetime.fromtimestamp(s.now, UTC)).days
    n.expect(
        left >= SOON_DAYS,
        Text(f"HTTPS,证书还有 {left} 天", f"HTTPS; the certificate has {left} days left"),
        Text(f"证书还剩 {left} 天", f"the certificate has {left} days left"),
        Text("换新证书", "renew the certificate"),
    )
    key = found.public_key()
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        n.wrong(
            f"RSA 密钥只有 {key.key_size} 位",
            f"the RSA key has {key.key_size} bits only",
            Text(f"至少 {LEAST_RSA_BITS} 位", f"{LEAST_RSA_BITS} bits at least"),
        )
    oldest = context.minimum_version
    n.expect(
        oldest >= ssl.TLSVersion.TLSv1_2,
        Text(f"最低 {oldest.name}", f"{oldest.name} at least"),
        Text(f"还允许 {oldest.name}", f"{oldest.name} is still allowed"),
        Text("升级 Python 和 OpenSSL", "update Python and OpenSSL"),
    )
    return n.result()


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


async def egress_rules(s: Subject) -> Result:
    """Requests go where they may: the cloud's secrets never, the inside not by a foreign URL."""
    n = Notes()
    secret = [str(a) for a in CLOUD_SECRETS]
    listed = Rule.to("https://erp.internal")
    through = [a for a in secret if _open(listed, a)]
    through += [a for a in (*secret, *INWARD) if _open(Rule(), a)]
    through += [u for u in ("https://other.example", "file:///etc/passwd") if _reaches(listed, u)]
    tried = 2 * len(secret) + len(INWARD) + 2
    n.expect(
        not through,
        Text(
            f"试了 {tried} 个不该去的地方,全部拒绝",
            f"{tried} forbidden places were tried, all refused",
        ),
        Text(
            f"能去不该去的地方:{some(through)}", f"forbidden places were reached: {some(through)}"
        ),
        BUG,
    )
    told = some(sorted({host for _, host in _outside(s)}))
    n.saw(f"配置里的系统:{told or '无'}", f"systems in the configuration: {told or 'none'}")
    return n.result()


def _open(rule: Rule, address: str) -> bool:
    try:
        rule.check_address(address)
    except EgressForbidden:
        return False
    return True


def _reaches(rule: Rule, url: str) -> bool:
    try:
        rule.check_url(url)
    except EgressForbidden:
        return False
    return True


async def data_location(s: Subject) -> Result:
    """Which systems data goes to, and whether any is outside or not encrypted."""
    n = Notes()
    places = list(_outside(s))
    outside = [(url, host) for url, host in places if not _ours(host)]
    n.saw(
        f"模型和系统共 {len(places)} 处,本机或内网 {len(places) - len(outside)} 处",
        f"{len(places)} places for model and systems, {len(places) - len(outside)} on this machine "
        "or a private network",
    )
    for url, host in outside:
        n.expect(
            not url.startswith(UNENCRYPTED),
            Text(f"外部:{host}(出境与否由公司判断)",
                 f"outside: {host} (whether that leaves the country is for the company to say)"),
            Text(f"外部、没有加密:{host}", f"outside and not encrypted: {host}"),
            Text("改用 https:// 或 rediss://", "use https:// or rediss://"),
        )  # fmt: skip
    return n.result(Status.ORGANISATIONAL if outside else Status.PASS)


def _outside(s: Subject) -> Iterator[tuple[str, str]]:
    """URLs and hosts that the configuration names."""
    settings = s.company.settings
    urls = [*s.serving.systems, *map(str, settings.get("services", {}).values())]
    urls += map(str, settings.get("databases", {}).values())
    access = settings.get("access", {})
    urls += [str(o.get("issuer", "")) for o in access.get("oidc", [])]
    urls.append(str(access.get("ldap", {}).get("url", "")))
    urls += [str(c.config["url"]) for c in s.company.connectors.values() if "url" in c.config]
    for url in urls:
        host = urlsplit(url).hostname
        if host:
            yield url, host
    mail = settings.get("mail", {}).get("host")
    if mail:
        yield "smtp://", str(mail)


def _ours(host: str) -> bool:
    if host in LOOPBACK or host.endswith((".internal", ".local", ".localhost")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
