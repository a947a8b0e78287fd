"""Pictures that a person sends along.

A model that sees gets them as they are. For one that does not, what is written in them is read, and
stands behind the message as the result of a tool: words of a picture are nobody's request, and are
marked as coming from outside in whatever is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from dazi.agent.asking import taken
from dazi.core.engine import Engine, sees
from dazi.core.errors import CallerError
from dazi.core.messages import CallText, Image, Message, dumps
from dazi.core.pictures import PictureReader
from dazi.core.principal import Principal
from dazi.guard.engine import Guard
from dazi.memory.threads import Kept

READ = "read_picture"
"""What the host's own reading is called in a conversation."""
LONGEST = 20_000
"""Characters of one picture that are taken."""
_REMEMBERED = 64


class Pictures:
    """``reader``: ``None`` where nothing can read pictures. One event loop."""

    def __init__(self, engine: Engine, guard: Guard, reader: PictureReader | None = None) -> None:
        self._engine = engine
        self._guard = guard
        self.reader = reader
        self._known: dict[bytes, str] = {}

    @property
    def able(self) -> bool:
        """Is there any use in sending one?"""
        return self.reader is not None or sees(self._engine)

    async def taken(self, messages: Sequence[Kept], principal: Principal) -> list[Kept]:
        """``messages`` as the model can do with them. Raises ``CallerError`` where it cannot see and
        nothing can read, and for words that ``principal`` may not send: a photograph of them is no
        way around."""
        if not any(k.message.images for k in messages) or sees(self._engine):
            return list(messages)
        out: list[Kept] = []
        for kept in messages:
            out.append(replace(kept, message=replace(kept.message, images=())))
            out += await self._read(kept.message.images, principal)
        return out

    async def _read(self, images: Sequence[Image], principal: Principal) -> list[Kept]:
        out: list[Kept] = []
        for number, image in enumerate(images, 1):
            key = _key(image)
            text = taken(self._guard, await self._text(image, key), principal)
            found = self._guard.verdict(text, "results", principal)
            result = {"picture": number, "text": found.text}
            call = CallText(f"{READ}_{key.hex()[:12]}_{number}", READ, dumps({"picture": number}))
            out.append(Kept(Message("assistant", "", (call,))))
            out.append(Kept(Message("tool", dumps(result), call_id=call.id), READ, result))
        return out

    async def _text(self, image: Image, key: bytes) -> str:
        """The same picture comes again with every message of a caller's own history."""
        if self.reader is None:
            raise CallerError(
                "no_vision",
                "这里的模型看不了图,也没有装文字识别;请把图里的内容写成文字,或请管理员接入视觉模型"
                "(models.yaml 里 vision: true)或安装 dazi[ocr]",
                "the model here cannot see pictures, and nothing is installed that reads them; put "
                "their content into words, or have the administrator add a vision model (vision: true "
                "in models.yaml) or install dazi[ocr]",
            )
        text = self._known.pop(key, None)
        if text is None:
            text = (await self.reader.read(image))[:LONGEST]
        self._known[key] = text
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        return text


def _key(image: Image) -> bytes:
    return blake2b(image.data.encode(), digest_size=16).digest()
