"""LangChain's own standard tests for chat models, against the gateway, with an obedient script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from dazi.core.engine import GenerateRequest
from dazi.main.company import load_company
from tests.fakes.engine import Call, Reply
from tests.gateway.conftest import DEMO, Site, threaded

COMPANYS = frozenset(load_company(DEMO).tools)
GIVEN: dict[str, Any] = {
    "magic_function": {"input": 3},
    "my_adder_tool": {"a": 1, "b": 2},
    "greeting_generator": {"answer_style": "pirate"},
}


def obedient(request: GenerateRequest) -> Reply:
    """Calls a tool that the caller brings, once, and else says a sentence."""
    last = request.messages[-1]
    answered = [m for m in request.messages if m.role == "tool"]
    theirs = [t for t in request.tools if t.name not in COMPANYS]
    # LangChain brings a get_weather of its own.
    theirs = theirs or [t for t in request.tools if t.name == "get_weather"]
    if not theirs or (answered and last.role == "tool"):
        return "Hello there, this is a whole answer."
    tool = next((t for t in theirs if t.name in last.content), theirs[0])
    arguments = GIVEN.get(tool.name) or example(dict(tool.parameters))
    if named := re.search(r"['\"「](.+?)['\"」]", last.content):
        arguments = {k: named[1] if v == "text" else v for k, v in arguments.items()}
    return Call(tool.name, json.dumps(arguments, ensure_ascii=False))


def example(schema: dict[str, Any]) -> Any:
    """Something that fits."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0])
    match schema.get("type"):
        case "object":
            return {k: example(v) for k, v in schema.get("properties", {}).items()}
        case "array":
            return [example(schema.get("items", {"type": "string"}))]
        case "integer" | "number":
            return 3
        case "boolean":
            return True
    return "text"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> Iterator[Site]:
    with threaded(tmp_path_factory.mktemp("lc") / "data", seeded, obedient) as made:
        yield made.site


@pytest.mark.asyncio(loop_scope="module")
class _Standard(ChatModelIntegrationTests):
    user, name = "customer", "dazi"

    @pytest.fixture(autouse=True)
    def _site(self, served: Site) -> None:
        type(self)._url = served.url

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "base_url": f"{self._url}/v1",
            "api_key": f"dazi-demo-{self.user}",
            "max_retries": 0,
            "stream_usage": True,
        }

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}


class TestModelItself(_Standard):
    """What an administrator reaches: the model without the assistant around it."""

    user, name = "admin", "scripted-1"


class TestAssistant(_Standard):
    """The governed assistant."""
