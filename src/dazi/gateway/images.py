"""Pictures in messages, as OpenAI's API has them: in the body, never at an address."""

from __future__ import annotations

import base64
import binascii
import re

from dazi.core.messages import Image
from dazi.gateway.errors import BadField

MOST = 8
"""Of one message."""
LARGEST = 5_000_000
"""Bytes of one picture."""
_DATA = re.compile(r"data:(image/[a-z]+);base64,", re.IGNORECASE)
_BEGINNINGS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def image_of(url: str, where: str) -> Image:
    """Raises ``BadField``."""
    found = _DATA.match(url)
    if found is None:
        raise BadField(
            where,
            "图片要放在请求里,写成 data:image/png;base64,…;网址不会去取",
            "a picture stands in the request, as data:image/png;base64,…; addresses are not fetched",
            "unsupported_content",
        )
    kind = found[1].lower()
    if kind not in _BEGINNINGS:
        known = ", ".join(_BEGINNINGS)
        raise BadField(where, f"只支持 {known}", f"must be one of {known}", "unsupported_content")
    data = url[found.end() :]
    if len(data) > LARGEST * 4 // 3 + 4:
        raise BadField(
            where,
            f"图片最大 {LARGEST:,} 字节",
            f"a picture has {LARGEST:,} bytes at most",
            "too_large",
        )
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise BadField(where, "不是有效的 Base64", "not valid Base64") from None
    if not raw.startswith(_BEGINNINGS[kind]):
        raise BadField(where, f"内容不是 {kind}", f"this is no {kind}")
    return Image(kind, data)
