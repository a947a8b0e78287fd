"""What each kind of server is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from dazi.core.engine import GenerateRequest, OfferedTool, Sampling
from dazi.core.messages import Image, Message
from dazi.inference.dialects import DIALECTS, KINDS, Kind
from dazi.inference.structural import narrowed, structural_tag
from dazi.inference.wire import request_body

TOOL = OfferedTool(
    "get_order",
    "查订单",
    {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "description": "订单号", "maxLength": 20},
            "lines": {"type": "integer"},
            "note": {"type": "string", "pattern": "^[a-z]+$"},
            "description": {"type": "string"},
        },
        "required": ["order_id"],
    },
    {"order_id": ("ORD1", "ORD2"), "lines": ("1", "2")},
)


def asked(**more: Any) -> GenerateRequest:
    sampling = Sampling(64, 0.7, top_k=20, seed=3)
    return GenerateRequest((Message("user", "查"),), (TOOL,), sampling=sampling, **more)


def body(kind: Kind, request: GenerateRequest) -> dict[str, Any]:
    return request_body(request, "m", DIALECTS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_dialect_and_the_common_fields(kind: Kind) -> None:
    sent = body(kind, asked())
    assert sent["model"] == "m" and sent["stream"] and sent["temperature"] == 0.7
    assert sent["tools"][0]["function"]["parameters"] == TOOL.parameters, (
        "the prompt stays as it is"
    )
    assert sent["tool_choice"] == "auto"


def test_thinking() -> None:
    for kind in ("vllm", "sglang", "llama.cpp", "tensorrt-llm", "compatible"):
        sent = body(kind, asked(thinking=True))  # type: ignore[arg-type]
        assert sent["chat_template_kwargs"] == {"enable_thinking": True}
    assert body("dashscope", asked())["enable_thinking"] is False
    for kind in ("openai", "tgi", "ollama"):
        sent = body(kind, asked(thinking=True))  # type: ignore[arg-type]
        assert "chat_template_kwargs" not in sent and "enable_thinking" not in sent
    whole = body("dashscope", asked(thinking=True, whole=True))
    assert whole["stream"], "there, thinking has to be streamed"
    assert "stream" not in body("dashscope", asked(whole=True))


def test_what_a_strict_cloud_does_not_know() -> None:
    sent = body("openai", asked())
    assert sent["max_completion_tokens"] == 64
    assert not {"max_tokens", "top_k", "structured_outputs", "response_format"} & sent.keys()


def test_going_on_with_an_answer() -> None:
    last = {"role": "assistant", "content": "好"}
    sent = body("vllm", asked(prefix="好"))
    assert sent["messages"][-1] == last and sent["continue_final_message"]
    assert body("dashscope", asked(prefix="好"))["messages"][-1] == last | {"partial": True}
    sent = body("llama.cpp", asked(prefix="好"))
    assert sent["messages"][-1] == last and "continue_final_message" not in sent
    assert body("openai", asked(prefix="好"))["messages"][-1]["role"] == "user"


def test_pictures_stand_before_the_words() -> None:
    picture = Message("user", "这是什么", images=(Image("image/png", "aGk="),))
    sent = body("vllm", GenerateRequest((picture,)))
    assert sent["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "text", "text": "这是什么"},
    ]


# --- grammars ------------------------------------------------------------------------------------


def test_calls_are_held_to_candidates() -> None:
    schema = narrowed(TOOL)
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema).is_valid
    assert valid({"order_id": "ORD2", "lines": 2, "note": "abc", "description": "x"})
    assert not valid({"order_id": "ORD3"}), "no candidate"
    assert not valid({"order_id": "ORD1", "lines": "2"}), "a number stays one"
    assert not valid({"order_id": "ORD1", "more": 1}) and not valid({})
    assert "description" in schema["properties"], "a parameter may have any name"
    assert "maxLength" not in str(schema) and "订单号" not in str(schema)


def test_a_list_takes_several_candidates() -> None:
    many = {
        "type": "object",
        "properties": {"ids": {"type": "array", "items": {"type": "integer"}}},
    }
    schema = narrowed(OfferedTool("t", "", many, {"ids": ("1", "2")}))
    valid = jsonschema.Draft202012Validator(schema).is_valid
    assert valid({"ids": [1, 2]}) and not valid({"ids": [3]}) and not valid({"ids": 1})


def test_what_nothing_was_said_of_cannot_be_given() -> None:
    schema = narrowed(replace(TOOL, candidates={"order_id": ()}))
    assert "order_id" not in schema["properties"] and "required" not in schema
    assert narrowed(replace(TOOL, lacking=("order_id",)))["properties"] == {}


def test_the_tag_begins_as_a_call_does() -> None:
    tag = structural_tag(asked())
    assert tag is not None
    (one,) = tag["format"]["tags"]
    assert one["begin"] == '<tool_call>\n{"name": "get_order", "arguments": '
    assert one["end"] == "}\n</tool_call>" and not tag["format"]["at_least_one"]
    required = structural_tag(asked(tool_choice="required"))
    assert required is not None and required["format"]["at_least_one"]
    sent = body("vllm", asked(tool_choice="required"))
    assert sent["tool_choice"] == "auto", "vLLM's own grammar for required knows no candidates"


@pytest.mark.parametrize(
    "request_",
    [
        asked(tool_choice="none"),
        asked(constrained=False),
        replace(asked(), tools=()),
        replace(asked(), tools=(replace(TOOL, closed=True),)),
    ],
)
def test_no_tag_where_nothing_is_held(request_: GenerateRequest) -> None:
    assert structural_tag(request_) is None
    assert "structured_outputs" not in body("vllm", request_)
