"""``channels.yaml``: each mistake with its line and its mend, and secrets that stand elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.core.errors import ConfigError
from dazi.gateway.channels.config import read_channels
from dazi.gateway.channels.wecom import WeCom
from dazi.main.channels import opened
from tests.fakes.vendors import AES_KEY

GOOD = """
wecom:
  corp_id: ww1
  agent_id: 1000002
  secret_env: TEST_SECRET
  token_env: TEST_SECRET
  aes_key_file: key
"""


def read(folder: Path, text: str) -> list[str]:
    (folder / "channels.yaml").write_text(text, encoding="utf-8")
    return [d.name for d in read_channels(folder, {"staff"})]


def test_without_a_file_there_are_no_channels(tmp_path: Path) -> None:
    assert read_channels(tmp_path, ()) == ()


def test_a_good_one_is_opened_with_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(
        tmp_path,
        GOOD + "  per_minute: 5\nding:\n  kind: dingtalk\n  app_key: k\n  app_secret_env: X\n",
    ) == ["wecom", "ding"]
    (declared, _) = read_channels(tmp_path, ())
    with pytest.raises(ConfigError, match="TEST_SECRET"):
        opened(declared)
    monkeypatch.setenv("TEST_SECRET", "s")
    (tmp_path / "key").write_text("too short", encoding="utf-8")
    with pytest.raises(ConfigError, match="EncodingAESKey"):
        opened(declared)
    (tmp_path / "key").write_text(AES_KEY, encoding="utf-8")
    channel = opened(declared)
    assert isinstance(channel, WeCom)
    assert (channel.limits.per_minute, channel.limits.per_hour) == (5, 1000)
    assert "'s'" not in repr(channel.config)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- a", 1, "NAME"),
        ("wecom: 3", 1, "NAME"),
        ("WeCom: {kind: wecom}", 1, "small letters"),
        ("feishu: {app_id: x}", 1, "known: wecom, dingtalk"),
        (GOOD + "  sercet: x\n", 8, "wecom.sercet"),
        (GOOD.replace("  corp_id: ww1\n", ""), 2, "wecom.corp_id is missing"),
        (GOOD.replace("1000002", "many"), 4, "agent_id"),
        (GOOD.replace("secret_env: TEST_SECRET", "secret: s3cret"), 5, "wecom.secret"),
        (GOOD.replace("  secret_env: TEST_SECRET\n", ""), 2, "secret_env"),
        (GOOD + "  secret_file: x\n", 5, "one of"),
        (GOOD + "  api: qyapi.weixin.qq.com\n", 8, "wecom.api"),
        (GOOD + "  people: {roles: [chief]}\n", 8, "chief"),
        (GOOD + "  people:\n    tabel: {}\n", 9, "tabel"),
        (GOOD + "  order_wait_ms: 99999\n", 8, "order_wait_ms"),
        # A callback holds for an hour: what is forgotten sooner could be sent again.
        (GOOD + "  keep_days: 0.01\n", 8, "keep_days"),
        ("d: {kind: dingtalk, app_key: k, app_secret_env: X, card_template: t}", 1, "card_route"),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert caught.value.line == line
    assert says in caught.value.text.en and "channels.yaml" in caught.value.text.zh
    assert "s3cret" not in caught.value.text.en
