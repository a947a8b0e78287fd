"""``dazi doctor`` on a model server: whose parser reads its calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.main.doctor_model import model_findings
from dazi.main.settings import Settings
from tests.inference.recordings.serving import named, serving


@pytest.mark.parametrize(
    ("name", "ok", "zh", "en"),
    [
        ("vllm_hermes: order", True, "工具调用可以解析", "tool calls can be read"),
        ("composed_text: hermes leaves a call", True, "由搭子自己解析", "Dazi parses them itself"),
        ("vllm_qwen3_coder: order", False, "解析器不合适", "the answer is lost"),
        ("vllm_hermes: thanks", False, "没有给出可解析的工具调用", "no readable tool call"),
        ("vllm_no_parser: auto is refused", False, "拒绝了这个请求", "requires --enable-auto"),
    ],
)
async def test_whose_parser_reads_the_calls(
    tmp_path: Path, name: str, ok: bool, zh: str, en: str
) -> None:
    async with serving(named(name)) as server:
        _, found = await model_findings(Settings(model=server.url, data=tmp_path), tmp_path)
    assert found.ok is ok
    assert zh in found.text.zh and en in found.text.en
    mended = "--tool-call-parser hermes" in found.text.zh
    assert mended == (name != "vllm_hermes: order")
    assert server.asked[0]["tool_choice"] == "auto"


async def test_each_server_of_a_pool(tmp_path: Path) -> None:
    async with serving(named("vllm_hermes: order")) as server:
        pool = tmp_path / "models.yaml"
        pool.write_text(
            f"backends:\n  good: {{url: '{server.url}'}}\n"
            "  gone: {url: 'http://127.0.0.1:9/v1'}\n  mini: {embedded: bundled, tier: 1}\n"
            "  far: {url: 'https://cloud.example/v1', place: cloud}\n",
            encoding="utf-8",
        )
        found = await model_findings(Settings(pool=pool, data=tmp_path), tmp_path)
    assert [f.ok for f in found] == [True, False, True, True]
    assert "good" in found[0].text.en and "cannot be reached" in found[1].text.en
    assert "not tried" in found[3].text.en
