"""Pseudonyms of a session: a model sees ``[手机1]`` for a number and the person sees the number again.

A bracket, a word and a number are few tokens, say what they stand for, and end where they end, so
that small models copy them whole and ``[手机1]`` is no beginning of ``[手机12]``. Restoring forgives
other brackets, blanks and full-width digits, which models put in, and nothing else: a bare 手机1 is a
word. What looks like a pseudonym in a text that is hidden gets one itself, so that nobody receives
another's data by typing its pseudonym, and what was hidden is restored exactly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

_NAMES: Mapping[str, str] = {
    "resident_id": "证件", "bank_card": "银行卡", "mobile": "手机", "landline": "电话", "email": "邮箱",
    "uscc": "信用代码", "passport": "护照", "permit": "通行证", "plate": "车牌", "address": "地址",
    "bank_account": "账号", "ip": "网址", "api_key": "密钥", "person": "姓名",
}  # fmt: skip
_OTHER = "内容"
_QUOTED = "原文"
_ANY_NAME = "|".join(sorted({*_NAMES.values(), _OTHER, _QUOTED}, key=len, reverse=True))
_OPENING = r"\[【［〔"
_OPEN = re.compile(f"[{_OPENING}]")
_LIKE = re.compile(
    rf"[{_OPENING}][ \u3000]{{0,2}}({_ANY_NAME})[ \u3000]{{0,2}}([0-9０-９]{{1,6}})[ \u3000]{{0,2}}[\]】］〕]"
)
_BEGINNING = re.compile(rf"[{_OPENING}][ \u3000\w]*")
LONGEST = 1 + 2 + max(map(len, _NAMES.values())) + 2 + 6 + 2 + 1
"""Characters of the longest thing that is read as a pseudonym: what a stream is held back by."""

Place = tuple[int, int, str]


def _same(part: str, _: int) -> str:
    return part


class Pseudonyms:
    """Of one session. Two sessions know nothing of each other's."""

    def __init__(self) -> None:
        self._by_text: dict[tuple[str, str], str] = {}
        self._by_name: dict[tuple[str, int], str] = {}
        self._last: dict[str, int] = {}

    def hide(
        self, text: str, places: Iterable[Place], between: Callable[[str, int], str] = _same
    ) -> str:
        """``places`` are start, end and type, in order and apart. ``between`` is applied to what is
        not hidden, with the place where it begins."""
        hidden = list(places)
        hidden += [
            (m.start(), m.end(), _QUOTED)
            for m in _LIKE.finditer(text)
            if not any(start < m.end() and m.start() < end for start, end, _ in hidden)
        ]
        parts, at = [], 0
        for start, end, type_ in sorted(hidden):
            parts += [between(text[at:start], at), self._pseudonym(type_, text[start:end])]
            at = end
        return "".join([*parts, between(text[at:], at)])

    def restore(self, text: str) -> str:
        """Pseudonyms of this session become what they stand for; others stay as they are."""
        return _LIKE.sub(self._restored, text)

    def _restored(self, m: re.Match[str]) -> str:
        number = int(unicodedata.normalize("NFKC", m[2]))
        return self._by_name.get((m[1], number), m[0])

    def _pseudonym(self, type_: str, text: str) -> str:
        name = _QUOTED if type_ == _QUOTED else _NAMES.get(type_, _OTHER)
        known = self._by_text.get((name, text))
        if known is not None:
            return known
        number = self._last[name] = self._last.get(name, 0) + 1
        self._by_name[name, number] = text
        pseudonym = self._by_text[name, text] = f"[{name}{number}]"
        return pseudonym


class Restorer:
    """Restores an answer as it streams in: the same as restoring all of it, for every chunking."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._held = ""

    def push(self, chunk: str) -> str:
        if not self._held and _OPEN.search(chunk) is None:
            return chunk
        text = self._held + chunk
        at = self._begun(text)
        self._held = text[at:]
        return self._pseudonyms.restore(text[:at])

    def finish(self) -> str:
        held, self._held = self._held, ""
        return self._pseudonyms.restore(held)

    def _begun(self, text: str) -> int:
        """Where at the end a pseudonym may have begun."""
        for at in range(max(0, len(text) - LONGEST + 1), len(text)):
            if (
                text[at] in _OPENING
                and not _LIKE.match(text, at)
                and _BEGINNING.fullmatch(text, at)
            ):
                return at
        return len(text)
