"""The texts of ``written.txt``: what is marked there must be found, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.guard.generate import Case

FILE = Path(__file__).with_name("written.txt")
_MARK = re.compile(r"\[\[(\w+)\|(.*?)\]\](?!\])", re.DOTALL)
_ESCAPES = {r"\n": "\n", r"\t": "\t"} | {
    rf"\u{code:04x}": chr(code) for code in (0x200B, 0x200D, 0xFEFF)
}


def written() -> Iterator[Case]:
    for line in FILE.read_text("utf-8").split("\n"):
        if line and not line.startswith("#"):
            yield _case(line)


def _case(line: str) -> Case:
    for escape, character in _ESCAPES.items():
        line = line.replace(escape, character)
    text, at, expected = "", 0, []
    for m in _MARK.finditer(line):
        text += line[at : m.start()]
        expected.append((len(text), len(text) + len(m[2]), m[1]))
        text += m[2]
        at = m.end()
    return Case(text + line[at:], tuple(expected))
