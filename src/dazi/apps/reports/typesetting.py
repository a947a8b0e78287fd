"""What is set with typst: pages of PDF, and charts as pictures. Fonts come with the package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

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
    made = _compiled(source, "pdf")
    assert isinstance(made, bytes)
    return made


def pngs(svgs: Sequence[str], *, width_pt: float = 570.0, ppi: float = 144.0) -> list[bytes]:
    """A picture of each drawing. All at once: the fonts are read once."""
    if not svgs:
        return []
    lines = [
        f"#set page(width: {width_pt}pt, height: auto, margin: 0pt)",
        f"#set text(font: ({', '.join(map(quoted, FONTS))}))",
        "#pagebreak()\n".join(
            f'#image(bytes({quoted(svg)}), format: "svg", width: 100%)\n' for svg in svgs
        ),
    ]
    made = _compiled("\n".join(lines), "png", ppi)
    return list(made) if isinstance(made, list) else [made]


def _compiled(
    source: str, format: Literal["pdf", "png"], ppi: float | None = None
) -> bytes | list[bytes]:
    from typst import compile

    paths: Any = [fonts()]  # its stub wants these of the same type as the source
    made: bytes | list[bytes] = compile(
        source.encode(), font_paths=paths, ignore_system_fonts=True, format=format, ppi=ppi
    )
    return made
