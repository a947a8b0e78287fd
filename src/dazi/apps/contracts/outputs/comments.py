"""The Word file that was reviewed, with each finding as a comment on its words.

Text and formatting stay as they were: a run that a comment begins or ends in becomes two of the same
properties. Words that are split over runs, hyperlinks, insertions and cells are found. Comments (ECMA-376
part 1, 17.13.4) can stand in the body of a document only, which is all that a review reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from io import BytesIO
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from docx.text.run import Run

from dazi.apps.contracts.outputs.words import PRODUCT, told
from dazi.apps.contracts.places import Spot, Texts
from dazi.apps.contracts.reviewed import Remark
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.knowledge.parsing.archive import opened
from dazi.knowledge.parsing.refusals import Refused

_DROPPED = frozenset(
    map(qn, ("w:del", "w:moveFrom", "w:rt", "w:txbxContent"))
    ) | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}  # fmt: skip
_SIGNS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_TEXT, _RUN, _PARAGRAPH, _PROPERTIES = qn("w:t"), qn("w:r"), qn("w:p"), qn("w:rPr")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def with_comments(data: bytes, remarks: Sequence[Remark], language: Language) -> bytes:
    """``data`` is a .docx that was read before, within the limits of reading. What has no words in
    it, or words that are not found, is told at the beginning. Raises ``CallerError``."""
    try:
        opened(BytesIO(data)).close()
        document = Document(BytesIO(data))
    except (Refused, ValueError, KeyError) as e:
        raise CallerError(
            "not_word", "加批注要 .docx 文件", "comments can be put into .docx files"
        ) from e
    paragraphs = [p for p in document.element.body.iter(_PARAGRAPH) if _is_read(p)]
    paragraphs = [p for p in paragraphs if _text(p).strip()]
    if not paragraphs:
        return data
    texts = Texts([_text(p) for p in paragraphs])
    most = max((r.spot.first for r in remarks if r.spot is not None), default=0) or 1
    beginning = Spot(0, 0, 0, len(_text(paragraphs[0])))
    for remark in remarks:
        near = remark.spot.first / most if remark.spot is not None else 0.0
        spot = (texts.find(remark.quote, near) if remark.quote else None) or beginning
        first = _begins(paragraphs[spot.first], spot.start)
        last = _ends(paragraphs[spot.last], spot.end)
        document.add_comment(
            [Run(first, document), Run(last, document)],
            told(remark, language),
            PRODUCT(language),
            PRODUCT.en[0],
        )
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _is_read(paragraph: Any) -> bool:
    return not any(a.tag in _DROPPED for a in paragraph.iterancestors())


def _runs(paragraph: Any) -> Iterator[Any]:
    """Of this paragraph and no other that is within it (in a text box)."""
    for run in paragraph.iter(_RUN):
        inside = False
        for around in run.iterancestors():
            if around is paragraph:
                break
            if around.tag in _DROPPED or around.tag == _PARAGRAPH:
                inside = True
                break
        if not inside:
            yield run


def _text(paragraph: Any) -> str:
    return "".join(map(_text_of_run, _runs(paragraph)))


def _text_of_run(run: Any) -> str:
    return "".join(_text_of(part) for part in run)


def _text_of(part: Any) -> str:
    return (part.text or "") if part.tag == _TEXT else _SIGNS.get(part.tag, "")


def _begins(paragraph: Any, at: int) -> Any:
    """The run that begins with character ``at``, made by splitting one if there is none."""
    passed = 0
    for run in list(_runs(paragraph)):
        length = len(_text_of_run(run))
        if passed + length > at:
            return run if passed == at else _split(run, at - passed)
        passed += length
    raise AssertionError("unreachable: a spot is within its text")


def _ends(paragraph: Any, at: int) -> Any:
    """The run that ends before character ``at``, made by splitting one if there is none."""
    passed = 0
    for run in list(_runs(paragraph)):
        length = len(_text_of_run(run))
        if length and passed + length >= at:
            if passed + length > at:
                _split(run, at - passed)
            return run
        passed += length
    raise AssertionError("unreachable: a spot is within its text")


def _split(run: Any, at: int) -> Any:
    """Leaves ``at`` characters in the run; the rest is in a new one behind it, which is returned."""
    rest = deepcopy(run)
    passed = 0
    for kept, moved in zip(list(run), list(rest), strict=True):
        if kept.tag == _PROPERTIES:
            continue
        length = len(_text_of(kept))
        if passed >= at:
            run.remove(kept)
        elif passed + length <= at:
            rest.remove(moved)
        else:
            said = kept.text or ""
            for part, text in ((kept, said[: at - passed]), (moved, said[at - passed :])):
                part.text = text
                part.set(_SPACE, "preserve")
        passed += length
    run.addnext(rest)
    return rest
