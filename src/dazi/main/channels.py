"""``channels.yaml``: messaging channels, opened with their secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dazi.access.recording import Record
from dazi.audit.private import Private
from dazi.connectors.credentials import Credential, NoCredential
from dazi.core.company import Company
from dazi.core.errors import ConfigError, DaziError
from dazi.core.language import Text
from dazi.gateway.channels.bindings import Bindings
from dazi.gateway.channels.config import FILE, Declared, read_channels
from dazi.gateway.channels.inbox import Inbox
from dazi.gateway.channels.protocol import Channel
from dazi.gateway.channels.registry import open_channel
from dazi.gateway.channels.service import ChannelService, Stores
from dazi.main.company import load_company
from dazi.main.doctor_finding import Finding

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


def declared_channels(company: Company) -> tuple[Declared, ...]:
    """Needs no secrets. Raises ``ConfigError``."""
    return read_channels(company.folder, company.roles.keys())


def opened(declared: Declared) -> Channel:
    """Raises ``ConfigError`` where a secret is missing or is none."""
    return open_channel(declared, lambda name: secret_of(declared, name))


def secret_of(declared: Declared, name: str) -> str:
    """What ``NAME_env`` or ``NAME_file`` leads to; empty where neither is given. Raises
    ``ConfigError`` where there is nothing."""
    pair = (f"{name}_env", f"{name}_file")
    section = declared.section.model_dump()
    given = {key: section[key] for key in pair if section.get(key)}
    try:
        return Credential.read(given, declared.folder, *pair).token()
    except NoCredential:
        place = next(iter(given.values()))
        raise ConfigError(
            declared.folder / FILE,
            declared.line,
            f"{declared.name}:{place} 里没有可用的密钥;设好环境变量,或写好文件",
            f"{declared.name}: there is no usable secret in {place}; set the variable, or the file",
        ) from None


def open_channels(runtime: Runtime, record: Record) -> ChannelService | None:
    """``None`` where the company has no channels. Raises ``ConfigError``."""
    declared = declared_channels(runtime.company)
    if not declared:
        return None
    private = Private(runtime.sealing.keys)
    stores = Stores(Inbox(runtime.database, private), Bindings(runtime.database, private), record)
    return ChannelService(
        [(opened(d), d.section) for d in declared],
        runtime.service,
        runtime.access.people,
        stores,
        runtime.settings.public_url.rstrip("/"),
    )


async def channel_findings(folder: Path) -> list[Finding]:
    """For each channel: is there a token to be had?"""
    try:
        declared = declared_channels(load_company(folder))
    except DaziError as e:
        return [Finding(False, e.text)]
    return [await _finding(d) for d in declared]


async def _finding(declared: Declared) -> Finding:
    name = declared.name
    try:
        channel = opened(declared)
    except DaziError as e:
        return Finding(False, e.text)
    try:
        await channel.check()
    except DaziError as e:
        zh = f"渠道 {name}:取不到 access_token({e.text.en});检查密钥、网络和可信 IP"
        en = f"channel {name}: no access token ({e.text.en}); check secret, network, trusted IPs"
        return Finding(False, Text(zh, en))
    finally:
        await channel.close()
    return Finding(True, Text(f"渠道 {name}:能取到 access_token", f"channel {name}: token reached"))
