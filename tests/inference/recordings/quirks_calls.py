"""How servers differ in streaming calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.inference.recordings.compose import (
    HANGZHOU,
    ONE,
    SHANGHAI,
    SPENT,
    TWO,
    USAGE,
    Chunk,
    Json,
    W,
    call,
    dashscope,
    litellm,
    llama,
    made,
    ollama,
    openai,
    openrouter,
    pieces,
    sglang,
    sse,
    tgi,
    vllm,
)
from tests.inference.recordings.reading import Answer, Outcome

GITHUB = "https://github.com/"
CALLED = Outcome(calls=ONE, reason="tool_calls", usage=SPENT)
BOTH = Outcome(calls=TWO, reason="tool_calls", usage=SPENT)
Made = tuple[Answer, Outcome]


def _told(
    chunk: Chunk, name: str, source: str, deltas: list[Json], expected: Outcome = CALLED,
    *, finish: str | None = "tool_calls", **more: Any,
) -> Made:  # fmt: skip
    """A stream of these deltas in ``chunk``'s envelope."""
    events = [chunk({"role": "assistant", "content": ""}), *map(chunk, deltas)]
    events += [chunk({}, finish)] if finish else []
    return made(name, source, sse(*events, chunk(None, usage=USAGE)), expected, **more)


