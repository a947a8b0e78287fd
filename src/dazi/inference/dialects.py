"""How servers of the OpenAI chat format differ in what they take.

Sources: the servers' own documentation, late 2026. What a server does not know it may ignore (vLLM,
Ollama) or refuse (OpenAI), so each is sent what it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "compatible",
    "vllm",
    "sglang",
    "tgi",
    "tensorrt-llm",
    "llama.cpp",
    "ollama",
    "dashscope",
    "openai",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Dialect:
    """``thinking``: where the switch of Qwen3's thinking mode is: an argument of its chat template, a
    field of the request, or nowhere. ``continues``: how an answer that has begun is gone on with.
    ``grammar``: how calls are held to their schemas while they are written. ``tokens``: the field
    that limits an answer. ``lists``: ``/models`` names what is served, so that it tells whether the
    server is well and has the right model."""

    thinking: Literal["template", "field", "none"] = "template"
    top_k: bool = True
    continues: Literal["flag", "partial", "last", "none"] = "flag"
    grammar: Literal["structured_outputs", "response_format", "none"] = "none"
    tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    lists: bool = True


DIALECTS: dict[Kind, Dialect] = {
    "compatible": Dialect(),
    "vllm": Dialect(grammar="structured_outputs"),
    "sglang": Dialect(grammar="response_format"),
    "tgi": Dialect(thinking="none", top_k=False, continues="none"),
    "tensorrt-llm": Dialect(continues="none"),
    "llama.cpp": Dialect(continues="last"),
    "ollama": Dialect(thinking="none", top_k=False, continues="none"),
    "dashscope": Dialect(thinking="field", continues="partial", lists=False),
    "openai": Dialect(
        thinking="none",
        top_k=False,
        continues="none",
        tokens="max_completion_tokens",
        lists=False,
    ),
}
