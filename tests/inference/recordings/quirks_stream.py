"""How servers and what stands before them frame a stream, count tokens and say that they failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.inference.recordings.compose import (
    DONE,
    ONE,
    SHANGHAI,
    SPENT,
    USAGE,
    Json,
    W,
    call,
    dashscope,
    deepseek,
    litellm,
    llama,
    made,
    ollama,
    openai,
    openrouter,
    pieces,
    plain,
    sglang,
    sse,
    tensorrt,
    tgi,
    vllm,
)
from tests.inference.recordings.reading import Answer, Outcome

GITHUB = "https://github.com/"
Made = tuple[Answer, Outcome]
BROKEN = Outcome(error="model_server")
TEXT = "订单📦已发货。"
GOOD = Outcome(TEXT, reason="stop", usage=SPENT)
CALLED = Outcome("好。", calls=ONE, reason="tool_calls", usage=SPENT)

SAID: list[Json] = [openai({"role": "assistant", "content": ""})]
SAID += [openai({"content": p}) for p in pieces(TEXT, 1, 3, 5)]
USED = openai(None, usage=USAGE)
END: list[Json] = [openai({}, "stop"), USED]
CALLING: list[Json] = [openai({"content": "好。"}), openai(call(0, "a", W, ""))]
CALLING += [openai(call(0, arguments=p)) for p in pieces(SHANGHAI, 4, 9)]
CALLING += [openai({}, "tool_calls"), USED]


def _framing() -> Iterator[Made]:
    spec = "HTML Living Standard, 9.2 server-sent events"
    proxy = "servers behind a proxy"
    for what, stream, expected in (("text", [*SAID, *END], GOOD), ("call", CALLING, CALLED)):
        yield made(f"{what}, CRLF", f"{GITHUB}sysid/sse-starlette",
                   sse(*stream, end="\r\n\r\n"), expected)  # fmt: skip
        yield made(f"{what}, no space after the colon",
                   f"{GITHUB}huggingface/text-generation-inference/pull/1648",
                   sse(*stream, head="data:"), expected)  # fmt: skip
        yield made(f"{what}, one line break between events", proxy,
                   sse(*stream, end="\n"), expected)  # fmt: skip
        yield made(f"{what}, many line breaks", proxy, sse(*stream, end="\n\n\n\n"), expected)
        yield made(f"{what}, more white space", spec,
                   sse(*stream, head="data: \t ", end=" \r\n\n"), expected)  # fmt: skip
        yield made(f"{what}, a byte order mark", spec, "\ufeff" + sse(*stream), expected)
        yield made(f"{what}, event and id lines", spec,
                   sse(*stream, head="event: message\nid: 7\ndata: "), expected)  # fmt: skip
        yield made(f"{what}, no [DONE]", f"{GITHUB}agentjido/req_llm/issues/638",
                   sse(*stream, done=False), expected)  # fmt: skip
        yield made(f"{what}, no line break at the end", proxy,
                   sse(*stream, done=False).rstrip("\n"), expected)  # fmt: skip
        yield made(f"{what}, [DONE] without a line break", proxy,
                   sse(*stream).rstrip("\n"), expected)  # fmt: skip
        pinged = [p for part in stream for p in (": OPENROUTER PROCESSING\n\n", part)]
        yield made(f"{what}, comments between", "OpenRouter documentation, streaming",
                   sse(*pinged), expected)  # fmt: skip
        pinged = [p for part in stream for p in (part, ": ping - 2026-11-29 10:00:00\r\n\r\n")]
        yield made(f"{what}, pings between", f"{GITHUB}sysid/sse-starlette", sse(*pinged), expected)
        pinged = [p for part in stream for p in ('event: ping\ndata: {"type": "ping"}\n\n', part)]
        yield made(f"{what}, ping events", "Anthropic API reference, ping events by a proxy",
                   sse(*pinged), expected)  # fmt: skip
        blank = [p for part in stream for p in ("data: \n\n", part, "data:\n\n", "\n")]
        yield made(f"{what}, blank data lines", "DeepSeek API documentation, keep-alive lines",
                   sse(*blank), expected)  # fmt: skip
        ascii_only = [_escaped(part) for part in stream]
        yield made(f"{what}, all characters escaped", f"{GITHUB}ml-explore/mlx-examples/issues/755",
                   sse(*ascii_only), expected)  # fmt: skip
        yield made(f"{what}, retry lines", spec, "retry: 3000\n\n" + sse(*stream), expected)
        yield made(f"{what}, something after [DONE]", proxy,
                   sse(*stream) + ": bye\n\n" + DONE, expected)  # fmt: skip


def _escaped(part: Json) -> str:
    units = plain(part).encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    text = "".join(chr(c) if c < 128 else f"\\u{c:04x}" for c in codes)
    return f"data: {text}\n\n"


def _deltas() -> Iterator[Made]:
    empty: list[Json] = [openai({}), openai({"content": None}), openai({"content": ""})]
    empty += [openai({"role": "assistant"}), openai({"content": "", "reasoning_content": ""})]
    stirred = [p for part in SAID for p in (*empty, part)]
    yield made("blank deltas between", "OpenAI-style clouds", sse(*stirred, *END), GOOD)
    yield made("the role in every chunk", f"{GITHUB}huggingface/text-generation-inference/issues/2794",
               sse(*(tgi({"content": p}) for p in pieces(TEXT, 2)), tgi({}, "stop"),
                   tgi(None, usage=USAGE)), GOOD)  # fmt: skip
    nothing = {**openai({}), "choices": [], "prompt_filter_results": [
        {"prompt_index": 0, "content_filter_results": {}}]}  # fmt: skip
    yield made("a chunk without choices first", "Azure OpenAI documentation, content filtering",
               sse(nothing, *SAID, *END), GOOD)  # fmt: skip
    null = {**openai({}), "choices": None}
    yield made("choices null", "OpenAI-style clouds", sse(null, *SAID, *END), GOOD)
    no_delta = {**openai({})}
    no_delta["choices"] = [{"index": 0, "delta": None, "finish_reason": "stop"}]
    yield made("delta null at the end", "OpenAI-style clouds", sse(*SAID, no_delta, USED), GOOD)
    parts = [openai({"content": [{"type": "text", "text": p}]}) for p in pieces(TEXT, 3)]
    yield made("content in typed parts", "Mistral API documentation, content chunks",
               sse(*parts, *END), GOOD)  # fmt: skip
    thought = openai({"content": [{"type": "thinking", "thinking": [
        {"type": "text", "text": "想"}]}]})  # fmt: skip
    yield made("typed parts without text", "Mistral API documentation, content chunks",
               sse(thought, *parts, *END), GOOD)  # fmt: skip
    more = openai({"content": TEXT, "refusal": None, "annotations": [], "audio": None,
                   "extra_content": {"google": {"thought_signature": "x"}}})  # fmt: skip
    yield made("fields that nobody knows", f"{GITHUB}open-webui/computer/issues/224",
               sse(more, *END), GOOD)  # fmt: skip
    counted = [tgi({"content": p}) for p in pieces(TEXT, 1, 2, 3)]
    for i, part in enumerate(counted):
        part["choices"][0]["index"] = i + 1
    yield made("the choice's index counts tokens",
               f"{GITHUB}huggingface/text-generation-inference/pull/1648",
               sse(*counted, tgi({}, "stop"), tgi(None, usage=USAGE)), GOOD)  # fmt: skip
    yield made("finish_reason empty between", f"{GITHUB}adolfousier/opencrabs/pull/1499",
               sse(*({**s, "choices": [{**s["choices"][0], "finish_reason": ""}]} for s in SAID),
                   *END), GOOD)  # fmt: skip
    once = [ollama({"content": TEXT}, "stop"), ollama(None, usage=USAGE)]
    yield made("all in one chunk", f"{GITHUB}ollama/ollama/issues/9632", sse(*once), GOOD)
    logged = [{**s, "choices": [{**s["choices"][0], "logprobs": {"content": [
        {"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": []}]}}]}
        for s in SAID]  # fmt: skip
    yield made("with logprobs", "OpenAI API reference, logprobs", sse(*logged, *END), GOOD)


def _usage() -> Iterator[Made]:
    end = openai({}, "stop")
    yield made("usage beside the ending", "DeepSeek API documentation",
               sse(*SAID, openai({}, "stop", usage=USAGE)), GOOD)  # fmt: skip
    beside = openai({"content": "完"}, "stop", usage=USAGE)
    yield made("usage in the last chunk of content", f"{GITHUB}iflytek/astron-agent/pull/1568",
               sse(*SAID, beside), Outcome(f"{TEXT}完", reason="stop", usage=SPENT))  # fmt: skip
    yield made("usage missing", "servers that know no stream_options", sse(*SAID, end),
               Outcome(TEXT, reason="stop"))  # fmt: skip
    yield made("usage null everywhere", "OpenAI API reference",
               sse(*({**s, "usage": None} for s in SAID), {**end, "usage": None}),
               Outcome(TEXT, reason="stop"))  # fmt: skip
    empty = [{**s, "usage": {}} for s in SAID]
    yield made("usage an empty object after the real one", f"{GITHUB}BerriAI/litellm/issues/1371",
               sse(*empty, end, USED, {**openai(None), "usage": {}}), GOOD)  # fmt: skip
    growing = [{**s, "usage": {"prompt_tokens": 170, "completion_tokens": i, "total_tokens": 0}}
               for i, s in enumerate(SAID)]  # fmt: skip
    yield made("usage in every chunk", f"{GITHUB}Younis-Ahmed/qwen-ai-provider/pull/7",
               sse(*growing, end, USED), GOOD)  # fmt: skip
    held = Outcome(TEXT, reason="stop", usage=(170, 24, 160))
    for name, details in (
        ("prompt_tokens_details", {"prompt_tokens_details": {"cached_tokens": 160}}),
        ("prompt_cache_hit_tokens", {
            "prompt_cache_hit_tokens": 160, "prompt_cache_miss_tokens": 10}),
    ):  # fmt: skip
        yield made(f"cached tokens in {name}", "DeepSeek API documentation, usage",
                   sse(*SAID, end, openai(None, usage=USAGE | details)), held)  # fmt: skip
    no_details = USAGE | {"prompt_tokens_details": None, "completion_tokens_details": {
        "reasoning_tokens": 3, "audio_tokens": None}}  # fmt: skip
    yield made("cached tokens null", "vLLM without --enable-prompt-tokens-details",
               sse(*SAID, end, openai(None, usage=no_details)), GOOD)  # fmt: skip
    within = openai({}, "stop")
    within["choices"][0]["usage"] = USAGE
    yield made("usage within the choice", "Moonshot API documentation, streaming",
               sse(*SAID, within), GOOD)  # fmt: skip
    first = [openai(None, usage=USAGE), *SAID, end]
    yield made("usage first", "OpenAI-style clouds", sse(*first), GOOD)
    timed = [llama({"content": TEXT}), llama({}, "stop", usage=USAGE, timings={
        "cache_n": 7, "prompt_n": 163, "predicted_n": 24, "predicted_ms": 407.596})]  # fmt: skip
    yield made("timings beside usage", f"{GITHUB}openai-php/client/issues/780", sse(*timed), GOOD)


def _failures() -> Iterator[Made]:
    error = {"message": "CUDA out of memory", "type": "InternalServerError", "code": 500}
    inside = f"{GITHUB}BerriAI/litellm/issues/40578"
    yield made("an error for an answer", f"{GITHUB}BerriAI/litellm/issues/25492",
               sse({"error": {"object": "error", "message": "too long", "code": 400}}),
               BROKEN)  # fmt: skip
    yield made("an error amid the text", inside, sse(*SAID, {"error": error}), BROKEN)
    yield made("an error amid a call", inside, sse(*CALLING[:3], {"error": error}), BROKEN)
    yield made("an error as text", inside, sse(*SAID, {"error": "boom"}), BROKEN)
    yield made("an error as event", f"{GITHUB}editor-code-assistant/eca/pull/559",
               sse(*SAID, f'event: error\ndata: {plain({"error": error})}\n\n'), BROKEN)  # fmt: skip
    beside = openrouter({"content": ""}, "error", error={"code": 502, "message": "gone"})
    yield made("an error beside an ending", "OpenRouter documentation, errors",
               sse(openrouter({"content": "好"}), beside), BROKEN)  # fmt: skip
    for finish in ("error", "abort", "insufficient_system_resource"):
        yield made(f"ended by {finish}", f"{GITHUB}tenstorrent/tt-inference-server/pull/3273",
                   sse(*SAID, openai({}, finish), USED), BROKEN)  # fmt: skip
    yield made("an error after the ending", inside, sse(*SAID, *END, {"error": error}), BROKEN)
    yield made("error null", "OpenAI-style clouds",
               sse(*({**s, "error": None} for s in SAID), *END), GOOD)  # fmt: skip
    old = {"object": "error", "message": "gone", "type": "ServerError", "code": 500}
    yield made("an error without its key", f"{GITHUB}block/goose/pull/8031",
               sse(*SAID, old), BROKEN)  # fmt: skip
    yield made("cut off in a text", f"{GITHUB}anomalyco/opencode/issues/39968",
               sse(*SAID, done=False), BROKEN)  # fmt: skip
    yield made("cut off in a call", f"{GITHUB}anomalyco/opencode/issues/39968",
               sse(*CALLING[:3], done=False), BROKEN)  # fmt: skip
    yield made("cut off in a line", f"{GITHUB}SamSaffron/term-llm/pull/448",
               sse(*SAID, done=False)[:-20], BROKEN)  # fmt: skip
    yield made("no ending before [DONE]", f"{GITHUB}vercel/ai/issues/19165", sse(*SAID), BROKEN)
    yield made("[DONE] alone", f"{GITHUB}vercel/ai/issues/19165", DONE, BROKEN)
    yield made("nothing", "a connection that was closed", "", BROKEN)
    yield made("a page", "a proxy's error page", "<html>\n<body>502 Bad Gateway</body>\n", BROKEN)
    yield made("no JSON", f"{GITHUB}SamSaffron/term-llm/pull/448",
               sse(*SAID, "data: {not json}\n\n", *END), BROKEN)  # fmt: skip
    yield made("JSON that is no object", "OpenAI-style clouds",
               sse(*SAID, "data: [1, 2]\n\n", *END), BROKEN)  # fmt: skip
    deep = "data: " + "[" * 3000 + "]" * 3000 + "\n\n"
    yield made("JSON nested without measure", "an attack", sse(deep, *END), BROKEN)


def _characters() -> Iterator[Made]:
    half = "data: " + plain(openai({"content": "@"})) + "\n\n"
    halves = [half.replace("@", "好\\ud83d"), half.replace("@", "\\ude00。")]
    yield made("an emoji in two halves", f"{GITHUB}elizaOS/eliza/issues/30904",
               sse(*halves, *END),
               Outcome("好\ufffd\ufffd。", reason="stop", usage=SPENT))  # fmt: skip
    cut = half.replace("@", "好\udce4\udcbd")
    yield made("UTF-8 cut in a character", "servers that decode tokens one by one",
               sse(cut, *END), BROKEN)  # fmt: skip
    control = half.replace("@", "一\t二")
    yield made("a control character unescaped", "servers that write JSON by hand",
               sse(control, *END), Outcome("一\t二", reason="stop", usage=SPENT))  # fmt: skip
    replaced = half.replace("@", "\ufffd\u0000\u2028".replace("\x00", "\\u0000"))
    yield made("replacement and separator characters", "servers that decode tokens one by one",
               sse(replaced, *END),
               Outcome("\ufffd\x00\u2028", reason="stop", usage=SPENT))  # fmt: skip


def _shape() -> Iterator[Made]:
    whole: Json = {**openai(None), "object": "chat.completion", "usage": USAGE}
    whole["choices"] = [
        {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    ]
    asked = "servers that know no streams"
    yield made("an answer in one piece for a stream", asked, plain(whole) + "\n", GOOD)
    yield made("an answer in one piece, no line break", asked, plain(whole), GOOD)
    yield made("an answer in one piece, as event", asked, sse(whole), GOOD)
    yield made("a stream for an answer in one piece", f"{GITHUB}BerriAI/litellm/issues/25766",
               sse(*SAID, *END), GOOD, whole=True)  # fmt: skip
    yield made("a whole answer, white space around", "servers that keep a connection alive",
               f"\n\n{plain(whole)}\n", GOOD, whole=True)  # fmt: skip
    yield made("a whole answer, pretty-printed", asked,
               plain(whole).replace(",", ",\n  "), GOOD, whole=True)  # fmt: skip
    yield made("an error for a whole answer", asked, plain({"error": "no"}), BROKEN, whole=True)
    yield made("nothing for a whole answer", asked, "", BROKEN, whole=True)
    yield made("half a whole answer", asked, plain(whole)[:-30], BROKEN, whole=True)
    lines = [{"model": "qwen3", "message": {"role": "assistant", "content": "好"}, "done": False},
             {"model": "qwen3", "message": {"content": ""}, "done": True}]  # fmt: skip
    yield made("Ollama's own format", "Ollama documentation, /api/chat",
               "".join(plain(x) + "\n" for x in lines), BROKEN)  # fmt: skip
    thoughts: list[Any] = [made_by({"reasoning_content": "想", "content": None})
                           for made_by in (sglang, tensorrt, dashscope, deepseek, litellm, vllm)]  # fmt: skip
    yield made("envelopes of several servers in one", "a pool behind one proxy",
               sse(*thoughts, *SAID, *END),
               Outcome(TEXT, "想" * 6, reason="stop", usage=SPENT))  # fmt: skip


def made_up() -> Iterator[Made]:
    for some in (_framing, _deltas, _usage, _failures, _characters, _shape):
        yield from some()
