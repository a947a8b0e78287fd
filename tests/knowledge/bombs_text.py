"""Pages, Markdown and plain text that would take all memory or all time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.knowledge.packing import MIB

Made = tuple[str, str, Callable[[], bytes]]


def text_bombs() -> Iterator[Made]:
    for name, text in _pages():
        yield f"html {name}", ".html", lambda t=text: t().encode()
    for name, text in _markdown():
        yield f"markdown {name}", ".md", lambda t=text: t().encode()
    yield from _plain()


def _pages() -> Iterator[tuple[str, Callable[[], str]]]:
    deep = 300_000
    yield "nested", lambda: "<div>" * deep + "x"
    yield "nested and closed", lambda: "<div>" * deep + "x" + "</div>" * deep
    yield "nested emphasis", lambda: "<b>" * deep + "x"
    yield "misplaced emphasis", lambda: "<b><i><p>" * 3_000 + "</b></i>" * 3_000
    yield "misplaced links", lambda: "<a><table><a>" * 20_000
    yield "nested tables", lambda: "<table><tr><td>" * 100_000 + "x"
    yield "text before tables", lambda: "<table>x" * 100_000
    yield "nested lists", lambda: "<ul><li>" * 100_000 + "x"
    yield "nested headings", lambda: "<h1><span>" * 100_000 + "x"
    yield "nested pictures", lambda: "<svg><g>" * 100_000 + "<text>x"
    yield "nested formulas", lambda: "<math><mtext><mglyph><math>" * 50_000
    yield "nested templates", lambda: "<template>" * 100_000
    yield "nested choices", lambda: "<select><option>" * 100_000
    yield "attributes", lambda: "<p" + "".join(f" a{n}=1" for n in range(500_000)) + ">x"
    yield "an attribute of 50 MB", lambda: f"<p a='{'x' * 50_000_000}'>x"
    yield "entities", lambda: "&lt;&#x4e2d;&notit;" * 1_000_000
    yield "a script without end", lambda: "x<script>" + "a<!--<script>" * 500_000
    yield "a comment without end", lambda: "x<!--" + "--!-" * 1_000_000
    yield (
        "spans of two billion",
        lambda: "<table>" + "<tr><td colspan=2147483647 rowspan=2147483647>x" * 5_000,
    )
    yield "a row of a million cells", lambda: "<table><tr>" + "<td>x" * 1_000_000
    yield "a million paragraphs", lambda: "<p>x" * 1_000_000
    yield "two million paragraphs", lambda: "<p>x" * 2_000_000
    yield "a text of 60 MB", lambda: "字" * 20_100_000
    yield "a list from 10^18", lambda: f"<ol start={10**18}>" + "<li>x" * 1000
    yield (
        "a file it names",
        lambda: "<iframe src=file:///etc/passwd></iframe><p>x<img src=//192.0.2.1>",
    )


def _markdown() -> Iterator[tuple[str, Callable[[], str]]]:
    n = 50_000
    yield "nested quotes", lambda: ">" * n + "x"
    yield "nested lists", lambda: "- " * n + "x"
    yield "nested lists by lines", lambda: "".join("  " * k + "- x\n" for k in range(2_000))
    yield "brackets", lambda: "[" * n + "x"
    yield "pictures", lambda: "![" * n + "x"
    yield "links in links", lambda: "[a](" * n
    yield "brackets closed", lambda: "[" * n + "x" + "](u)" * n
    yield "stars", lambda: "*a_" * n
    yield "stars closed", lambda: "**a " * n + " a**" * n
    yield "ticks", lambda: "".join("`" * k + " " for k in range(1, 1_500))
    yield "angles", lambda: "<" * n
    yield "angles with names", lambda: "<a b=" * n
    yield "comments", lambda: "<!--" * n
    yield "backslashes", lambda: "\\" * n * 10
    yield "references", lambda: "".join(f"[r{k}]: u\n" for k in range(n))
    yield "references without end", lambda: "[a]: " * n
    yield "a table of 50,000 columns", lambda: "|a" * n + "\n" + "|-" * n + "\n" + "|b" * n
    yield (
        "a table of short rows",
        lambda: "|a" * 5_000 + "\n" + "|-" * 5_000 + "\n" + "|b\n" * 20_000,
    )
    yield "fences", lambda: "```\n" * n
    yield "headings", lambda: "# x\n" * 300_000
    yield "rules", lambda: "---\n" * 300_000
    yield "empty lines", lambda: "\n" * 20_000_000
    yield "one line of 15 MB", lambda: "word " * 3_000_000
    yield "html in it", lambda: "<div>\n" * n


def _plain() -> Iterator[Made]:
    yield "text of 100 MB", ".txt", lambda: b"0123456789abcde " * (100 * MIB // 16)
    yield "text in one line", ".txt", lambda: b"x" * (40 * MIB)
    yield "text of empty lines", ".txt", lambda: b"\n" * (60 * MIB)
    yield "text of short lines", ".txt", lambda: b"a\n\n" * 2_000_000
    yield "text of headings", ".txt", lambda: "第一章 总则\n".encode() * 1_500_000
    yield "text of clause numbers", ".txt", lambda: b"1.1.1.1.1.1.1.1" * (4 * MIB)
    yield "text of zeros", ".txt", lambda: b"\x00" * (20 * MIB)
    yield "text of halves", ".txt", lambda: b"\x81" * (20 * MIB) + b"\xff"
    yield "text that is a program", ".txt", lambda: b"\x7fELF" + bytes(range(256)) * 9000
    yield "text that is an archive", ".txt", lambda: b"PK\x03\x04" + b"x" * 999
    yield "text that is a document", ".txt", lambda: b"%PDF-1.7\n"
    yield "text of no bytes", ".txt", lambda: b""
    yield "text of halves of characters", ".txt", lambda: b"\xff\xfe" + b"\x00\xd8" * 99_999
    yield "text of marks", ".txt", lambda: "e\u0301\u202e\u200b".encode() * 900_000
    yield "markdown of zeros", ".md", lambda: b"# x\n" + b"\x00" * 999
    yield "an old Word file", ".docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 9999
    yield (
        "an old Word file that lies",
        ".docx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 9999,
    )
