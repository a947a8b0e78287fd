"""The text of an image, by OCR, in the worker.

Whoever sent it may have made it to break what decodes it. So only formats with plain decoders are taken, and the
decoder looks at its size before it makes a pixel (``PIXELS_VARIABLE``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from dazi.knowledge.blocks import Block, Box
from dazi.knowledge.parsing.ocr import Recogniser
from dazi.knowledge.parsing.refusals import Refused

PIXELS_VARIABLE = "OPENCV_IO_MAX_IMAGE_PIXELS"
"""Read by OpenCV when it is loaded."""
LONGEST_SIDE = 3_500
HEAD_BYTES = 12
_TOO_MANY = (
    "size.height <= CV_IO_MAX_IMAGE_HEIGHT",
    "size.width <= CV_IO_MAX_IMAGE_WIDTH",
    "pixels <= ",
)
"""In the words of OpenCV, which has no numbers for it."""


def is_image(head: bytes) -> bool:
    """PNG, JPEG, WebP or BMP, by its first bytes."""
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return webp or head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"))


def read(file: BinaryIO, recogniser: Recogniser) -> Iterator[Block]:
    """A block for each row of text. Raises ``Refused``."""
    data = file.read()
    if not is_image(data[:HEAD_BYTES]):
        raise Refused("not_image")
    for row in rows(recogniser.lines(_pixels(data))):
        yield Block("text", row)


def _pixels(data: bytes) -> Any:
    """Rows by columns by blue, green and red; what is transparent lies on white."""
    import cv2
    import numpy as np

    given = np.frombuffer(data, np.uint8)
    # A photograph says which side is up; only this way is it turned.
    turned = cv2.IMREAD_COLOR if data.startswith(b"\xff\xd8") else cv2.IMREAD_UNCHANGED
    try:
        found: Any = cv2.imdecode(given, turned)
    except cv2.error as error:
        many = any(words in str(error) for words in _TOO_MANY)
        raise Refused("pixels" if many else "damaged") from error
    if found is None or not found.size:
        raise Refused("damaged")
    if found.dtype == np.uint16:
        found = (found >> 8).astype(np.uint8)
    if found.ndim == 2:
        found = cv2.cvtColor(found, cv2.COLOR_GRAY2BGR)
    longest = max(found.shape[:2])
    if longest > LONGEST_SIDE:
        scale = LONGEST_SIDE / longest
        found = cv2.resize(found, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if found.shape[2] == 4:
        opaque = found[:, :, 3:].astype(np.uint16)
        mixed = (found[:, :, :3] * opaque + 255 * (255 - opaque)) // 255
        found = mixed.astype(np.uint8)
    return np.ascontiguousarray(found[:, :, :3])


def rows(lines: Sequence[tuple[str, Box]]) -> list[str]:
    """From top to bottom; what stands side by side is one row, from left to right."""
    made: list[list[tuple[str, Box]]] = []
    for line in sorted((x for x in lines if x[0].strip()), key=lambda x: x[1][1]):
        _, top, _, bottom = line[1]
        if made:
            _, above, _, below = made[-1][0][1]
            if above <= (top + bottom) / 2 <= below:
                made[-1].append(line)
                continue
        made.append([line])
    return ["  ".join(t.strip() for t, _ in sorted(row, key=lambda x: x[1][0])) for row in made]
