"""Reports in Markdown as a page or a PDF: headings, paragraphs, lists, tables and code, no more."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from dazi.core.errors import OperatorError

Form = Literal["markdown", "html", "pdf"]
CONTENT_TYPES: dict[Form, str] = {
    "markdown": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}
ENDINGS: dict[Form, str] = {"markdown": "md", "html": "html", "pdf": "pdf"}
FONT = "Noto Sans CJK SC"
_STYLE = (
    "body{font:15px/1.7 system-ui,sans-serif;max-width:860px;margin:40px auto;padding:0 20px}"
    "table{border-collapse:collapse;margin:12px 0}td,th{border:1px solid #ccc;padding:4px 10px;"
    "text-align:left}code{background:#f2f2f2;padding:1px 4px;overflow-wrap:anywhere}"
)


def as_paper(markdown: str, form: Form) -> bytes:
    """Raises ``OperatorError`` where the fonts for a PDF are not installed."""
    match form:
        case "markdown":
            return markdown.encode()
        case "html":
            return _html(markdown).encode()
        case "pdf":
            return _pdf(markdown)


def _html(markdown: str) -> str:
    from markdown_it import MarkdownIt

    title = next((x[2:] for x in markdown.splitlines() if x.startswith("# ")), "")
    body = MarkdownIt("js-default", {"html": False}).render(markdown)
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{_escaped(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}</body></html>\n"
    )


def _escaped(said: str) -> str:
    return said.replace("&", "&amp;").replace("<", "&lt;")


def _pdf(markdown: str) -> bytes:
    from typst import Fonts
    from typst import compile as typeset

    found = find_spec("manimgx_fonts_cjk")
    if found is None or not found.submodule_search_locations:
        raise OperatorError(
            "fonts",
            "没有装字体包 manimgx-fonts-cjk;用 HTML 或 Markdown,或装上它",
            "the fonts of manimgx-fonts-cjk are not installed; take HTML or Markdown, or install it",
        )
    folder = Path(next(iter(found.submodule_search_locations)))
    fonts = Fonts(include_system_fonts=False, font_paths=[folder])
    made: object = typeset(_typst(markdown).encode(), font_paths=fonts)
    assert isinstance(made, bytes)
    return made


def _typst(markdown: str) -> str:
    out = [
        "#set page(margin: 2cm)",
        f'#set text(font: ("{FONT}", "Libertinus Serif"), size: 10pt, lang: "zh")',
        "#set par(leading: 0.8em)",
    ]
    rows: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([c.strip() for c in line.strip().strip("|").split("|")])
            continue
        if rows:
            out.append(_table(rows))
            rows = []
        head = len(line) - len(line.lstrip("#"))
        if head and line[head : head + 1] == " ":
            out.append(f"{'=' * head} {_content(line[head + 1 :])}\n")
        elif line.startswith("- "):
            out.append(f"- {_content(line[2:])}")
        else:
            out.append(_content(line))
    return "\n".join(out)


def _table(rows: Sequence[Sequence[str]]) -> str:
    shown = [row for row in rows if set("".join(row)) - set("-: ")]
    width = max(map(len, shown))
    cells = [f"[{_content(c)}]" for row in shown for c in (*row, *[""] * (width - len(row)))]
    return f"#table(columns: {width}, {', '.join(cells)})\n"


def _content(said: str) -> str:
    """Text as a string of Typst's, so that nothing in it is markup; code in its own font."""
    parts = said.split("`")
    return "".join(
        f"#raw({_string(p)})" if n % 2 else f"#{_string(p)}" for n, p in enumerate(parts) if p
    )


def _string(said: str) -> str:
    return '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'
