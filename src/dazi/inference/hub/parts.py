"""One file on the disk: what has come of it, and whether it is what the hub said."""

from __future__ import annotations

import hashlib
import os
from glob import escape
from pathlib import Path
from typing import BinaryIO

from dazi.core.errors import OperatorError
from dazi.inference.hub.listing import RemoteFile

_PIECE = 1 << 20
_LONGEST_ETAG = 200


class Part:
    """``NAME.CHECK.part`` beside the place where the file will lie: what was begun for other
    contents is never gone on with. The server's own mark of the contents (its ETag) lies beside it.
    """

    def __init__(self, folder: Path, file: RemoteFile) -> None:
        self.file = file
        self.target = folder / file.path
        self.path = self.target.with_name(f"{self.target.name}.{file.check[:12]}.part")
        self._etag = self.path.with_name(self.path.name + ".etag")

    def held(self) -> int:
        """Bytes that have come."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def etag(self) -> str:
        try:
            return self._etag.read_text("latin-1")[:_LONGEST_ETAG]
        except FileNotFoundError:
            return ""

    def open(self, *, anew: bool, etag: str) -> BinaryIO:
        """To write what comes, unbuffered: what was written is there whenever the process ends."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if anew:
            self.path.unlink(missing_ok=True)
            self._etag.write_text(etag[:_LONGEST_ETAG], "latin-1")
        return self.path.open("ab", buffering=0)

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)

    def remove(self) -> None:
        """The finished file too."""
        self.target.unlink(missing_ok=True)
        self._forget_parts()

    def there(self) -> bool:
        """Does the finished file lie there, with the right contents? Reads all of it."""
        try:
            if self.target.stat().st_size != self.file.size:
                return False
        except FileNotFoundError:
            return False
        return digest(self.target, self.file) == self.file.check

    def settle(self) -> None:
        """Check what has come, and put it in its place. Raises ``OperatorError`` for what is not
        the file; it is removed."""
        if not self.file.size:
            self.open(anew=True, etag="").close()
        found = digest(self.path, self.file)
        if found != self.file.check:
            self.drop()
            raise OperatorError(
                "hub_mismatch",
                f"{self.file.path} 的内容和模型站给的校验值不符（应为 {self.file.check}，下到的是 "
                f"{found}）；已删除下载的内容。再运行同一条命令会重新下载这个文件。",
                f"{self.file.path} does not match the hub's checksum (expected {self.file.check}, "
                f"got {found}); what had come is deleted. The same command downloads it anew.",
            )
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self.target)
        self._forget_parts()

    def _forget_parts(self) -> None:
        """What had come for this name, of whatever contents."""
        for path in self.target.parent.glob(f"{escape(self.target.name)}.*.part*"):
            path.unlink(missing_ok=True)


def digest(path: Path, file: RemoteFile) -> str:
    """By the method of ``file``: SHA-256, or the SHA-1 that git gives a blob."""
    if file.sha256:
        found = hashlib.sha256()
    else:
        found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as source:
        while piece := source.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
