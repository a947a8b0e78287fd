"""PDFs that would take all memory or all time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from tests.knowledge.packing import MIB, inflating_to, zlib_stream

Made = tuple[str, str, Callable[[], bytes]]
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pdf(objects: dict[int, bytes | str], more: str = "") -> bytes:
    """A file of these objects; the first is its catalogue."""
    made = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in objects.items():
        places[number] = len(made)
        body = content.encode("latin-1") if isinstance(content, str) else content
        made += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(made)
    last = max(objects) + 1
    made += b"xref\n0 %d\n0000000000 65535 f \n" % last
    for number in range(1, last):
        at = places.get(number)
        made += b"0000000000 65535 f \n" if at is None else b"%010d 00000 n \n" % at
    made += f"trailer<</Size {last}/Root 1 0 R{more}>>\nstartxref\n{table}\n%%EOF".encode()
    return bytes(made)


def stream(data: bytes, head: str = "", length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return f"<<{head}/Length {size}>>stream\n".encode() + data + b"\nendstream"


def page(
    content: bytes,
    head: str = "",
    resources: str = "",
    more: dict[int, bytes | str] | None = None,
    box: str = "0 0 595 842",
) -> bytes:
    """One page with this content stream."""
    return pdf(
        {
            1: "<</Type/Catalog/Pages 2 0 R>>",
            2: "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R"
            f"/Resources<</Font<</F {FONT}>>{resources}>>>>",
            4: stream(content, head),
            **(more or {}),
        }
    )


TEXT = b"BT /F 12 Tf 72 700 Td (plain) Tj ET\n"


def flate(unit: bytes, times: int, before: bytes = b"") -> bytes:
    return zlib_stream(inflating_to(unit, times, before))


def pdf_bombs() -> Iterator[Made]:
    def made(name: str, make: Callable[[], bytes]) -> Made:
        return f"pdf {name}", ".pdf", make

    f = "/Filter/FlateDecode"
    yield made("content of a GiB", lambda: page(flate(b" " * MIB, 1000, TEXT), f))
    yield made("content of 200 MB of text", lambda: page(flate(TEXT * 20_000, 300), f))
    twice = "/Filter[/FlateDecode/FlateDecode]"
    yield made("content packed twice", lambda: page(zlib.compress(flate(b" " * MIB, 3000)), twice))
    many = "/Filter[" + "/FlateDecode" * 10_000 + "]"
    yield made("content packed 10,000 times", lambda: page(zlib.compress(b"x"), many))
    runs = "/Filter[/FlateDecode/RunLengthDecode]"
    yield made("run lengths", lambda: page(flate(b"\x81A" * (MIB // 2), 200), runs))
    yield made(
        "hex", lambda: page(flate(b"41" * (MIB // 2), 500), "/Filter[/FlateDecode/ASCIIHexDecode]")
    )
    yield made(
        "base 85", lambda: page(flate(b"z" * MIB, 300), "/Filter[/FlateDecode/ASCII85Decode]")
    )
    lzw = "/Filter[/FlateDecode/LZWDecode]"
    yield made("lzw", lambda: page(flate(b"\x80\x0b\x60\x50" * (MIB // 4), 300), lzw))
    columns = f"{f}/DecodeParms<</Predictor 15/Columns 2147483647/Colors 32/BitsPerComponent 16>>"
    yield made("predictor of two billion columns", lambda: page(flate(b"\x00" * MIB, 100), columns))
    yield made(
        "predictor of one column",
        lambda: page(
            flate(b"\x02\x01" * (MIB // 2), 500), f"{f}/DecodeParms<</Predictor 15/Columns 1>>"
        ),
    )
    yield from (made(n, m) for n, m in _trees())
    yield from (made(n, m) for n, m in _forms())
    yield from (made(n, m) for n, m in _pictures())
    yield from (made(n, m) for n, m in _objects())
    yield from (made(n, m) for n, m in _contents())


Named = tuple[str, Callable[[], bytes]]


def _trees() -> Iterator[Named]:
    catalogue = "<</Type/Catalog/Pages 2 0 R>>"
    yield (
        "tree that holds itself",
        lambda: pdf({1: catalogue, 2: "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>"}),
    )
    yield (
        "tree that goes round",
        lambda: pdf(
            {
                1: catalogue,
                2: "<</Type/Pages/Kids[3 0 R 3 0 R]/Count 1000>>",
                3: "<</Type/Pages/Parent 2 0 R/Kids[2 0 R 2 0 R]/Count 1000>>",
            }
        ),
    )
    deep = {n: f"<</Type/Pages/Kids[{n + 1} 0 R]/Count 1>>" for n in range(2, 50_000)}
    yield "tree 50,000 deep", lambda: pdf({1: catalogue, **deep, 50_000: "<</Type/Page>>"})
    doubling = {
        n: f"<</Type/Pages/Kids[{n + 1} 0 R {n + 1} 0 R]/Count {2 ** (31 - n)}>>"
        for n in range(2, 31)
    }
    yield "tree that doubles", lambda: pdf({1: catalogue, **doubling, 31: "<</Type/Page>>"})
    yield (
        "two billion pages",
        lambda: pdf(
            {
                1: catalogue,
                2: "<</Type/Pages/Kids[3 0 R]/Count 2147483647>>",
                3: "<</Type/Page/Parent 2 0 R>>",
            }
        ),
    )
    yield (
        "pages below zero",
        lambda: pdf(
            {
                1: catalogue,
                2: "<</Type/Pages/Kids[3 0 R]/Count -7>>",
                3: "<</Type/Page/Parent 2 0 R>>",
            }
        ),
    )
    kids = "3 0 R " * 3_000
    yield (
        "3,000 pages that are one",
        lambda: pdf(
            {
                1: catalogue,
                2: f"<</Type/Pages/Kids[{kids}]/Count 3000>>",
                3: "<</Type/Page/Parent 2 0 R>>",
            }
        ),
    )
    kids_too = "3 0 R " * 200_000
    yield (
        "200,000 pages that are one",
        lambda: pdf(
            {
                1: catalogue,
                2: f"<</Type/Pages/Kids[{kids_too}]/Count 200000>>",
                3: "<</Type/Page/Parent 2 0 R>>",
            }
        ),
    )
    yield "no pages", lambda: pdf({1: catalogue, 2: "<</Type/Pages/Kids[]/Count 0>>"})
    yield "catalogue that is no dictionary", lambda: pdf({1: "[1 0 R]"})


def _forms() -> Iterator[Named]:
    form = "/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
    itself = stream(b"/X Do /X Do", f"{form}/Resources<</XObject<</X 5 0 R>>>>")
    yield (
        "form that draws itself",
        lambda: page(b"/X Do", resources="/XObject<</X 5 0 R>>", more={5: itself}),
    )
    levels = {
        n: stream(b"/X Do " * 10, f"{form}/Resources<</XObject<</X {n + 1} 0 R>>>>")
        for n in range(5, 17)
    }
    last = stream(TEXT, f"{form}/Resources<</Font<</F {FONT}>>>>")
    yield (
        "forms that draw ten others, twelve levels",
        lambda: page(b"/X Do", resources="/XObject<</X 5 0 R>>", more={**levels, 17: last}),
    )
    glyph = "<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 65/LastChar 65"
    glyph += "/Widths[9]/Encoding<</Differences[65/a]>>/CharProcs<</a 6 0 R>>/Resources<</Font<</G 5 0 R>>>>>>"
    yield (
        "font whose letter is written in itself",
        lambda: page(
            b"BT /G 9 Tf (AAAA) Tj ET",
            resources="/Font<</G 5 0 R>>",
            more={5: glyph, 6: stream(b"9 0 0 0 9 9 d1 BT /G 9 Tf (AAAA) Tj ET")},
        ),
    )
    pattern = stream(
        b"/Pattern cs /P scn 0 0 9 9 re f",
        "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 1e-9/YStep 1e-9"
        "/Resources<</Pattern<</P 5 0 R>>>>",
    )
    yield (
        "pattern painted with itself",
        lambda: page(
            b"/Pattern cs /P scn 0 0 600 800 re f",
            resources="/Pattern<</P 5 0 R>>",
            more={5: pattern},
        ),
    )
    function = "<</FunctionType 3/Domain[0 1]/Functions[6 0 R 6 0 R]/Bounds[0.5]/Encode[0 1 0 1]>>"
    shading = "<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 1 1]/Function 6 0 R>>"
    yield (
        "function made of itself",
        lambda: page(b"/S sh", resources="/Shading<</S 5 0 R>>", more={5: shading, 6: function}),
    )


def _pictures() -> Iterator[Named]:
    head = "/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8"
    huge = f"{head}/Width 100000/Height 100000/Filter/FlateDecode"
    draw = b"q 500 0 0 800 0 0 cm /I Do Q"
    for name, filter_ in (
        ("picture of 30 GB", "FlateDecode"),
        ("jpx picture", "JPXDecode"),
        ("jbig2 picture", "JBIG2Decode"),
        ("fax picture", "CCITTFaxDecode"),
        ("jpeg picture", "DCTDecode"),
    ):
        image = stream(flate(b"\x00" * MIB, 1000), huge.replace("FlateDecode", filter_))
        yield name, lambda i=image: page(draw, resources="/XObject<</I 5 0 R>>", more={5: i})
    small = stream(b"\x00" * 100, f"{head}/Width 5/Height 5")
    yield (
        "a picture drawn a million times",
        lambda: page(
            flate(b"/I Do " * 1000, 1000), "/Filter/FlateDecode", "/XObject<</I 5 0 R>>", {5: small}
        ),
    )
    inline = b"BI /W 60000 /H 60000 /CS /RGB /BPC 8 /F /Fl ID " + flate(b"\x00" * MIB, 500) + b" EI"
    yield "inline picture of 10 GB", lambda: page(inline)
    mask = stream(flate(b"\x00" * MIB, 10), f"{huge}/SMask 5 0 R/Mask 5 0 R")
    yield (
        "picture that masks itself",
        lambda: page(draw, resources="/XObject<</I 5 0 R>>", more={5: mask}),
    )
    space = "/ColorSpace" + "[/Indexed" * 5000 + "/DeviceRGB" + " 1 (000000)]" * 5000
    image = stream(b"\x00" * 100, f"/Type/XObject/Subtype/Image/Width 5/Height 5{space}")
    yield "nested colours", lambda: page(draw, resources="/XObject<</I 5 0 R>>", more={5: image})
    yield "page of ten million points", lambda: page(TEXT, box="0 0 10000000 10000000")
    yield "page without width", lambda: page(TEXT, box="5 5 5 5")
    yield "page that is no number", lambda: page(TEXT, box="1e99 -1e99 9e999 nan")


def _objects() -> Iterator[Named]:
    catalogue, pages = "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>"
    leaf = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    yield "nested arrays", lambda: pdf({1: catalogue, 2: pages, 3: leaf, 4: "[" * 3_000_000})
    yield "nested dictionaries", lambda: pdf({1: catalogue, 2: pages, 3: "<</A" * 1_000_000})
    yield "nested arrays in the catalogue", lambda: pdf({1: "<</Type/Catalog/X" + "[" * 2_000_000})
    yield "nested content", lambda: page(b"[" * 3_000_000)
    for name, head in (
        ("object stream of a GiB", "/Type/ObjStm/N 1000000/First 10"),
        ("object stream that goes on in itself", "/Type/ObjStm/N 10/First 10/Extends 4 0 R"),
    ):
        body = stream(flate(b"1 0 " * (MIB // 4), 1000), f"{head}/Filter/FlateDecode")
        yield name, lambda b=body: _with_table(b)
    yield (
        "table of two billion objects",
        lambda: _table_stream("/Size 2147483647/W[1 4 2]/Index[0 2147483647]"),
    )
    yield (
        "table with wide columns",
        lambda: _table_stream("/Size 10/W[2147483647 2147483647 2147483647]"),
    )
    yield (
        "table packed from a GiB",
        lambda: _table_stream(
            "/Size 99999999/W[1 4 2]/Filter/FlateDecode",
            flate(b"\x01\x00\x00\x00\x09\x00\x00" * 9000, 9000),
        ),
    )
    base = page(TEXT)
    place = base.rindex(b"xref\n0")
    yield (
        "table before which it stands itself",
        lambda: base.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % place),
    )
    yield (
        "no table and a million objects",
        lambda: (
            b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n<<>>\nendobj\n" % n for n in range(1, 700_000))
        ),
    )
    yield (
        "length of two billion",
        lambda: pdf(
            {
                1: catalogue,
                2: pages,
                3: leaf.replace(">>", "/Contents 4 0 R>>"),
                4: stream(TEXT, length=2**31),
            }
        ),
    )
    yield (
        "length that is itself",
        lambda: pdf(
            {
                1: catalogue,
                2: pages,
                3: leaf.replace(">>", "/Contents 4 0 R>>"),
                4: b"<</Length 4 0 R>>stream\n" + TEXT + b"\nendstream",
            }
        ),
    )
    yield "references in a circle", lambda: pdf({1: catalogue, 2: "3 0 R", 3: "4 0 R", 4: "2 0 R"})
    name = "/" + "N" * 5_000_000
    yield "names of 5 MB", lambda: pdf({1: catalogue, 2: pages, 3: leaf, 4: f"<<{name} {name}>>"})
    yield (
        "encrypted",
        lambda: pdf({1: catalogue, 2: pages, 3: leaf, 4: _LOCK}, "/Encrypt 4 0 R/ID[<00><00>]"),
    )
    actions = "/OpenAction<</S/JavaScript/JS(while(1);)>>/AA<</O<</S/Launch/F(/bin/sh)>>>>"
    yield "scripts", lambda: pdf({1: f"<</Type/Catalog/Pages 2 0 R{actions}>>", 2: pages, 3: leaf})
    yield "half", lambda: page(TEXT * 1000)[:9000]
    yield "only a header", lambda: b"%PDF-1.7"
    yield "zeros", lambda: b"%PDF-1.7\n" + b"\x00" * (8 * MIB)
    yield "a picture that says it is one", lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 999
    yield "an archive that says it is one", lambda: b"PK\x03\x04" + page(TEXT)
    yield "a page that says it is one", lambda: b"<html><script>%PDF-1.7</script>" + page(TEXT)
    yield "a program that is one too", lambda: b"MZ\x90\x00" + page(TEXT)


_LOCK = "<</Filter/Standard/V 2/R 3/Length 128/P -1/O<" + "41" * 32 + ">/U<" + "42" * 32 + ">>>"


def _with_table(body: bytes) -> bytes:
    """Two objects of the page tree are said to be inside of stream 4."""
    made = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in ((1, b"<</Type/Catalog/Pages 2 0 R>>"), (4, body)):
        places[number] = len(made)
        made += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    rows = [(0, 0, 0), (1, places[1], 0), (2, 4, 0), (2, 4, 1), (1, places[4], 0)]
    data = b"".join(bytes([a]) + b.to_bytes(4, "big") + bytes([c]) for a, b, c in rows)
    at = len(made)
    made += b"9 0 obj\n" + stream(data, "/Type/XRef/Size 5/W[1 4 1]/Root 1 0 R") + b"\nendobj\n"
    return bytes(made) + b"startxref\n%d\n%%%%EOF" % at


def _table_stream(head: str, data: bytes = b"\x01\x00\x00\x00\x09\x00\x00" * 10) -> bytes:
    made = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    table = b"9 0 obj\n" + stream(data, f"/Type/XRef/Root 1 0 R{head}") + b"\nendobj\n"
    return made + table + b"startxref\n%d\n%%%%EOF" % len(made)


def _contents() -> Iterator[Named]:
    f = "/Filter/FlateDecode"
    yield "a million saved states", lambda: page(flate(b"q " * 1000, 3000), f)
    yield "a million fonts chosen", lambda: page(flate(b"BT /F 9 Tf (a) Tj ET " * 1000, 1000), f)
    yield "ten million lines drawn", lambda: page(flate(b"0 0 m 9 9 l S " * 1000, 10_000), f)
    yield "a text of 100 MB", lambda: page(flate(b"A" * MIB, 100, b"BT /F 9 Tf ("), f)
    yield (
        "ten million letters on one page",
        lambda: page(flate(b"(AAAAAAAAAA) Tj " * 1000, 1000, b"BT /F 1 Tf "), f),
    )
    yield (
        "letters far apart",
        lambda: page(flate(b"(A) Tj 99999 0 Td " * 1000, 100, b"BT /F 9 Tf "), f),
    )
    yield (
        "letters without size",
        lambda: page(flate(b"(AB) Tj 0 0 Td " * 1000, 60, b"BT /F 0 Tf "), f),
    )
    yield (
        "letters of endless size",
        lambda: page(b"BT /F 1e38 Tf 1e38 0 0 1e38 0 0 Tm (AB) Tj ET" * 99),
    )
    table = "".join(
        f"BT /F 9 Tf {50 + 200 * c} {9 * r} Td (x{r}) Tj ET "
        for r in range(9000)
        for c in (0, 1, 2)
    )
    yield "a table of 9,000 rows on a page", lambda: page(table.encode())
    cmap = (
        b"1 begincodespacerange <00><ff> endcodespacerange\n"
        + b"1 beginbfrange <0000> <ffff> <0041> endbfrange\n" * 20_000
    )
    font = "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts[7 0 R]>>"
    down = "<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(A)/Ordering(I)/Supplement 0>>/W[0 2147483647 5]>>"
    yield (
        "character map of endless ranges",
        lambda: page(
            b"BT /G 9 Tf <00410042> Tj ET",
            resources="/Font<</G 5 0 R>>",
            more={5: font, 6: stream(cmap), 7: down},
        ),
    )
