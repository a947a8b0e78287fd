"""The output parser gives the same events wherever the stream is cut."""

from __future__ import annotations

import itertools
import random

import pytest

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    EngineEvent,
    ReasoningDelta,
    TextDelta,
)
from dazi.inference.parse import Calls, OutputParser
from dazi.inference.template import call_text


def parse(*pieces: str, calls: Calls = "parse") -> list[EngineEvent]:
    parser = OutputParser(calls)
    events = [e for piece in pieces for e in parser.feed(piece)]
    return events + parser.finish()


def merged(events: list[EngineEvent]) -> list[EngineEvent]:
    """Neighbouring deltas of one kind joined."""
    out: list[EngineEvent] = []
    for e in events:
        last = out[-1] if out else None
        match e, last:
            case TextDelta(b), TextDelta(a):
                out[-1] = TextDelta(a + b)
            case ReasoningDelta(b), ReasoningDelta(a):
                out[-1] = ReasoningDelta(a + b)
            case CallArgumentsDelta(i, b), CallArgumentsDelta(j, a) if i == j:
                out[-1] = CallArgumentsDelta(i, a + b)
            case _:
                out.append(e)
    return out


def call(index: int, name: str, arguments: str) -> list[EngineEvent]:
    deltas: list[EngineEvent] = [CallArgumentsDelta(index, arguments)] if arguments else []
    return [CallStarted(index, name), *deltas, CallDone(index, name, arguments)]