def _whole(name: str, source: str, message: Json, expected: Outcome, finish: str) -> Made:
    body = {**openai(None), "object": "chat.completion", "usage": USAGE}
    body["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    return made(name, source, sse(body, done=False, head="", end=""), expected, whole=True)


def _cut(index: int | None, id: str | None, text: str, **named: Any) -> list[Json]:
    """The pieces of a call after its first."""
    return [call(index, id, arguments=p, **named) for p in pieces(text, 1, 6, len(text) - 1)]


def _indexes() -> Iterator[Made]:
    yield _told(
        ollama, "all indexes 0, whole calls", f"{GITHUB}ollama/ollama/issues/15457",
        [call(0, "call_wteop8bt", W, SHANGHAI), call(0, "call_rk2xye1l", W, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        litellm, "all indexes 0, pieces without id", f"{GITHUB}BerriAI/litellm/issues/21331",
        [call(0, "call_a", W, ""), *_cut(0, None, SHANGHAI),
         call(0, "call_b", W, ""), *_cut(0, None, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        vllm, "all indexes 0, empty ids later", f"{GITHUB}InternLM/lmdeploy/issues/3412",
        [call(0, "chatcmpl-tool-c9Z", W, ""), *_cut(0, "", SHANGHAI),
         call(0, "chatcmpl-tool-HfzZ", W, ""), *_cut(0, "", HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        sglang, "all indexes 0, the id in every piece", f"{GITHUB}InternLM/lmdeploy/issues/3412",
        [call(0, "0", W, ""), *_cut(0, "0", SHANGHAI),
         call(0, "1", W, ""), *_cut(0, "1", HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "index missing", f"{GITHUB}ollama/ollama/issues/7881",
        [call(None, "call_a", W, SHANGHAI), call(None, "call_b", W, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "index missing, arguments in pieces",
        f"{GITHUB}open-webui/computer/issues/224",
        [call(None, "function-call-1", W, ""), *_cut(None, None, SHANGHAI),
         call(None, "function-call-2", W, ""), *_cut(None, None, HANGZHOU)],
        BOTH, finish="stop",
    )  # fmt: skip
    two = [call(None, i, W, a)["tool_calls"][0]
           for i, a in (("call_a", SHANGHAI), ("call_b", HANGZHOU))]  # fmt: skip
    yield _told(
        openai, "index missing, both in one chunk", f"{GITHUB}ollama/ollama/issues/7881",
        [{"tool_calls": two}], BOTH,
    )  # fmt: skip
    bare = [{k: v for k, v in c.items() if k != "id"} for c in two]
    yield _told(
        openai, "neither index nor id, both in one chunk",
        f"{GITHUB}ollama/ollama/issues/7881", [{"tool_calls": bare}], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "neither index nor id, one after the other",
        f"{GITHUB}ollama/ollama/issues/7881", [{"tool_calls": [c]} for c in bare], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "index null", "OpenAI-style clouds that send every field",
        [{"tool_calls": [{**c, "index": None}]} for c in two], BOTH,
    )  # fmt: skip
    yield _told(
        litellm, "indexes from 1", f"{GITHUB}pipecat-ai/pipecat/issues/4987",
        [call(1, "call_xd", W, ""), *_cut(1, None, SHANGHAI)],
    )  # fmt: skip
    yield _told(
        sglang, "the tool's index first, then the call's",
        f"{GITHUB}sgl-project/sglang/issues/6310",
        [call(2, "call_0", W, ""), *_cut(0, None, SHANGHAI),
         call(2, "call_1", W, ""), *_cut(1, None, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "pieces of two calls in turn", "OpenAI API reference, parallel tool calls",
        [call(0, "call_a", W, ""), call(1, "call_b", W, ""),
         *(c for ab in zip(_cut(0, None, SHANGHAI), _cut(1, None, HANGZHOU), strict=True)
           for c in ab)], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "the second call first", "OpenAI API reference, parallel tool calls",
        [call(1, "call_b", W, SHANGHAI), call(0, "call_a", W, HANGZHOU)], BOTH,
    )  # fmt: skip


def _ids() -> Iterator[Made]:
    yield _told(
        vllm, "another id in every piece", f"{GITHUB}vllm-project/vllm/pull/23522",
        [call(0, "chatcmpl-tool-1", W, ""),
         *(call(0, f"chatcmpl-tool-{i + 2}", arguments=p)
           for i, p in enumerate(pieces(SHANGHAI, 2, 9)))],
    )  # fmt: skip
    yield _told(
        vllm, "no id at all", f"{GITHUB}vllm-project/vllm/issues/18412",
        [call(0, None, W, ""), *_cut(0, None, SHANGHAI),
         call(1, None, W, ""), *_cut(1, None, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        tgi, "one id for all calls", f"{GITHUB}huggingface/text-generation-inference/issues/2136",
        [call(0, "0", W, SHANGHAI), call(1, "0", W, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "numbers for ids", "OpenAI-style clouds",
        [{"tool_calls": [{**call(0, None, W, SHANGHAI)["tool_calls"][0], "id": 7}]},
         {"tool_calls": [{**call(0, None, W, HANGZHOU)["tool_calls"][0], "id": 8}]}], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "the id before the name", f"{GITHUB}pipecat-ai/pipecat/pull/5023",
        [call(0, "call_a"), call(0, None, W), *_cut(0, None, SHANGHAI),
         call(1, "call_b"), call(1, None, W), *_cut(1, None, HANGZHOU)], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "the id after the name", f"{GITHUB}pipecat-ai/pipecat/pull/5023",
        [call(0, None, W, ""), call(0, "call_a", arguments=SHANGHAI)],
    )  # fmt: skip
    yield _told(
        dashscope, "id and type null later", f"{GITHUB}Younis-Ahmed/qwen-ai-provider/pull/7",
        [call(0, "call_a", W, ""),
         *({"content": None, "reasoning_content": None, "tool_calls": [
             {"index": 0, "id": None, "type": None, "function": {"arguments": p}}]}
           for p in pieces(" " + SHANGHAI, 3, 10))],
    )  # fmt: skip
    yield _told(
        dashscope, "empty id and null arguments at the end",
        f"{GITHUB}voocel/ainovel-cli/issues/52",
        [call(0, "call_a", W, SHANGHAI),
         {"tool_calls": [{"function": {"arguments": None}, "index": 0, "id": "",
                          "type": "function"}]}],
    )  # fmt: skip
    yield _told(
        llama, "the id inside function", f"{GITHUB}ggml-org/llama.cpp/pull/13800",
        [{"tool_calls": [{"index": 0, "function": {"id": "x1", "name": W, "arguments": p}}]}
         for p in pieces(SHANGHAI, 4, 8)],
    )  # fmt: skip


def _names() -> Iterator[Made]:
    yield _told(
        llama, "the name in every piece", f"{GITHUB}ggml-org/llama.cpp/pull/13800",
        [call(0, "x1", W, p) for p in pieces(SHANGHAI, 1, 4, 8)],
    )  # fmt: skip
    yield _told(
        llama, "the name in every piece, two calls", f"{GITHUB}ggml-org/llama.cpp/pull/13800",
        [*(call(0, "x1", W, p) for p in pieces(SHANGHAI, 1, 4, 8)),
         *(call(1, "x2", W, p) for p in pieces(HANGZHOU, 1, 4, 8))], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "the name in every piece, without id and index", "OpenAI-style clouds",
        [*(call(None, None, W, p) for p in pieces(SHANGHAI, 1, 4, 8)),
         *(call(None, None, W, p) for p in pieces(HANGZHOU, 1, 4, 8))], BOTH,
    )  # fmt: skip
    yield _told(
        openai, "the name again at the end", "OpenAI-style clouds",
        [call(0, "a", W, ""), *_cut(0, "a", SHANGHAI), call(0, "a", W, "")],
    )  # fmt: skip
    yield _told(
        openai, "the name in two pieces", "OpenAI API reference: a delta's fields are joined",
        [call(0, "a", "get_"), call(0, None, "weather"), *_cut(0, None, SHANGHAI)],
    )  # fmt: skip
    yield _told(
        openai, "the name growing", "clouds whose pieces hold all that was said before",
        [call(0, "a", "get_"), call(0, "a", W), *_cut(0, None, SHANGHAI)],
    )  # fmt: skip
    yield _told(
        openai, "the name null and empty later", "OpenAI-style clouds that send every field",
        [call(0, "a", W, ""),
         {"tool_calls": [{"index": 0, "function": {"name": None, "arguments": SHANGHAI[:5]}}]},
         {"tool_calls": [{"index": 0, "function": {"name": "", "arguments": SHANGHAI[5:]}}]}],
    )  # fmt: skip
    yield _told(
        openai, "name and arguments in one piece", "OpenAI-style clouds",
        [call(0, "a", W, SHANGHAI)],
    )  # fmt: skip
    yield _told(
        openai, "an opening without id for the next", "OpenAI-style clouds",
        [call(0, None, W, ""), *_cut(0, None, SHANGHAI),
         call(0, None, W, ""), *_cut(0, None, HANGZHOU)], BOTH,
    )  # fmt: skip


def _arguments() -> Iterator[Made]:
    now = Outcome(calls=(("now", "{}"),), reason="tool_calls", usage=SPENT)
    for name, given in (
        ("missing", None), ("empty", ""), ("an empty object", {}), ("as text", "{}"),
        ("the text null", "null"), ("the text of an empty text", '""'), ("white space", " \n"),
    ):  # fmt: skip
        yield _told(
            openai, f"no arguments: {name}", f"{GITHUB}vllm-project/vllm/issues/28806",
            [call(0, "a", "now", given)], now,
        )  # fmt: skip
    yield _told(
        tgi, "arguments as an object",
        f"{GITHUB}huggingface/text-generation-inference/issues/2136",
        [call(0, "0", W, {"city": "上海"})],
    )  # fmt: skip
    yield _told(
        tgi, "a call that is no list",
        f"{GITHUB}huggingface/text-generation-inference/issues/2794",
        [{"tool_calls": {"index": 0, "id": "", "type": "function",
                         "function": {"name": W if not i else None, "arguments": p}}}
         for i, p in enumerate(pieces(SHANGHAI, 1, 4, 8))],
    )  # fmt: skip
    twice = '"{\\"city\\": \\"上海\\"}"'
    yield _told(
        vllm, "arguments encoded twice", f"{GITHUB}vllm-project/vllm/pull/54964",
        [call(0, "a", W, ""), *(call(0, arguments=p) for p in pieces(twice, 1, 7))],
    )  # fmt: skip
    yield _told(
        openai, "a text for arguments", f"{GITHUB}vllm-project/vllm/pull/54964",
        [call(0, "a", W, '"{hello'), call(0, arguments=' world}"')],
        Outcome(calls=((W, '"{hello world}"'),), reason="tool_calls", usage=SPENT),
    )  # fmt: skip
    yield _told(
        vllm, "a brace lost", f"{GITHUB}vllm-project/vllm/issues/22885",
        [call(0, "a", W, ""), call(0, arguments='{"city": "上海"')],
        Outcome(calls=((W, '{"city": "上海"'),), reason="tool_calls", usage=SPENT),
    )  # fmt: skip
    yield _told(
        openai, "escaped and wide characters", "OpenAI API reference",
        [call(0, "a", W, ""), *(call(0, arguments=p)
         for p in pieces('{"city": "\\u4e0a\\"海\\\\👩‍👧\\n"}', 12, 15, 20, 23))],
        Outcome(calls=((W, '{"city": "\\u4e0a\\"海\\\\👩‍👧\\n"}'),), reason="tool_calls",
                usage=SPENT),
    )  # fmt: skip
    yield _told(
        openai, "cut off by length", "OpenAI API reference, finish_reason length",
        [call(0, "a", W, ""), call(0, arguments='{"city": "上')],
        Outcome(calls=((W, '{"city": "上'),), reason="length", usage=SPENT), finish="length",
    )  # fmt: skip
    yield _told(
        openai, "white space for arguments first", "OpenAI-style clouds",
        [call(0, "a", W, ""), call(0, arguments="\n"), *_cut(0, None, SHANGHAI)],
    )  # fmt: skip


def _endings() -> Iterator[Made]:
    deltas = [call(0, "a", W, ""), *_cut(0, None, SHANGHAI)]
    for finish in ("stop", "tool_calls", "function_call", "STOP", "eos_token"):
        yield _told(
            openrouter, f"ended by {finish}", f"{GITHUB}googleapis/python-genai/issues/2868",
            deltas, finish=finish,
        )  # fmt: skip
    yield _told(
        openai, "tool_calls with none", f"{GITHUB}ollama/ollama/issues/9632",
        [{"content": "好"}], Outcome("好", reason="stop", usage=SPENT),
    )  # fmt: skip
    yield _told(
        openai, "tool_calls with an empty list", "clouds that send every field",
        [{"content": "好", "tool_calls": []}, {"content": None, "tool_calls": None}],
        Outcome("好", reason="stop", usage=SPENT),
    )  # fmt: skip
    every = [openai(d, "stop") for d in deltas]
    yield made(
        "ended in every chunk", f"{GITHUB}su-kaka/gcli2api/issues/403",
        sse(*every, openai(None, usage=USAGE)), CALLED,
    )  # fmt: skip
    last = openai(deltas[-1], "tool_calls", usage=USAGE)
    yield made(
        "ending, usage and last piece in one", "OpenAI-style clouds",
        sse(*map(openai, deltas[:-1]), last), CALLED,
    )  # fmt: skip
    text = [{"content": "我查一下。\n\n"}, *deltas]
    yield _told(
        openai, "text before the call", "OpenAI API reference",
        text, Outcome("我查一下。", calls=ONE, reason="tool_calls", usage=SPENT),
    )  # fmt: skip
    yield _told(
        openai, "text after the call", "OpenAI-style clouds",
        [*deltas, {"content": "\n请稍等。"}],
        Outcome("请稍等。", calls=ONE, reason="tool_calls", usage=SPENT),
    )  # fmt: skip


def _legacy() -> Iterator[Made]:
    source = "OpenAI API reference, function_call (deprecated)"
    yield _told(
        openai, "function_call", source,
        [{"content": None, "function_call": {"name": W, "arguments": ""}},
         *({"function_call": {"arguments": p}} for p in pieces(SHANGHAI, 2, 9))],
        finish="function_call",
    )  # fmt: skip
    message = {"role": "assistant", "content": None}
    yield _whole(
        "function_call, whole", source,
        {**message, "function_call": {"name": W, "arguments": SHANGHAI}}, CALLED, "function_call",
    )  # fmt: skip
    yield _whole(
        "two calls, whole, without index", "OpenAI API reference, chat completion object",
        {**message, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": W, "arguments": SHANGHAI}},
            {"id": "b", "type": "function", "function": {"name": W, "arguments": HANGZHOU}}]},
        BOTH, "tool_calls",
    )  # fmt: skip
    yield _whole(
        "two calls, whole, with one id", f"{GITHUB}huggingface/text-generation-inference/issues/2136",
        {**message, "tool_calls": [
            {"id": "0", "type": "function", "function": {
                "description": None, "name": W, "arguments": {"city": c}}}
            for c in ("上海", "杭州")]},
        BOTH, "stop",
    )  # fmt: skip
    yield _whole(
        "one call, whole, with an empty id", f"{GITHUB}microsoft/autogen/issues/4878",
        {**message, "refusal": None, "audio": None, "function_call": None, "tool_calls": [
            {"id": "", "function": {"arguments": SHANGHAI, "name": W}, "type": "function"}]},
        CALLED, "stop",
    )  # fmt: skip


def made_up() -> Iterator[Made]:
    for some in (_indexes, _ids, _names, _arguments, _endings, _legacy):
        yield from some()
