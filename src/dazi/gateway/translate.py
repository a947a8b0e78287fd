"""From OpenAI's messages to a conversation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dazi.core.messages import CallText, Image, Message, Role
from dazi.core.principal import Principal
from dazi.gateway.errors import BadField
from dazi.gateway.images import MOST, image_of
from dazi.gateway.wire import ChatMessage, Part

DERIVED = "api_"
"""Begins the ids of threads that exist only by what their caller sends along."""
_THREAD = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
MAX_ID = 100
PICTURE = "(图片)"
"""What somebody says who sends a picture without a word."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """``text`` is what the person says now, empty when the caller brings tool results instead
    (``results``, the last of ``history``). ``said`` is the person's last message either way."""

    instructions: str
    history: tuple[Message, ...]
    text: str
    said: str
    opening: str
    results: tuple[Message, ...]
    images: tuple[Image, ...] = ()


def messages_of(given: Sequence[ChatMessage]) -> list[Message]:
    """The messages as the engine knows them; at least one. Raises ``BadField``."""
    if not given:
        raise BadField("messages", "不能为空", "must not be empty", "empty")
    return [_message(m, f"messages[{i}]") for i, m in enumerate(given)]


def _message(m: ChatMessage, where: str) -> Message:
    role = _ROLES.get(m.role)
    if role is None:
        known = ", ".join(_ROLES)
        raise BadField(f"{where}.role", f"只能是 {known}", f"must be one of {known}")
    content, images = _content(m.content, f"{where}.content", sees=role == "user")
    if role == "user" and images and not content.strip():
        content = PICTURE
    if role == "user" and not content.strip():
        raise BadField(f"{where}.content", "消息是空的", "the message is empty", "empty")
    if role == "tool" and not 0 < len(m.tool_call_id or "") <= MAX_ID:
        raise BadField(
            f"{where}.tool_call_id",
            f"工具消息需要对应调用的 id(不超过 {MAX_ID} 个字符)",
            f"a tool message needs the id of its call ({MAX_ID} characters at most)",
        )
    calls = tuple(CallText(c.id, c.function.name, c.function.arguments) for c in m.tool_calls or ())
    if any(len(c.id) > MAX_ID for c in calls):
        raise BadField(
            f"{where}.tool_calls",
            f"id 不能超过 {MAX_ID} 个字符",
            f"ids have {MAX_ID} characters at most",
        )
    own = calls if role == "assistant" else ()
    return Message(role, content, own, m.tool_call_id or "", images)


def _content(
    content: str | list[Part] | None, where: str, *, sees: bool
) -> tuple[str, tuple[Image, ...]]:
    """Text, and pictures where ``sees``."""
    if content is None or isinstance(content, str):
        return content or "", ()
    texts: list[str] = []
    images: list[Image] = []
    for i, part in enumerate(content):
        if part.type == "text" and part.text is not None:
            texts.append(part.text)
        elif part.type == "image_url" and part.image_url is not None and sees:
            images.append(image_of(part.image_url.url, f"{where}[{i}].image_url.url"))
        elif part.type != "refusal":
            raise BadField(
                f"{where}[{i}]",
                f"只支持文字(type: text)和 user 消息里的图片(image_url),不支持 {part.type}",
                "only text parts (type: text) and pictures of a user's message (image_url) are "
                f"supported, not {part.type}",
                "unsupported_content",
            )
    if len(images) > MOST:
        raise BadField(
            where, f"一条消息最多 {MOST} 张图片", f"a message has {MOST} pictures at most"
        )
    return "\n".join(texts), tuple(images)


def conversation_of(messages: Sequence[Message]) -> Conversation:
    """What the governed assistant needs of them. Raises ``BadField``."""
    instructions = "\n\n".join(m.content for m in messages if m.role == "system" and m.content)
    spoken = [m for m in messages if m.role != "system"]
    people = [m.content for m in spoken if m.role == "user"]
    if not people:
        raise BadField("messages", "至少要有一条 user 消息", "at least one user message is needed")
    last = spoken[-1]
    if last.role == "assistant":
        raise BadField(
            f"messages[{len(messages) - 1}].role",
            "最后一条应是 user 或 tool 消息",
            "the last message must be a user's or a tool's",
        )
    asked = last.role == "user"
    trailing = next((i for i, m in enumerate(reversed(spoken)) if m.role != "tool"), 0)
    return Conversation(
        instructions,
        tuple(spoken[:-1] if asked else spoken),
        last.content if asked else "",
        people[-1],
        people[0],
        () if asked else tuple(spoken[len(spoken) - trailing :]),
        last.images if asked else (),
    )


def derived_thread(principal: Principal, opening: str) -> str:
    """The same for every request of one conversation: who asks, and what they said first."""
    parts = "\0".join((principal.tenant, principal.user, opening))
    return DERIVED + hashlib.sha256(parts.encode()).hexdigest()[:32]


def named_thread(header: str) -> str:
    """An ``X-Dazi-Thread`` header's value. Raises ``BadField``."""
    if not _THREAD.fullmatch(header):
        raise BadField(
            "X-Dazi-Thread",
            "只能用字母、数字和 . _ : -,1 到 64 个字符",
            "may hold letters, digits and . _ : -, 1 to 64 of them",
        )
    return header
