"""Reading scanned pages, where the optional packages for it are installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any, Protocol

from dazi.knowledge.blocks import Box


class Recogniser(Protocol):
    """Reads a picture of a page: an array of rows by columns by three colours, 0 to 255."""

    def lines(self, picture: Any) -> list[tuple[str, Box]]:
        """Each line's text and box, in pixels, in reading order."""
        ...


class RapidOcr:
    """RapidOCR (Apache-2.0) with the models that its package brings."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._engine = RapidOCR()

    def lines(self, picture: Any) -> list[tuple[str, Box]]:
        found = self._engine(picture)
        if found.boxes is None or found.txts is None:
            return []
        return [
            (text, _around(corners)) for text, corners in zip(found.txts, found.boxes, strict=True)
        ]


def _written(text: str) -> Any:
    import cv2
    import numpy as np

    picture = np.full((120, 320, 3), 255, np.uint8)
    cv2.putText(picture, text, (40, 85), cv2.FONT_HERSHEY_SIMPLEX, 2.5, (0, 0, 0), 5)
    return picture


def _around(corners: Any) -> Box:
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return (float(left), float(top), float(right), float(bottom))


def installed() -> bool:
    """Whether the optional packages are there; they are not loaded for it."""
    return find_spec("rapidocr") is not None


def load() -> Recogniser | None:
    """None if it is not installed or cannot read. It reaches for nothing that is not here.

    What it needs it loads when it first reads something, so it is given something to read.
    """
    sys.addaudithook(_stays_here)
    try:
        recogniser = RapidOcr()
        return recogniser if recogniser.lines(_written("2026")) else None
    except Exception:  # its packages look for models, run-times and processors as they like
        return None


def _stays_here(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError("nothing is fetched")