WEATHER = call_text("weather", '{"city": "上海"}')
CASES: dict[str, tuple[str, list[EngineEvent]]] = {
    "plain": ("你好，a < b 😀 \n", [TextDelta("你好，a < b 😀 \n")]),
    "one call": (WEATHER, call(0, "weather", '{"city": "上海"}')),
    "no arguments": (call_text("now", "{}"), call(0, "now", "{}")),
    "text around": (
        f"好的。\n\n{WEATHER}\n\n完了",
        [TextDelta("好的。"), *call(0, "weather", '{"city": "上海"}'), TextDelta("完了")],
    ),
    "two calls": (
        f"{WEATHER}\n{call_text('b', '[1]')}",
        [*call(0, "weather", '{"city": "上海"}'), *call(1, "b", "[1]")],
    ),
    "thinking": (
        f"<think>\n想 <tool_call> 一下\n</think>\n\n{WEATHER}",
        [ReasoningDelta("想 <tool_call> 一下"), *call(0, "weather", '{"city": "上海"}')],
    ),
    "empty thinking": ("<think>\n\n</think>\n\n好", [TextDelta("好")]),
    "thinking cut off": ("<think>想</thi", [ReasoningDelta("想")]),
    "stray closing tags": ("a</think>\nb</tool_call> c", [TextDelta("abc")]),
    "tag cut off": ("好 <tool_ca", [TextDelta("好")]),
    "a lone less-than": ("1 <", [TextDelta("1 <")]),
    "closing tag in a string": (
        call_text("note", '{"t": "a</tool_call>b\\"}"}'),
        call(0, "note", '{"t": "a</tool_call>b\\"}"}'),
    ),
    "cut off in the arguments": (
        '<tool_call>\n{"name": "a", "arguments": {"x": "1',
        call(0, "a", '{"x": "1'),
    ),
    "cut off in the closing tag": (f"{WEATHER[:-4]}", call(0, "weather", '{"city": "上海"}')),
    "cut off at once": ("<tool_call>\n", []),
    "a brace missing": (
        '<tool_call>\n{"name": "a", "arguments": {"x": 1}\n</tool_call>好',
        [*call(0, "a", '{"x": 1}'), TextDelta("好")],
    ),
    "a brace too many": (
        '<tool_call>{"name": "a", "arguments": {"x": 1}}}</tool_call>好',
        [*call(0, "a", '{"x": 1}'), TextDelta("好")],
    ),
    "a quote missing": (
        '<tool_call>\n{"name": "a", "arguments": {"x": "1}}\n</tool_call>好',
        [*call(0, "a", '{"x": "1}}'), TextDelta("好")],
    ),
    "no JSON": (
        "<tool_call>\nweather(上海)\n</tool_call>",
        call(0, "", "weather(上海)"),
    ),
    "arguments first": (
        '<tool_call>{"arguments": {"x": [1, "}"]}, "name": "a"}</tool_call>',
        call(0, "a", '{"x": [1, "}"]}'),
    ),
    "parameters": (
        '<tool_call>{"name": "a", "parameters": {"x": 1}}</tool_call>',
        call(0, "a", '{"x": 1}'),
    ),
    "another key": (
        '<tool_call>{ "name":"a" ,"arguments" : {"x": 1} , "id": 3}</tool_call>',
        call(0, "a", '{"x": 1}'),
    ),
    "an escaped name": (
        r'<tool_call>{"name": "a\u4e0a\"b", "arguments": 3}</tool_call>',
        call(0, 'a上"b', "3"),
    ),
    "closing tag forgotten": (
        f"{WEATHER.removesuffix('</tool_call>')}{WEATHER}",
        [*call(0, "weather", '{"city": "上海"}'), *call(1, "weather", '{"city": "上海"}')],
    ),
    "closing tag forgotten at the end": (
        f"{WEATHER.removesuffix('</tool_call>')}再见",
        [*call(0, "weather", '{"city": "上海"}'), TextDelta("再见")],
    ),
    "a list": ("<tool_call>[1, 2]</tool_call>", call(0, "", "[1, 2]")),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_split_point_gives_the_same_events(case: str) -> None:
    text, expected = CASES[case]
    assert merged(parse(text)) == expected
    assert merged(parse(*text)) == expected
    for i in range(len(text) + 1):
        assert merged(parse(text[:i], text[i:])) == expected, text[:i]
    for i, j in itertools.combinations(range(len(text) + 1), 2):
        assert merged(parse(text[:i], text[i:j], text[j:])) == expected


@pytest.mark.parametrize("seed", range(300))
def test_random_soup_is_split_invariant_and_leaks_no_tag(seed: int) -> None:
    r = random.Random(seed)
    bits = ["<tool_call>", "</tool_call>", "<think>", "</think>", "\n", " ", '{"name": "a", ']
    bits += ['"arguments": {"x": "y"}}', WEATHER, "好", '"', "{", "}", "\\", "<", ">", "tool_call"]
    text = "".join(r.choice(bits) for _ in range(r.randint(1, 14)))
    whole = parse(text)
    for _ in range(8):
        cuts = sorted(r.choices(range(len(text) + 1), k=r.randint(1, 6)))
        pieces = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]
        assert merged(parse(*pieces)) == merged(whole), pieces
    for e in whole:
        if isinstance(e, TextDelta):
            assert "<tool_call>" not in e.text
    for done in (e for e in whole if isinstance(e, CallDone)):
        sent = [e for e in whole if isinstance(e, CallArgumentsDelta) and e.index == done.index]
        assert "".join(e.text for e in sent) == done.arguments
        assert CallStarted(done.index, done.name) in whole


def test_arguments_stream_before_the_call_ends() -> None:
    parser = OutputParser()
    events = parser.feed('<tool_call>\n{"name": "a", "arguments": {"text": "一二')
    assert events == [CallStarted(0, "a"), CallArgumentsDelta(0, '{"text": "一二')]
    assert parser.feed('三"}') == [CallArgumentsDelta(0, '三"}')]
    assert parser.feed("}") == [CallDone(0, "a", '{"text": "一二三"}')]


def test_without_calls_blocks_are_dropped_or_kept() -> None:
    text = f"前{WEATHER}后"
    assert merged(parse(*text, calls="drop")) == [TextDelta("前后")]
    assert merged(parse(*text, calls="keep")) == [TextDelta(text)]
