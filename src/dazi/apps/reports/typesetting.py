"""What is set with typst: pages of PDF, and charts as pictures. Fonts come with the package."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

FONTS = ("Noto Sans CJK SC", "Libertinus Serif")


@cache
def fonts() -> Path:
    found = find_spec("manimgx_fonts_cjk")
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def quoted(text: str) -> str:
    """A string of typst's: nothing in it can be markup."""
    return json.dumps(text, ensure_ascii=False)


def pdf(source: str) -> bytes:
    return _compiled(source, "pdf")


def png(svg: str, *, width_pt: float = 570.0, ppi: float = 144.0) -> bytes:
    lines = [
        f"#set page(width: {width_pt}pt, height: auto, margin: 0pt)",
        f"#set text(font: ({', '.join(map(quoted, FONTS))}))",
        f'#image(bytes({quoted(svg)}), format: "svg", width: 100%)',
    ]
    return _compiled("\n".join(lines), "png", ppi)


def _compiled(source: str, format: Literal["pdf", "png"], ppi: float | None = None) -> bytes:
    from typst import compile

    paths: list[str | bytes] = [str(fonts())]
    made = compile(
        source.encode(), font_paths=paths, ignore_system_fonts=True, format=format, ppi=ppi
    )
    assert isinstance(made, bytes)
    return made
