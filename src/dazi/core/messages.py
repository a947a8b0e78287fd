"""What is said in a conversation, as the model will see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class CallText:
    """A tool call as a model wrote it: ``arguments`` is JSON text, not yet trusted in any way."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as a model takes it: ``data`` in Base64. Never an address: what a caller names is not
    fetched."""

    media_type: str
    data: str

    @property
    def url(self) -> str:
        return f"data:{self.media_type};base64,{self.data}"


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str
    calls: tuple[CallText, ...] = ()
    call_id: str = ""
    images: tuple[Image, ...] = ()


def dumps(value: Any) -> str:
    """JSON as models read and write it: real characters, a space after commas and colons."""
    return json.dumps(value, ensure_ascii=False, default=str)
