"""Word documents and workbooks that would take all memory, all time, or what is not theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from tests.knowledge import samples
from tests.knowledge.packing import MIB, Entry, deflated, inflating_to, replaced, zipped

DOCUMENT = "word/document.xml"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
Made = tuple[str, str, Callable[[], bytes]]

LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(12)
)


@cache
def good_word() -> bytes:
    return samples.word()


@cache
def good_excel() -> bytes:
    return samples.excel(5)


def document(body: str) -> str:
    return f'<?xml version="1.0"?><w:document {W}><w:body>{body}</w:body></w:document>'


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def sheet(rows: str, before: str = "") -> str:
    return f'<?xml version="1.0"?><worksheet {S}>{before}<sheetData>{rows}</sheetData></worksheet>'


def _word(part: str, content: bytes | str | Entry) -> bytes:
    return replaced(good_word(), {part: content})


def _excel(part: str, content: bytes | str | Entry) -> bytes:
    return replaced(good_excel(), {part: content})


def _inflating(name: str, unit: bytes, times: int, before: str, after: str) -> Entry:
    stream = inflating_to(unit, times, before.encode(), after.encode())
    return Entry(name, stream, len(before) + len(unit) * times + len(after))


def _split(whole: str) -> tuple[str, str]:
    before, after = whole.split("@")
    return before, after


def declarations(secret: str) -> dict[str, str]:
    """Document types that no Office file has, and what their text would bring in."""
    return {
        "laughs": f"<!DOCTYPE x [{LAUGHS}]>@&l11;",
        "quadratic": f'<!DOCTYPE x [<!ENTITY q "{"q" * 100_000}">]>@{"&q;" * 20_000}',
        "external": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>@&e;',
        "network": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://192.0.2.1/x">]>@&e;',
        "parameter": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{secret}"> %p;]>@x',
        "dtd": f'<!DOCTYPE x SYSTEM "file://{secret}">@x',
        "endless": '<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>@&a;',
    }


def entities(secret: str) -> Iterator[Made]:
    for name, declared in declarations(secret).items():
        doctype, text = declared.split("@")
        whole = document(paragraph(text)).replace("?>", f"?>{doctype}", 1)
        rows = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'
        cells = sheet(rows).replace("?>", f"?>{doctype}", 1)
        strings = f'<?xml version="1.0"?>{doctype}<sst {S}><si><t>{text}</t></si></sst>'
        styles = f'<?xml version="1.0"?>{doctype}<w:styles {W}>{text}</w:styles>'
        book = f'<?xml version="1.0"?>{doctype}<workbook {S}>{text}</workbook>'
        yield f"docx {name}", ".docx", lambda w=whole: _word(DOCUMENT, w)
        yield f"xlsx sheet {name}", ".xlsx", lambda c=cells: _excel(SHEET, c)
        yield f"xlsx strings {name}", ".xlsx", lambda s=strings: _excel(STRINGS, s)
        if name in ("laughs", "external", "quadratic"):
            yield f"docx styles {name}", ".docx", lambda s=styles: _word("word/styles.xml", s)
            yield f"docx numbers {name}", ".docx", lambda s=styles: _word("word/numbering.xml", s)
            yield f"xlsx book {name}", ".xlsx", lambda b=book: _excel("xl/workbook.xml", b)
            yield f"xlsx styles {name}", ".xlsx", lambda b=book: _excel("xl/styles.xml", b)
        if name == "laughs":
            wide = whole.replace('version="1.0"', 'version="1.0" encoding="UTF-16"')
            yield "docx utf-16 laughs", ".docx", lambda w=wide: _word(DOCUMENT, w.encode("utf-16"))


def archives() -> Iterator[Made]:
    before, after = _split(document(paragraph("@")))
    big = _inflating(DOCUMENT, b"A" * MIB, 1000, before, after)
    yield "docx entry of a GiB", ".docx", lambda: _word(DOCUMENT, big)
    lying = Entry(DOCUMENT, big.packed, 1000)
    yield "docx entry that lies about its size", ".docx", lambda: _word(DOCUMENT, lying)
    unit = bytes(range(256)) * 24 + b"A" * (MIB - 256 * 24)
    dense = [_inflating(f"word/media/{n}.bin", unit, 50, "", "") for n in range(30)]
    yield "docx many big entries", ".docx", lambda: _word_and(dense)
    many = [Entry(f"word/media/{n}", b"\x03\x00", 0) for n in range(60_000)]
    yield "docx 60,000 entries", ".docx", lambda: _word_and(many)
    yield "docx half a million entries", ".docx", lambda: _flood(500_000)
    yield "docx overlapping entries", ".docx", _overlapping
    yield "docx nested archives", ".docx", lambda: _word("word/embeddings/x.zip", _nested(6))
    yield "xlsx nested archives as a sheet", ".xlsx", lambda: _excel(SHEET, _nested(6))
    for name in (
        "../../../tmp/x",
        "/".join(("", "tmp", "x")),
        "..\\..\\x",
        "C:\\x",
        "word/../../../x",
        "a\x00b",
        "w\n",
    ):
        yield f"docx path {name!r}", ".docx", lambda n=name: _word_and([Entry.of(n, "x")])
        yield f"xlsx path {name!r}", ".xlsx", lambda n=name: _excel(n, "x")
    link = Entry.of("word/media/l", "/etc/passwd", mode=0o120777)
    yield "docx symbolic link", ".docx", lambda: _word_and([link])
    main = Entry.of(DOCUMENT, "/etc/passwd", mode=0o120777)
    yield "docx main part is a link", ".docx", lambda: _word(DOCUMENT, main)
    twice = [Entry.of(DOCUMENT, document(paragraph("other")))]
    yield "docx doubled part", ".docx", lambda: _word_and(twice)
    yield (
        "docx doubled part in capitals",
        ".docx",
        lambda: _word_and([Entry.of("WORD/Document.xml", "x")]),
    )
    locked = Entry.of(DOCUMENT, "x", flags=0x801)
    yield "docx locked part", ".docx", lambda: _word(DOCUMENT, locked)
    for method in (12, 14, 93, 9, 99):
        odd = Entry(DOCUMENT, b"x" * 100, 1 << 30, method=method)
        yield f"docx packing method {method}", ".docx", lambda o=odd: _word(DOCUMENT, o)
    yield (
        "docx directory elsewhere",
        ".docx",
        lambda: good_word()[:-6] + b"\xff\xff\xff\x7f\x00\x00",
    )
    yield "docx half", ".docx", lambda: good_word()[: len(good_word()) // 2]
    yield "xlsx without its end", ".xlsx", lambda: good_excel()[:-100]
    yield "docx that is a workbook", ".docx", good_excel
    yield "xlsx that is a document", ".xlsx", good_word
    yield "docx of no bytes", ".docx", lambda: b""
    yield "docx only a header", ".docx", lambda: b"PK\x03\x04"


def _word_and(more: list[Entry]) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(good_word())) as old:
        kept = [Entry.of(i.filename, old.read(i)) for i in old.infolist()]
    return zipped([*kept, *more])


def _flood(count: int) -> bytes:
    """A directory of so many entries that all are the first one."""
    made = bytearray(zipped([Entry.of("a", "x")]))
    at = made.index(b"PK\x01\x02")
    end = made.index(b"PK\x05\x06")
    directory = bytes(made[at:end]) * count
    tail = bytearray(made[end:])
    tail[12:16] = len(directory).to_bytes(4, "little")
    return bytes(made[:at]) + directory + bytes(tail)


def _overlapping() -> bytes:
    """Every entry is the same packed megabytes: small on disk, a terabyte in sum."""
    kernel = zipped([_inflating("k", b"A" * MIB, 100, "", "")])
    at, end = kernel.index(b"PK\x01\x02"), kernel.index(b"PK\x05\x06")
    entry = kernel[at:end]
    names = [f"{n:01x}".encode()[-1:] for n in range(16)]
    directory = b"".join(entry[:-1] + n for n in names) * 60
    tail = bytearray(kernel[end:])
    tail[8:12] = len(names * 60).to_bytes(2, "little") * 2
    tail[12:16] = len(directory).to_bytes(4, "little")
    return kernel[:at] + directory + bytes(tail)


def _nested(levels: int) -> bytes:
    inner = zipped([_inflating("0", b"0" * MIB, 200, "", "")])
    for n in range(levels):
        inner = zipped([Entry(f"{n}{m}.zip", deflated(inner), len(inner)) for m in range(8)])
    return inner


def word_parts() -> Iterator[Made]:
    def body(text: str) -> Callable[[], bytes]:
        return lambda: _word(DOCUMENT, document(text))

    def filled(unit: str, times: int, whole: str) -> Callable[[], bytes]:
        before, after = _split(whole)
        return lambda: _word(DOCUMENT, _inflating(DOCUMENT, unit.encode(), times, before, after))

    yield "docx nested elements", ".docx", body("<w:x>" * 300_000)
    yield "docx nested tables", ".docx", body("<w:tbl><w:tr><w:tc>" * 50_000)
    yield "docx nested paragraphs", ".docx", body("<w:p>" * 200_000 + "</w:p>" * 200_000)
    noise = "".join(f"<w:p/><!--{n}-->" for n in range(4000))
    yield "docx millions of empty paragraphs", ".docx", filled(noise, 400, document("@"))
    cells = "<w:tc><w:p/></w:tc>" * 3000 + "".join(f"<!--{n * n}-->" for n in range(3000))
    wide = document("<w:tbl><w:tr>@</w:tr></w:tbl>")
    yield "docx a row of millions of cells", ".docx", filled(cells, 300, wide)
    span = '<w:tc><w:tcPr><w:gridSpan w:val="2147483647"/></w:tcPr><w:p/></w:tc>'
    yield "docx huge spans", ".docx", body(f"<w:tbl><w:tr>{span * 2000}</w:tr></w:tbl>" * 20)
    text = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(20_000))
    yield "docx a text of 60 MB", ".docx", filled(text, 1000, document(paragraph("@")))
    runs = "".join(f"<w:r><w:t>{n}</w:t></w:r>" for n in range(5000))
    yield (
        "docx a paragraph of millions of runs",
        ".docx",
        filled(runs, 600, document("<w:p>@</w:p>")),
    )
    names = "".join(f' a{n}="{n}"' for n in range(500_000))
    yield "docx half a million attributes", ".docx", body(f"<w:p{names}/>")
    yield "docx an attribute of 20 MB", ".docx", body(f'<w:p a="{text * 300}"/>')
    yield "docx a comment of 100 MB", ".docx", filled(text, 1600, document("<!--@-->"))
    yield "docx a name of 20 MB", ".docx", body(f"<w:{'p' * 20_000_000}/>")
    spaces = "".join(f' xmlns:a{n}="u{n}"' for n in range(100_000))
    yield "docx 100,000 namespaces", ".docx", body(f"<w:p{spaces}/>")
    styles = "".join(
        f'<w:style w:styleId="s{n}"><w:name w:val="n"/><w:basedOn w:val="s{n + 1}"/></w:style>'
        for n in range(5_000)
    )
    yield (
        "docx styles based on each other",
        ".docx",
        lambda: _word("word/styles.xml", f"<w:styles {W}>{styles}</w:styles>"),
    )
    yield (
        "docx unknown encoding",
        ".docx",
        lambda: _word(DOCUMENT, document("x").replace('"1.0"', '"1.0" encoding="x-none"')),
    )
    include = (
        '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
    )
    yield "docx include", ".docx", body(include)
    yield (
        "docx picture of 60,000 by 60,000",
        ".docx",
        lambda: _word_and([Entry.of("word/media/image1.png", _png())]),
    )


def _png() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    pixels = b"\x78\xda" + inflating_to(b"\x00" * MIB, 500)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def excel_parts() -> Iterator[Made]:
    def rows(text: str, before: str = "") -> Callable[[], bytes]:
        return lambda: _excel(SHEET, sheet(text, before))

    def filled(unit: str, times: int, whole: str) -> Callable[[], bytes]:
        before, after = _split(whole)
        return lambda: _excel(SHEET, _inflating(SHEET, unit.encode(), times, before, after))

    most = '<dimension ref="A1:XFD1048576"/>'
    one = '<row r="1"><c r="A1"><v>1</v></c></row>'
    yield "xlsx enormous dimension", ".xlsx", rows(one, most)
    yield "xlsx impossible dimension", ".xlsx", rows(one, '<dimension ref="A1:ZZZ99999999999"/>')
    yield "xlsx a row at two billion", ".xlsx", rows('<row r="2147483647"><c><v>1</v></c></row>')
    yield "xlsx a row at 10^18", ".xlsx", rows(f'<row r="{10**18}"><c><v>1</v></c></row>')
    yield (
        "xlsx a cell at two billion",
        ".xlsx",
        rows('<row r="1"><c r="A2147483647"><v>1</v></c></row>'),
    )
    yield "xlsx a row below zero", ".xlsx", rows('<row r="-5"><c r="A1"><v>1</v></c></row>' + one)
    yield (
        "xlsx a column that is none",
        ".xlsx",
        rows('<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>'),
    )
    empty = "".join(f"<row/><!--{n * n}-->" for n in range(4000))
    yield "xlsx millions of empty rows", ".xlsx", filled(empty, 400, sheet("@"))
    wide = "".join(f'<row><c r="XFD{n}"><v>{n}</v></c></row>' for n in range(1, 4000))
    yield "xlsx wide rows", ".xlsx", filled(wide, 100, sheet("@"))
    cells = "".join(f"<c/><!--{n * n}-->" for n in range(4000))
    yield "xlsx a row of millions of cells", ".xlsx", filled(cells, 400, sheet("<row>@</row>"))
    before_rows = "".join(f'<col min="1" max="16384"/><!--{n}-->' for n in range(4000))
    whole = sheet(one, "<cols>@</cols>")
    yield "xlsx millions of columns", ".xlsx", filled(before_rows, 200, whole)
    yield "xlsx nested elements", ".xlsx", rows("<x>" * 300_000)
    merged = "".join(f'<mergeCell ref="A{n}:XFD{n}"/>' for n in range(1, 5000))
    after = f"<mergeCells>{merged * 20}</mergeCells></worksheet>"
    yield (
        "xlsx 100,000 merged ranges",
        ".xlsx",
        lambda: _excel(SHEET, sheet(one).replace("</worksheet>", after)),
    )
    string = "".join(f"<si><t>{n * n}</t></si>" for n in range(5000))
    before, end = _split(f"<sst {S}>@</sst>")
    many = _inflating(STRINGS, string.encode(), 600, before, end)
    yield "xlsx millions of strings", ".xlsx", lambda: _excel(STRINGS, many)
    text = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(20_000))
    before, end = _split(f"<sst {S}><si><t>@</t></si></sst>")
    long = _inflating(STRINGS, text.encode(), 2000, before, end)
    yield "xlsx a string of 120 MB", ".xlsx", lambda: _excel(STRINGS, long)
    far = '<row r="1"><c r="A1" t="s"><v>999999999</v></c></row>'
    yield "xlsx a string that is not there", ".xlsx", rows(far)
    digits = f'<row r="1"><c r="A1"><v>{"9" * 3_000_000}</v></c></row>'
    yield "xlsx a number of three million digits", ".xlsx", rows(digits)
    yield (
        "xlsx a number of 10^999999999",
        ".xlsx",
        rows('<row><c r="A1"><v>1e999999999</v></c></row>'),
    )
    again = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 30_000))
    r = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    book = f"<workbook {S} {r}><sheets>{again}</sheets></workbook>"
    yield "xlsx 30,000 sheets that are one", ".xlsx", lambda: _excel("xl/workbook.xml", book)
    defined = "".join(f'<definedName name="n{n}">A1</definedName>' for n in range(100_000))
    names = f"<workbook {S} {r}><definedNames>{defined}</definedNames></workbook>"
    yield "xlsx 100,000 names", ".xlsx", lambda: _excel("xl/workbook.xml", names)
    formats = "".join(f'<xf numFmtId="{n}"/>' for n in range(300_000))
    styles = f"<styleSheet {S}><cellXfs>{formats}</cellXfs></styleSheet>"
    yield "xlsx 300,000 formats", ".xlsx", lambda: _excel("xl/styles.xml", styles)
    code = f'<numFmt numFmtId="200" formatCode="{"[h]" * 200_000}"/>'
    odd = f'<styleSheet {S}><numFmts>{code}</numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>'
    yield "xlsx a format of 600 KB", ".xlsx", lambda: _excel("xl/styles.xml", odd)


def office_bombs(secret: str) -> Iterator[Made]:
    yield from entities(secret)
    yield from archives()
    yield from word_parts()
    yield from excel_parts()
