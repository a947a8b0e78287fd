"""The model that ships, as it ships."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from dazi.inference.catalog import BUNDLED
from dazi.inference.runtime import load_genai

MINI = Path(__file__).resolve().parents[2] / "models" / "mini"
sys.path.insert(0, str(MINI))
pytestmark = pytest.mark.skipif(
    not (BUNDLED / "openvino_model.xml").is_file(),
    reason="the bundled model is not there: its files are not looked at",
)


def test_no_hanzi_of_the_data_or_of_names_is_broken() -> None:
    tokenizer = load_genai().Tokenizer(str(BUNDLED))
    names = "怡婷薇鑫睿晖沐祺梵婧妍昕淼焱琪瑶璇璐瑾玥珊芷萱"
    phrasings = (MINI / "phrasings").rglob("*.zh.txt")
    text = names + "".join(path.read_text(encoding="utf-8") for path in phrasings)
    hanzi = sorted({c for c in text if "\u4e00" <= c <= "\u9fff"})
    assert len(hanzi) > 2000
    encoded = (tokenizer.encode(c, add_special_tokens=False).input_ids for c in hanzi)
    broken = [c for c, ids in zip(hanzi, encoded, strict=True) if ids.shape[1] > 1]
    assert not broken


def test_what_ships_is_small_and_whole() -> None:
    files = {p.name: p.stat().st_size for p in BUNDLED.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "dazi_model.json"} <= set(files)
    assert sum(size for name, size in files.items() if name.startswith("openvino")) < 40e6


def test_its_replies_are_those_it_was_taught() -> None:
    """The profile that ships belongs to the answers that are written now."""
    from describe import replies

    shipped = json.loads((BUNDLED / "dazi_model.json").read_text(encoding="utf-8"))["replies"]
    assert sorted(map(tuple, shipped)) == sorted(map(tuple, replies()))
