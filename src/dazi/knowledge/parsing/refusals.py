"""Why a file is not read: the closed set that the worker may name."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "not_a_file",
    "empty",
    "damaged",
    "crashed",
    "entities",
    "nested",
    "encrypted",
    "file_size",
    "unpacked_size",
    "unsafe_archive",
    "memory",
    "characters",
    "blocks",
    "dense",
    "pages",
    "slow",
    "unknown",
    "legacy",
    "not_pdf",
    "not_word",
    "not_excel",
    "not_text",
    "not_image",
    "pixels",
    "no_ocr",
]


class Refused(Exception):
    """Raised while reading, in the worker."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
