"""What a turn looks like in a terminal."""

from __future__ import annotations

import pytest

from dazi.core.turn import Attachment
from dazi.main.terminal import show


def test_sources_are_told_by_number(capsys: pytest.CaptureFixture[str]) -> None:
    passages = [
        {"number": 2, "title": "差旅", "source": "travel.pdf 第 3 页", "text": "一"},
        {"number": 1, "title": "", "source": "a\x1b[2Jb.md", "text": "二"},
    ]
    statements = [{"text": "每晚 500 元。", "passage": 2}]
    data = {"cited": [2], "quote": "", "passages": passages, "statements": statements}
    show(Attachment("sources", "出处", data))
    assert capsys.readouterr().out.strip().splitlines() == [
        "出处",
        "[2] 差旅 · travel.pdf 第 3 页",
        "[1] a[2Jb.md",
        "  每晚 500 元。 [2]",
    ]
