"""A small reader of the EBNF dialect that grammars are written in: draws samples and matches text."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<cls>\[(?:[^\]\\]|\\.)*\])"""
    r"""|(?P<tag>TagDispatch\((?:[^()"]|"(?:[^"\\]|\\.)*"|\((?:[^()"]|"(?:[^"\\]|\\.)*")*\))*\))"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<count>\{\d+(?:,\d*)?\})|(?P<op>[|()*+?])"""
)
_ESCAPE = re.compile(r'\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(["\\nrt]))')
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}
_SAMPLE_CHARS = "ab Z09-_.,:/'{}[]()<>甲乙丙é😀"


def _unescape(body: str) -> str:
    assert "\\" not in _ESCAPE.sub("", body), body

    def one(m: re.Match[str]) -> str:
        if m[1] or m[2]:
            return chr(int(m[1] or m[2], 16))
        return _PLAIN.get(m[3], m[3])

    return _ESCAPE.sub(one, body)


@dataclass(frozen=True)
class Chars:
    negated: bool
    ranges: tuple[tuple[str, str], ...]

    def __contains__(self, c: str) -> bool:
        return any(low <= c <= high for low, high in self.ranges) != self.negated


def _chars(token: str) -> Chars:
    body = token[1:-1]
    negated = body.startswith("^")
    items = re.findall(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\.|.", body[negated:], re.S)
    ranges = []
    i = 0
    while i < len(items):
        low = _unescape(items[i])
        high = low
        if items[i + 1 : i + 2] == ["-"] and i + 2 < len(items):
            high = _unescape(items[i + 2])
            i += 2
        ranges.append((low, high))
        i += 1
    return Chars(negated, tuple(ranges))


class Grammar:
    """Rules as nested tuples: ("lit", text) ("cls", Chars) ("ref", name) ("seq" | "alt", nodes)
    ("rep", node, low, high) ("tag", text)."""

    def __init__(self, source: str) -> None:
        self.rules: dict[str, Any] = {}
        for line in source.splitlines():
            name, _, body = line.partition(" ::= ")
            assert body, line
            assert name not in self.rules, name
            self.rules[name] = self._parse(body)
        for ref in self._refs(list(self.rules.values())):
            assert ref in self.rules, f"{ref} is not defined"

    def _refs(self, node: Any) -> list[str]:
        if isinstance(node, tuple) and node and node[0] == "ref":
            return [node[1]]
        children = node if isinstance(node, tuple | list) else ()
        return [r for child in children for r in self._refs(child)]

    def _parse(self, body: str) -> Any:
        tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(body):
            m = _TOKEN.match(body, at)
            assert m, body[at:]
            assert m.lastgroup
            if m.lastgroup != "space":
                tokens.append((m.lastgroup, m.group()))
            at = m.end()
        node, end = self._alt(tokens, 0)
        assert end == len(tokens), body
        return node

    def _alt(self, tokens: list[tuple[str, str]], i: int) -> tuple[Any, int]:
        options = []
        while True:
            parts = []
            while i < len(tokens) and tokens[i] not in (("op", "|"), ("op", ")")):
                part, i = self._part(tokens, i)
                parts.append(part)
            assert parts, "an empty alternative"
            options.append(("seq", parts))
            if i == len(tokens) or tokens[i][1] == ")":
                return ("alt", options), i
            i += 1

    def _part(self, tokens: list[tuple[str, str]], i: int) -> tuple[Any, int]:
        kind, text = tokens[i]
        i += 1
        node: Any
        if kind == "string":
            node = ("lit", _unescape(text[1:-1]))
        elif kind == "cls":
            node = ("cls", _chars(text))
        elif kind == "name":
            node = ("ref", text)
        elif kind == "tag":
            node = ("tag", text)
        else:
            assert text == "(", text
            node, i = self._alt(tokens, i)
            i += 1
        if i < len(tokens) and (tokens[i][1] in "*+?" or tokens[i][0] == "count"):
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(tokens[i][1], (-1, None))
            if low < 0:
                first, comma, last = tokens[i][1][1:-1].partition(",")
                low, high = int(first), int(last) if last else (None if comma else int(first))
            node, i = ("rep", node, low, high), i + 1
        return node, i

    def sample(self, r: random.Random, node: Any = None, depth: int = 0) -> str:
        node = node or self.rules["root"]
        match node:
            case ("lit", text):
                return str(text)
            case ("cls", chars):
                pool = [c for c in _SAMPLE_CHARS if c in chars]
                pool += [chr(r.randint(ord(a), ord(b))) for a, b in chars.ranges if a >= " "]
                return r.choice([c for c in pool if c in chars])
            case ("ref", name):
                return self.sample(r, self.rules[name], depth + 1)
            case ("seq", parts):
                return "".join(self.sample(r, p, depth) for p in parts)
            case ("alt", options):
                cheap = [o for o in options if not self._refs(o)]
                return self.sample(r, r.choice(cheap if depth > 60 and cheap else options), depth)
            case ("rep", inner, low, high):
                top = low if depth > 60 else (high if high is not None else low + 3)
                return "".join(self.sample(r, inner, depth) for _ in range(r.randint(low, top)))
        raise AssertionError(node)

    def matches(self, text: str) -> bool:
        memo: dict[tuple[str, int], frozenset[int]] = {}

        def ends(node: Any, at: int) -> frozenset[int]:
            match node:
                case ("lit", t):
                    return frozenset([at + len(t)]) if text.startswith(t, at) else frozenset()
                case ("cls", chars):
                    hit = at < len(text) and text[at] in chars
                    return frozenset([at + 1]) if hit else frozenset()
                case ("ref", name):
                    if (name, at) not in memo:
                        memo[name, at] = ends(self.rules[name], at)
                    return memo[name, at]
                case ("seq", parts):
                    now = frozenset([at])
                    for part in parts:
                        now = frozenset(e for s in now for e in ends(part, s))
                    return now
                case ("alt", options):
                    return frozenset(e for o in options for e in ends(o, at))
                case ("rep", inner, low, high):
                    now, out, n = frozenset([at]), frozenset(), 0
                    seen: set[int] = set()
                    while now and (high is None or n <= high):
                        if n >= low:
                            out |= now
                            now -= seen
                            seen |= now
                        now = frozenset(e for s in now for e in ends(inner, s))
                        n += 1
                    return out
            raise AssertionError(node)

        return len(text) in ends(self.rules["root"], 0)
