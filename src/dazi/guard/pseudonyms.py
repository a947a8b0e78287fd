"""Pseudonyms of one request: a model sees ``[手机1]`` for a number and the person sees the number again.

A bracket, a word and a number are few tokens, say what they stand for, and end where they end, so
that small models copy them whole and ``[手机1]`` is no beginning of ``[手机12]``. Restoring forgives
other brackets, blanks and full-width digits, which models put in, and nothing else: a bare 手机1 is a
word. What looks like a pseudonym in a text that is hidden gets one itself, so that nobody receives
another's data by typing its pseudonym, and what was hidden is restored exactly. In the JSON of a
call's arguments, characters may be written as ``\\u624b``, and a value is written as JSON has it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dazi.core.messages import dumps
from dazi.guard.folding import fold

_NAMES: Mapping[str, str] = {
    "resident_id": "证件", "bank_card": "银行卡", "mobile": "手机", "landline": "电话", "email": "邮箱",
    "uscc": "信用代码", "passport": "护照", "permit": "通行证", "plate": "车牌", "address": "地址",
    "bank_account": "账号", "ip": "网址", "api_key": "密钥", "person": "姓名",
}  # fmt: skip
_OTHER = "内容"
_QUOTED = "原文"
_OPENING = "[【［〔"
_CLOSING = "]】］〕"
_BLANKS = " \u3000"
_DIGITS = "0123456789０１２３４５６７８９"
_MOST_DIGITS = 6

Place = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Form:
    """How pseudonyms stand in a text. ``tokens`` finds whole ones, with name and number; what may
    be the beginning of one at the end of the text (``open``); and what is passed over. Where no
    character of ``starts`` is there is nothing to be found. ``longest``:
    characters of the longest thing that is read as one, which a stream is held back by."""

    tokens: re.Pattern[str]
    starts: re.Pattern[str]
    longest: int
    read: Callable[[str], str]
    write: Callable[[str], str]


def _form(*, json_text: bool) -> Form:
    one = _escapable if json_text else re.escape

    def any_of(characters: str) -> str:
        return f"(?:{'|'.join(map(one, characters))})"

    names = sorted({*_NAMES.values(), _OTHER, _QUOTED}, key=len, reverse=True)
    name = "|".join("".join(map(one, n)) for n in names)
    blanks = any_of(_BLANKS) + "{0,2}"
    digits = any_of(_DIGITS) + f"{{1,{_MOST_DIGITS}}}"
    whole = f"{any_of(_OPENING)}{blanks}({name}){blanks}({digits}){blanks}{any_of(_CLOSING)}"
    longest = 1 + 2 + max(map(len, names)) + 2 + _MOST_DIGITS + 2 + 1
    if not json_text:
        begun = rf"{any_of(_OPENING)}[ \u3000\w]{{0,{longest - 2}}}\Z"
        tokens = re.compile(rf"{whole}|(?P<open>{begun})")
        return Form(tokens, re.compile(f"[{re.escape(_OPENING)}]"), longest, _same, _same)
    longest *= len(r"\u3000")
    begun = rf"(?:{any_of(_OPENING)}[ \u3000\w\\]{{0,{longest}}}|\\(?:u[0-9a-fA-F]{{0,3}})?)\Z"
    # Two backslashes are one character, and begin nothing.
    tokens = re.compile(rf"{whole}|(?P<open>{begun})|\\[^u]")
    starts = re.compile(rf"[{re.escape(_OPENING)}\\]")
    return Form(tokens, starts, longest, _unescaped, lambda text: dumps(text)[1:-1])


def _escapable(c: str) -> str:
    return re.escape(c) if c.isascii() else rf"(?:{c}|(?i:\\u{ord(c):04x}))"


def _unescaped(text: str) -> str:
    return str(json.loads(f'"{text}"'))


def _same(text: str) -> str:
    return text


TEXT, JSON = _form(json_text=False), _form(json_text=True)


class Pseudonyms:
    """Of one request. Two know nothing of each other's."""

    def __init__(self) -> None:
        self._by_text: dict[tuple[str, str], str] = {}
        self._by_name: dict[tuple[str, int], str] = {}
        self._alike: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self.types: set[str] = set()
        """Of what was hidden."""

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Each pseudonym and what it stands for."""
        return ((pseudonym, text) for (_, text), pseudonym in self._by_text.items())

    def hide(self, text: str, places: Iterable[Place], *, alike: bool = False) -> str:
        """``places`` are start, end and type, apart from each other. What has a pseudonym already
        gets it wherever it stands. With ``alike``, in other spelling too."""
        hidden = list(places)
        if TEXT.starts.search(text) is not None:
            hidden += [
                (m.start(), m.end(), _QUOTED)
                for m in TEXT.tokens.finditer(text)
                if m[1] and not any(start < m.end() and m.start() < end for start, end, _ in hidden)
            ]
        hidden.sort()
        names = [self._pseudonym(type_, text[start:end], alike) for start, end, type_ in hidden]
        known = self._known(text)
        parts, at = [], 0
        for (start, end, _), name in zip(hidden, names, strict=True):
            parts += [known(text[at:start]), name]
            at = end
        return "".join([*parts, known(text[at:])])

    def like(self, text: str) -> str | None:
        """The pseudonym of what differs from ``text`` in its spelling alone: spaces, width, case."""
        return self._alike.get(_compact(text))

    def restore(self, text: str, form: Form = TEXT) -> str:
        """Pseudonyms of this request become what they stand for; others stay as they are."""

        def restored(m: re.Match[str]) -> str:
            if not m[1]:
                return m[0]
            number = int(unicodedata.normalize("NFKC", form.read(m[2])))
            found = self._by_name.get((form.read(m[1]), number))
            return m[0] if found is None else form.write(found)

        return form.tokens.sub(restored, text)

    def _known(self, text: str) -> Callable[[str], str]:
        """Puts the pseudonyms of what is known in its places, the longest first."""
        present = {t: p for (_, t), p in self._by_text.items() if len(t) > 1 and t in text}
        if not present:
            return _same
        longest = sorted(present, key=len, reverse=True)
        pattern = re.compile("|".join(map(_apart, longest)))
        return lambda part: pattern.sub(lambda m: present[m[0]], part)

    def _pseudonym(self, type_: str, text: str, alike: bool) -> str:
        name = _QUOTED if type_ == _QUOTED else _NAMES.get(type_, _OTHER)
        known = self._by_text.get((name, text)) or (self.like(text) if alike else "")
        if known:
            return known
        if type_ != _QUOTED:
            self.types.add(type_)
        number = self._last[name] = self._last.get(name, 0) + 1
        self._by_name[name, number] = text
        pseudonym = self._by_text[name, text] = f"[{name}{number}]"
        if (spelling := _compact(text)) and name != _QUOTED:
            self._alike.setdefault(spelling, pseudonym)
        return pseudonym


class Restorer:
    """Restores an answer as it streams in: the same as restoring all of it, for every chunking."""

    def __init__(self, pseudonyms: Pseudonyms, form: Form = TEXT) -> None:
        self._pseudonyms = pseudonyms
        self._form = form
        self._held = ""

    def push(self, chunk: str) -> str:
        if not self._held and self._form.starts.search(chunk) is None:
            return chunk
        text = self._held + chunk
        begun = next((m.start() for m in self._form.tokens.finditer(text) if m["open"]), len(text))
        self._held = text[begun:]
        return self._pseudonyms.restore(text[:begun], self._form)

    def finish(self) -> str:
        held, self._held = self._held, ""
        return self._pseudonyms.restore(held, self._form)


def _compact(text: str) -> str:
    return "".join(filter(str.isalnum, fold(text).text)).casefold()


def _apart(text: str) -> str:
    """Of letters and digits only what is no part of a longer word or number."""
    before = "(?<![0-9A-Za-z])" if _latin(text[0]) else ""
    behind = "(?![0-9A-Za-z])" if _latin(text[-1]) else ""
    return f"{before}{re.escape(text)}{behind}"


def _latin(c: str) -> bool:
    return c.isascii() and c.isalnum()
