"""Streams of servers that cannot be run here, put together from what is known of their format.

``python -m tests.inference.recordings.compose`` writes them into files. Each says under ``source``
what it is modelled on: a server's documentation, or the thread in which somebody shows its stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from tests.inference.recordings.reading import FOLDER, Answer, Outcome, json_line, packed
from tests.inference.recordings.tools import TOOLS

Json = dict[str, Any]
Chunk = Callable[..., Json]

W = "get_weather"
SHANGHAI, HANGZHOU = '{"city": "上海"}', '{"city": "杭州"}'
ONE = ((W, SHANGHAI),)
TWO = ((W, SHANGHAI), (W, HANGZHOU))
USAGE = {"prompt_tokens": 170, "completion_tokens": 24, "total_tokens": 194}
SPENT = (170, 24, 0)
DONE = "data: [DONE]\n\n"


def plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse(*parts: Json | str, done: bool = True, head: str = "data: ", end: str = "\n\n") -> str:
    """Objects become events; text stands as it is."""
    events = [p if isinstance(p, str) else f"{head}{plain(p)}{end}" for p in parts]
    return "".join(events) + (f"{head}[DONE]{end}" if done else "")


def call(
    index: int | None = 0, id: str | None = None, name: str | None = None, arguments: Any = None
) -> Json:
    """A ``delta`` with one piece of a call; what is ``None`` is left out."""
    function = {"name": name, "arguments": arguments}
    piece: Json = {"index": index, "id": id, "type": "function" if id else None}
    piece = {k: v for k, v in piece.items() if v is not None}
    return {
        "tool_calls": [piece | {"function": {k: v for k, v in function.items() if v is not None}}]
    }


def pieces(text: str, *cuts: int) -> list[str]:
    ends = [0, *cuts, len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


# Envelopes -----------------------------------------------------------------------------------


def openai(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-A1b2C3",
        "object": "chat.completion.chunk",
        "created": 1747281101,
        "model": "gpt-4o-2024-08-06",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [] if delta is None else [choice],
        **more,
    }


def sglang(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    empty = {"role": None, "content": None, "reasoning_content": None, "tool_calls": None}
    choice = {
        "index": 0,
        "delta": None if delta is None else empty | delta,
        "logprobs": None,
        "finish_reason": finish,
        "matched_stop": 151645 if finish else None,
    }
    return {
        "id": "fe1d2314cd94482a8820a506a5361d72",
        "object": "chat.completion.chunk",
        "created": 1747281101,
        "model": "Qwen/Qwen3-14B",
        "choices": [] if delta is None else [choice],
        "usage": None,
        **more,
    }


def tgi(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    said = None if delta is None else {"role": "assistant", **delta}
    choice = {"index": 0, "delta": said, "logprobs": None, "finish_reason": finish}
    return {
        "object": "chat.completion.chunk",
        "id": "",
        "created": 1733213355,
        "model": "Qwen/Qwen3-14B",
        "system_fingerprint": "3.3.4-native",
        "choices": [] if delta is None else [choice],
        "usage": None,
        **more,
    }


def llama(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    choice = {"finish_reason": finish, "index": 0, "delta": delta}
    return {
        "choices": [] if delta is None else [choice],
        "created": 1781492230,
        "id": "chatcmpl-qC6laQHbZ2CmxNvJ4NoB1L93LcVF7nfe",
        "model": "Qwen3-14B-Q4_K_M.gguf",
        "system_fingerprint": "b9554-d403f00ec",
        "object": "chat.completion.chunk",
        **more,
    }


def ollama(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    said = None if delta is None else {"role": "assistant", "content": "", **delta}
    return {
        "id": "chatcmpl-18",
        "object": "chat.completion.chunk",
        "created": 1744446075,
        "model": "qwen3:14b",
        "system_fingerprint": "fp_ollama",
        "choices": (
            [] if delta is None else [{"index": 0, "delta": said, "finish_reason": finish}]
        ),
        **more,
    }


def dashscope(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    choice = {"delta": delta, "finish_reason": finish, "index": 0, "logprobs": None}
    return {
        "choices": [] if delta is None else [choice],
        "object": "chat.completion.chunk",
        "usage": None,
        "created": 1743037194,
        "system_fingerprint": None,
        "model": "qwen-plus",
        "id": "chatcmpl-c4e2a989-10a3-9604-bdae-0b58b4f876a7",
        **more,
    }


def deepseek(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    return {**openai(delta, finish), "model": "deepseek-chat", **more}


def tensorrt(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    empty = {"role": "assistant", "content": None, "reasoning_content": None, "tool_calls": []}
    choice = {
        "index": 0,
        "delta": None if delta is None else empty | delta,
        "logprobs": None,
        "finish_reason": finish,
        "stop_reason": None,
        "disaggregated_params": None,
    }
    return {
        "id": "chatcmpl-60bcdc4bfbf34eb8b5d4f0dff62e9d0a",
        "object": "chat.completion.chunk",
        "created": 1747281101,
        "model": "Qwen3-14B",
        "choices": [] if delta is None else [choice],
        "usage": None,
        **more,
    }


def litellm(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    return {**openai(delta, finish), "model": "qwen3-proxy", "citations": None, **more}


def openrouter(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    made = {**openai(delta, finish), "provider": "DeepInfra", "model": "qwen/qwen3-14b", **more}
    for choice in made["choices"]:
        choice["native_finish_reason"] = finish
    return made


def vllm(delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    return {**openai(delta, finish), "model": "Qwen/Qwen3-14B", "system_fingerprint": None, **more}


ENVELOPES: dict[str, tuple[Chunk, str]] = {
    "openai": (openai, "OpenAI API reference, chat completion chunk object"),
    "sglang": (sglang, "https://github.com/sgl-project/sglang/issues/6310"),
    "tgi": (tgi, "https://github.com/huggingface/text-generation-inference/issues/2794"),
    "llama.cpp": (llama, "https://github.com/ggml-org/llama.cpp/pull/13800"),
    "ollama": (ollama, "https://github.com/ollama/ollama/issues/15457"),
    "dashscope": (dashscope, "https://github.com/voocel/ainovel-cli/issues/52"),
    "deepseek": (deepseek, "DeepSeek API documentation, create chat completion"),
    "tensorrt-llm": (tensorrt, "https://github.com/NVIDIA/TensorRT-LLM/pull/3354"),
    "litellm": (litellm, "https://github.com/BerriAI/litellm/issues/21331"),
    "openrouter": (openrouter, "OpenRouter documentation, streaming and errors"),
}


# What every server says ----------------------------------------------------------------------


def _usual() -> Iterator[tuple[Answer, Outcome]]:
    """The same four answers in each envelope, with nothing unusual about them."""
    for server, (chunk, source) in ENVELOPES.items():
        role = chunk({"role": "assistant", "content": ""})
        usage = chunk(None, usage=USAGE)
        said = [chunk({"content": c}) for c in ("订单已", "发货📦，", " 4 月 5 日送达。")]
        yield made(
            f"{server} text", source, sse(role, *said, chunk({}, "stop"), usage),
            Outcome("订单已发货📦， 4 月 5 日送达。", reason="stop", usage=SPENT),
        )  # fmt: skip
        thoughts = [chunk({"reasoning_content": c}) for c in ("先", "想 <想>\n")]
        yield made(
            f"{server} thought and text", source,
            sse(role, *thoughts, *said[:1], chunk({}, "stop"), usage),
            Outcome("订单已", "先想 <想>\n", reason="stop", usage=SPENT), thinking=True,
        )  # fmt: skip
        first = [call(0, "call_a1", W, ""), *(call(0, arguments=p) for p in pieces(SHANGHAI, 3))]
        second = [call(1, "call_b2", W, ""), *(call(1, arguments=p) for p in pieces(HANGZHOU, 9))]
        yield made(
            f"{server} two calls", source,
            sse(role, *map(chunk, [*first, *second]), chunk({}, "tool_calls"), usage),
            Outcome(calls=TWO, reason="tool_calls", usage=SPENT),
        )  # fmt: skip
        left = "".join(f'<tool_call>\n{{"name": "{n}", "arguments": {a}}}\n</tool_call>\n'
                       for n, a in TWO)  # fmt: skip
        bits = [chunk({"content": p}) for p in pieces("好的。\n" + left, 3, 9, 30, 31, 60)]
        yield made(
            f"{server} calls left in the text", source,
            sse(role, *bits, chunk({}, "stop"), usage),
            Outcome("好的。", calls=TWO, reason="tool_calls", usage=SPENT),
        )  # fmt: skip


def made(
    name: str, source: str, stream: str, expected: Outcome, **more: Any
) -> tuple[Answer, Outcome]:
    body = stream.encode("utf-8", "surrogateescape")
    return Answer(name, body, source=source, **{"tools": tuple(TOOLS), **more}), expected


def files() -> dict[str, list[tuple[Answer, Outcome]]]:
    from tests.inference.recordings import quirks_calls, quirks_stream, quirks_text

    return {
        "composed_usual": list(_usual()),
        "composed_calls": list(quirks_calls.made_up()),
        "composed_text": list(quirks_text.made_up()),
        "composed_stream": list(quirks_stream.made_up()),
    }


def lines(made: list[tuple[Answer, Outcome]]) -> str:
    """A file's text."""
    said = [{"origin": "composed"}, *(packed(answer, outcome) for answer, outcome in made)]
    return "".join(json_line(line) + "\n" for line in said)


def main() -> None:
    for name, made in files().items():
        (FOLDER / f"{name}.jsonl").write_text(lines(made), "utf-8")


if __name__ == "__main__":
    main()
