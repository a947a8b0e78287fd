"""Writes ``main/setting_texts.py`` anew from the tables of docs/*/settings.md."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from dazi.main.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "src" / "dazi" / "main" / "setting_texts.py"
WIDEST = 84
HEAD = '''"""What each setting means, for people: the texts of docs/*/settings.md without their links.

``DAZI_TEXTS=1 pytest tests/console/test_settings_page.py`` writes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

TEXTS: Mapping[str, Text] = {
'''


def documented(language: str) -> dict[str, str]:
    """Texts by the names of settings, as plain text."""
    page = (ROOT / "docs" / language / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `DAZI_(\w+)` \|[^|]*\| (.*) \|$", page, re.MULTILINE)
    plain = {n: re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", t).replace("`", "") for n, t in rows}
    return {n.lower(): text for n, text in plain.items()}


def write() -> None:
    zh, en = documented("zh"), documented("en")
    names = [*(n for n in Settings.model_fields if n in zh), "lang"]
    entries = (f'    "{n}": Text(\n{_literal(zh[n])},\n{_literal(en[n])},\n    ),\n' for n in names)
    FILE.write_text(HEAD + "".join(entries) + "}\n", "utf-8")


def _literal(text: str) -> str:
    return "\n".join(f'        "{_escaped(line)}"' for line in _lines(text))


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace('"', '\\"')


def _lines(text: str) -> Iterator[str]:
    line = ""
    for word in re.findall(r"\S+\s*", text):
        for piece in _cut(word):
            if _width(line + piece) > WIDEST:
                yield line
                line = ""
            line += piece
    yield line


def _cut(word: str) -> Iterator[str]:
    piece = ""
    for c in word:
        if _width(piece + c) > WIDEST:
            yield piece
            piece = ""
        piece += c
    yield piece


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
