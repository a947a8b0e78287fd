"""What is written in pictures that people send along: by the same OCR as scanned documents."""

from __future__ import annotations

import base64

from dazi.core.messages import Image
from dazi.core.pictures import PictureReader
from dazi.knowledge.parsing.ocr import installed
from dazi.knowledge.parsing.process import text_of_image


class OcrReader:
    """Implements ``core.pictures.PictureReader``, in a process of its own within limits."""

    async def read(self, image: Image) -> str:
        return await text_of_image(base64.b64decode(image.data))


def picture_reader() -> PictureReader | None:
    """``None`` where the packages for it are not installed."""
    return OcrReader() if installed() else None
