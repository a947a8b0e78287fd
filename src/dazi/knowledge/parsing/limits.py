"""What reading one file may cost."""

from __future__ import annotations

from dataclasses import dataclass

PAGES_A_STRETCH = 200
MESSAGE_BYTES = 1 << 20
"""The longest message between the two processes."""
PICTURE_BYTES = 12 << 20
"""The largest picture of a page."""


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """``memory_bytes`` is address space, which is never less than what is resident.

    ``seconds`` is for a file without pages, and for every 200 pages of one that has them;
    ``seconds_in_all`` for the whole file. Time that the taker of the blocks uses does not count.
    """

    memory_bytes: int = 256 << 20
    ocr_memory_bytes: int = 2 << 30
    seconds: float = 30.0
    seconds_in_all: float = 600.0
    file_bytes: int = 200_000_000
    characters: int = 20_000_000
    blocks: int = 1_000_000
    pages: int = 20_000
    pixels: int = 40_000_000
    """Of an image."""

    def seconds_for(self, pages: int) -> float:
        """Seconds that reading so many pages, and some of the next ones, may take."""
        return min(self.seconds_in_all, self.seconds * (1 + pages // PAGES_A_STRETCH))


PICTURE_LIMITS = ParseLimits(seconds=8.0, seconds_in_all=8.0)
"""One page, for somebody who waits for it."""
IMAGE_LIMITS = ParseLimits(
    seconds=30.0, seconds_in_all=60.0, file_bytes=20_000_000, characters=100_000, blocks=10_000
)
"""One image in a message. Its processor time is that of all threads, and has the loading of the models in it."""
