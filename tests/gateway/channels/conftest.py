"""A real server with both channels, and both vendors on this machine."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from dazi.gateway.channels.service import ChannelService
from tests.fakes.vendors import AES_KEY, TOKEN, FakeDingTalk, FakeWeCom, served
from tests.gateway.conftest import DEMO, LIMITS, Answered, Site, open_site

CALLBACK = "/v1/dazi/channels/{}/callback"
POLICY = """
@id("second-person")
forbid (principal, action == Action::"request_refund", resource)
unless { context.approved_by.contains("manager") };
"""
REFUND = {"order_id": "ORD12345", "amount": "100", "reason": "漏发"}
CHANNELS = """
wecom:
  corp_id: {wecom.corp}
  agent_id: {wecom.agent}
  secret_env: TEST_WECOM_SECRET
  token_env: TEST_WECOM_TOKEN
  aes_key_file: wecom.key
  api: {wecom.url}
  authorize: {wecom.url}/authorize
  sign_in: true
  order_wait_ms: {wait}
  people:
    table: {{LinXianSheng: customer, ChenLei: manager}}
    attribute: employee_id
    roles: [{roles}]
dingtalk:
  app_key: {ding.app_key}
  app_secret_env: TEST_DING_SECRET
  corp_id: {ding.corp}
  api: {ding.url}
  old_api: {ding.url}
  event_token_env: TEST_WECOM_TOKEN
  event_key_file: wecom.key
  order_wait_ms: 40
  people: {{table: {{lin: customer, chen: manager, zhao: finance}}}}
{more}
"""


@dataclass
class Both:
    """``site`` with the channels at work."""

    site: Site
    wecom: FakeWeCom
    ding: FakeDingTalk

    @property
    def channels(self) -> ChannelService:
        found = self.site.runtime.channels
        assert found is not None
        return found

    async def wecom_says(self, plain: bytes) -> Answered:
        query, body = self.wecom.callback(plain)
        return await self.post("wecom", query, body)

    async def post(self, channel: str, query: str, body: bytes, **more: Any) -> Answered:
        path = f"{CALLBACK.format(channel)}?{query}"
        return await self.site.request("POST", path, None, data=body, **more)

    async def ding_says(
        self, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Answered:
        return await self.site.request(
            "POST",
            CALLBACK.format("dingtalk"),
            None,
            data=json.dumps(body).encode(),
            headers=headers or self.ding.headers(),
        )

    async def quiet(self) -> None:
        """Until nothing waits any more."""
        async with asyncio.timeout(15):
            while await self._open():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def _open(self) -> int:
        states = "('received', 'answering', 'ready')"
        sql = f"SELECT count(*) FROM channel_messages WHERE state IN {states}"
        return int((await self.rows(sql))[0][0])

    async def rows(self, sql: str) -> list[Any]:
        async with self.site.runtime.database.read() as connection:
            return list((await connection.execute(text(sql))).all())


def company_with(
    folder: Path,
    wecom: FakeWeCom,
    ding: FakeDingTalk,
    *,
    more: str = "",
    roles: str = "",
    wait: int = 40,
) -> Path:
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("__pycache__"))
    written = CHANNELS.format(wecom=wecom, ding=ding, more=more, roles=roles, wait=wait)
    (folder / "channels.yaml").write_text(written, encoding="utf-8")
    (folder / "wecom.key").write_text(AES_KEY, encoding="utf-8")
    (folder / "policies" / "refunds.cedar").write_text(POLICY, encoding="utf-8")
    return folder


@asynccontextmanager
async def working(
    folder: Path, seeded: Path, *, more: str = "", roles: str = "", wait: int = 40
) -> AsyncIterator[Both]:
    wecom, ding = FakeWeCom(), FakeDingTalk()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TEST_WECOM_SECRET", "s3cret")
        patched.setenv("TEST_WECOM_TOKEN", TOKEN)
        patched.setenv("TEST_DING_SECRET", FakeDingTalk.secret)
        patched.setenv("TEST_CARD_SECRET", "c4rd")
        async with served(wecom), served(ding):
            company = company_with(
                folder / "company", wecom, ding, more=more, roles=roles, wait=wait
            )
            async with open_site(folder / "data", seeded, LIMITS, company=company) as site:
                both = Both(site, wecom, ding)
                work = asyncio.create_task(both.channels.run())
                try:
                    yield both
                finally:
                    work.cancel()
                    with suppress(asyncio.CancelledError):
                        await work


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> AsyncIterator[Both]:
    async with working(tmp_path_factory.mktemp("channels"), seeded) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def both(standing: Both) -> Both:
    """The same site for each test of a module, with nothing left of the test before."""
    await standing.quiet()
    await standing.site.fresh()
    async with standing.site.runtime.database.write() as connection:
        for table in (
            "channel_messages", "channel_bindings", "channel_threads", "channel_codes",
            "threads", "thread_messages", "tickets",
        ):  # fmt: skip
            await connection.execute(text(f"DELETE FROM {table}"))
    for vendor in (standing.wecom, standing.ding):
        vendor.sent.clear()
        vendor.changed.clear()
        vendor.faults.clear()
        vendor.unknown.clear()
    for name in standing.channels.names:
        line = standing.channels.line(name)
        line.pacing._people.clear()
        line.pacing._until = 0.0
        line.answering._tried.clear()
    return standing
