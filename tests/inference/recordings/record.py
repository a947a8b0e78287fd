"""Record a vLLM server's streams: ``python -m tests.inference.recordings.record --help``.

The model is the bundled one, which serves as any Qwen3 does. What it says of its own is greedy;
where a text is prescribed (``structured_outputs``), the server comes to exactly that text token by
token and its own parsers read it, so that a large model's slips can be had from a small one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tests.inference.recordings.reading import Answer, json_line, packed, reference
from tests.inference.recordings.tools import TOOLS

SYSTEM = "你是搭子,公司的AI同事。"
ORDER = "我上周买的东西到哪儿了呀,单号ORD20817"
WEATHER = "明天杭州和上海会下雨吗"
ROOM = "后天上海带投影的会议室有空的吗"


def _call(name: str, arguments: str) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


def _xml(name: str, **values: str) -> str:
    inner = "".join(f"<parameter={k}>\n{v}\n</parameter>\n" for k, v in values.items())
    return f"<tool_call>\n<function={name}>\n{inner}</function>\n</tool_call>"


W = "get_weather"
SHANGHAI, HANGZHOU, BEIJING = (_call(W, f'{{"city": "{c}"}}') for c in ("上海", "杭州", "北京"))
TEXTS: dict[str, str] = {
    "two calls": f"{SHANGHAI}\n{HANGZHOU}",
    "three calls": f"{SHANGHAI}\n{HANGZHOU}\n{BEIJING}",
    "text before": f"好的，我查一下。\n\n{SHANGHAI}",
    "text after": f"{SHANGHAI}\n请稍等。",
    "text around": f"先查。\n{SHANGHAI}\n再说。",
    "nested": _call(
        "query_meeting_room",
        '{"location": "上海", "date": "2025-04-05", "features": ["projector", "video"]}',
    ),
    "escapes": _call(W, r'{"city": "a\"b\\c\nd\u4e0a\/{}[]"}'),
    "emoji": _call(W, '{"city": "🌧️上海👩‍👩‍👧"}'),
    "tag in a string": _call(W, '{"city": "a</tool_call>b"}'),
    "opening tag in a string": _call(W, '{"city": "a<tool_call>b"}'),
    "no arguments": _call("now", "{}"),
    "null arguments": _call("now", "null"),
    "scalars": _call("set", '{"n": 3, "x": -1.5e3, "yes": true, "no": null}'),
    "spaces": '<tool_call>\n{ "name" : "get_weather" , "arguments" : { "city" : "上海" } }\n'
    "</tool_call>",
    "no white space": '<tool_call>{"name":"get_weather","arguments":{"city":"上海"}}</tool_call>',
    "arguments first": '<tool_call>\n{"arguments": {"city": "上海"}, "name": "get_weather"}\n'
    "</tool_call>",
    "encoded twice": _call(W, r'"{\"city\": \"上海\"}"'),
    "closing tag missing": SHANGHAI.removesuffix("\n</tool_call>"),
    "brace missing": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "上海"}\n'
    "</tool_call>",
    "brace too many": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "上海"}}}\n'
    "</tool_call>",
    "no JSON": "<tool_call>\nget_weather(上海)\n</tool_call>",
    "empty block": "<tool_call>\n\n</tool_call>好",
    "unknown tool": _call("drop_table", '{"x": 1}'),
    "xml": _xml(W, city="上海"),
    "xml twice": _xml(W, city="上海") + "\n" + _xml(W, city="杭州"),
    "xml of many": "好的。\n"
    + _xml("query_meeting_room", location="上海", date="2025-04-05", features='["projector"]'),
    "xml of lines": _xml(W, city="上海\n  浦东\n"),
    "xml bare": _xml(W, city="上海").removeprefix("<tool_call>\n").removesuffix("\n</tool_call>"),
    "thought": "<think>\n先想一想 a < b 🤔\n</think>\n\n上海明天有雨。",
    "thought and call": f"<think>\n要查天气。\n</think>\n\n{SHANGHAI}",
    "call in a thought": f"<think>\n也许 {SHANGHAI} 不用。\n</think>\n\n不用查。",
    "thought opened before": "先想一想。\n</think>\n\n上海明天有雨。",
    "thought opened before a call": f"要查。\n</think>\n\n{SHANGHAI}",
    "empty thought": "<think>\n\n</think>\n\n好",
    "thought without end": "<think>\n想啊想",
    "less-than": "a < b，<b>粗</b> 1<2 </",
    "mixed text": "订单 ORD20817 已发货📦，预计 4 月 5 日送达 👍🏽。Thanks! ｟雨☔｠\n\n- 一\n- 二",
}

CALLS = [k for k in TEXTS if not k.startswith(("xml", "thought", "call in", "empty thought"))]
XML = [k for k in TEXTS if k.startswith("xml")]
THOUGHTS = [k for k in TEXTS if "thought" in k]


def said(**changes: Any) -> dict[str, Any]:
    """The requests in which the model says what it will."""
    return {"name": "", "user": ORDER, "choice": "auto", **changes}


NATURAL = [
    said(name="order"),
    said(name="weather", user=WEATHER),
    said(name="room", user=ROOM),
    said(name="English", user="where is my order ORD20817?"),
    said(name="thanks", user="谢谢"),
    said(name="order, whole", whole=True),
    said(name="weather, whole", user=WEATHER, whole=True),
    said(name="thanks, whole", user="谢谢", whole=True),
    said(name="required", choice="required"),
    said(name="required of two", user=WEATHER, choice="required"),
    said(name="required, whole", choice="required", whole=True),
    said(name="none", choice="none"),
    said(name="named", choice={"type": "function", "function": {"name": W}}, user=WEATHER),
    said(name="cut at 2", max_tokens=2),
    said(name="cut at 6", max_tokens=6),
    said(name="cut at 13", max_tokens=13),
    said(name="cut at 17", max_tokens=17),
    said(name="cut at 22", max_tokens=22),
    said(name="cut in the second", user=WEATHER, max_tokens=34),
    said(name="cut, whole", max_tokens=13, whole=True),
    said(name="stop string in a call", stop=["20"]),
    said(name="stop string in a text", user="谢谢", stop=["再"]),
    said(name="stop string cut in two", user="谢谢", stop=["事再叫"]),
    said(name="logprobs", user="谢谢", logprobs=True, top_logprobs=2),
    said(name="logprobs of a call", user="明天上海天气", logprobs=True, max_tokens=12),
    said(name="usage in every chunk", user="谢谢", stream_options={
        "include_usage": True, "continuous_usage_stats": True}),
    said(name="no usage", user="谢谢", stream_options=None),
    said(name="no tools", user="谢谢", choice=None),
    said(name="hot 1", user="写诗", temperature=2.0, top_k=4000, seed=1, max_tokens=20),
    said(name="hot 2", user="写诗", temperature=2.0, top_k=8000, seed=2, max_tokens=20),
    said(name="hot 3", user="写诗", choice=None, temperature=2.0, top_k=8000, seed=3,
         max_tokens=20),
    said(name="hot in a required call", choice="required", temperature=2.0, top_k=8000, seed=4,
         max_tokens=32),
    said(name="cached", user=ROOM, choice="auto", max_tokens=4),
]  # fmt: skip
ERRORS = [
    said(name="too long", user="单号ORD20817" * 900),
    said(name="too many tokens asked for", max_tokens=50_000),
    said(name="no such model", model="gpt"),
    said(name="a bad temperature", temperature=-3),
    said(name="no messages", messages=[]),
]


def prescribed(names: list[str], **changes: Any) -> list[dict[str, Any]]:
    return [said(name=n, user="嗯", structured_outputs={"choice": [TEXTS[n]]}, **changes)
            for n in names]  # fmt: skip


def whole(names: list[str]) -> list[dict[str, Any]]:
    return [{**c, "name": c["name"] + ", whole", "whole": True} for c in prescribed(names)]


SETS: dict[str, list[dict[str, Any]]] = {
    "hermes": [
        *NATURAL, *ERRORS, *prescribed([*CALLS, *XML[:2], *THOUGHTS[:5]]),
        *whole(["two calls", "brace missing", "xml", "arguments first", "thought and call"]),
    ],
    "hermes_reasoning": [
        *prescribed([*THOUGHTS, "two calls"], thinking=True),
        *[{**c, "name": c["name"] + ", off"}
          for c in prescribed(["empty thought", "text before", "two calls"], thinking=False)],
        said(name="thanks, off", user="谢谢", thinking=False),
        *whole(["thought and call", "thought opened before"]),
        said(name="order"), said(name="thanks", user="谢谢", thinking=True),
    ],
    "xml": [
        *NATURAL[:3], NATURAL[5], NATURAL[8], NATURAL[11], NATURAL[15],
        *prescribed([*XML, "two calls", "text before", "brace missing", "thought and call"]),
        *whole(["two calls", "xml"]),
    ],
    "none": [
        said(name="auto is refused"), said(name="required", choice="required"),
        said(name="no tools", user="谢谢", choice=None), said(name="none", choice="none"),
        *prescribed(["two calls", "xml", "thought and call", "thought opened before"],
                    choice="none"),
    ],
    "interval": [
        *NATURAL[:3], NATURAL[4], NATURAL[17],
        *prescribed([
            "three calls", "text around", "nested", "escapes", "emoji", "tag in a string",
            "no JSON", "mixed text", "thought and call", "less-than",
        ]),
    ],
    "reasoning": [
        *prescribed(THOUGHTS, choice=None, thinking=True),
        *[{**c, "name": c["name"] + ", none"}
          for c in prescribed(["thought and call", "two calls"], choice="none")],
    ],
}  # fmt: skip


def body_of(case: dict[str, Any]) -> dict[str, Any]:
    """The request to the server that ``case`` stands for."""
    extra = {k: v for k, v in case.items() if k not in ("name", "user", "choice", "whole")}
    thinking = extra.pop("thinking", None)
    body: dict[str, Any] = {
        "model": "dazi-mini",
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": case["user"]},
        ],
        "max_tokens": 160,
        "temperature": 0,
    }
    if not case.get("whole"):
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if case["choice"]:
        body |= {"tools": [{"type": "function", "function": t} for t in TOOLS.values()]}
        body["tool_choice"] = case["choice"]
    if thinking is not None:
        body["chat_template_kwargs"] = {"enable_thinking": thinking}
    return {k: v for k, v in (body | extra).items() if v is not None}


def ask(url: str, body: dict[str, Any]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
    path = f"{parts.path.rstrip('/')}/chat/completions"
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="http://host:port/v1")
    parser.add_argument("--set", required=True, choices=SETS)
    parser.add_argument("--server", required=True, help="name and version")
    parser.add_argument("--flags", required=True, help="what the server was started with")
    options = parser.parse_args()
    head = {
        "origin": "recorded",
        "server": options.server,
        "flags": options.flags,
        "date": datetime.now(UTC).date().isoformat(),
    }
    print(json_line(head))
    for case in SETS[options.set]:
        status, raw = ask(options.url, body_of(case))
        choice = case["choice"] if isinstance(case["choice"], str) else "auto"
        answer = Answer(
            case["name"],
            raw,
            status=status,
            tools=tuple(TOOLS) if case["choice"] else (),
            choice=choice if case["choice"] else "auto",
            thinking=bool(case.get("thinking")),
            whole=bool(case.get("whole")),
        )
        text = (case.get("structured_outputs") or {"choice": [""]})["choice"][0]
        print(json_line(packed(answer, reference(answer), text)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
