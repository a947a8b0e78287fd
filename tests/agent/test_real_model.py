"""The bundled model in the real path: what must hold whatever the weights are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from dazi.agent.service import Ask
from dazi.core.errors import CallerError
from dazi.core.turn import TurnFinished
from dazi.inference.catalog import BUNDLED
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings

pytestmark = pytest.mark.skipif(
    not (BUNDLED / "openvino_model.xml").is_file(),
    reason="the bundled model is not there: whole turns with it are not tried",
)


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    opened = await open_runtime(Settings(data=tmp_path, today=date(2025, 4, 3)))
    yield opened
    await opened.close()


async def _ask(runtime: Runtime, user: str, text: str) -> TurnFinished:
    ask = Ask(runtime.directory.principal(user, "test"), f"t-{user}-{text[:20]}", text)
    return [e async for e in runtime.service.ask(ask) if isinstance(e, TurnFinished)][-1]


async def test_the_flagship_question(runtime: Runtime) -> None:
    end = await _ask(runtime, "customer", "我三天前下的订单 ORD12345 还没发货,怎么回事?")
    assert [(c.name, dict(c.arguments), c.outcome) for c in end.calls] == [
        ("get_order_status", {"order_id": "ORD12345"}, "ok")
    ]
    assert "打包" in end.answer and ("明天" in end.answer or "2025-04-04" in end.answer)
    theirs = await _ask(runtime, "customer2", "我的订单 ORD12345 到哪了?")
    assert [c.outcome for c in theirs.calls] == ["not_found"]
    assert "299" not in theirs.answer


async def test_a_message_of_a_hundred_thousand_tokens_is_refused_with_both_numbers(
    runtime: Runtime,
) -> None:
    with pytest.raises(CallerError) as caught:
        await _ask(runtime, "customer", "好" * 100_000)
    assert caught.value.code == "context_overflow"
    assert str(runtime.engine.profile.context_tokens) in caught.value.message("zh")
    assert "100" in caught.value.message("zh")
    end = await _ask(runtime, "customer", "ORD12345 到哪了?")
    assert end.calls[0].outcome == "ok"
