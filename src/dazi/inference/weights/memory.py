"""Where decrypted weights may lie while they are loaded: in memory, and on no disk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dazi.core.errors import OperatorError
from dazi.inference.weights.held import held

SHARED = Path("/dev/shm")
PREFIX = "dazi-weights-"
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
SETTING = "DAZI_WEIGHTS_FOLDER"


@contextmanager
def in_memory(size: int, named: Path | None = None) -> Iterator[Path]:
    """A folder for ``size`` bytes, of mode 0700, gone afterwards; what killed processes left is
    removed first.

    ``named``: a folder that somebody answers for, wherever it lies. Raises ``OperatorError``.
    """
    place = place_of(named)
    _check_room(place, size)
    try:
        with held(place, PREFIX) as folder:
            yield folder
    except OSError as e:
        raise OperatorError(
            "weights_place",
            f"解密到 {place} 时出错:{e.strerror};检查权限和空间",
            f"decrypting into {place} failed: {e.strerror}; check its rights and room",
        ) from e


def place_of(named: Path | None = None) -> Path:
    """Raises ``OperatorError`` where there is no memory-backed folder and none is named."""
    if named is not None:
        if not named.is_dir():
            raise OperatorError(
                "weights_place", f"没有目录 {named}({SETTING})", f"no folder {named} ({SETTING})"
            )
        return named
    if sys.platform != "linux" or not SHARED.is_dir() or not memory_backed(SHARED):
        raise OperatorError(
            "weights_place",
            f"这里没有内存文件系统可放解密后的权重({SHARED} 不是 tmpfs)。挂一个 tmpfs,用 {SETTING} "
            "写明;写一个磁盘上的目录也行,但明文就会落盘",
            f"there is no file system in memory for decrypted weights here ({SHARED} is no tmpfs). Mount "
            f"one and name it in {SETTING}; a folder on a disk may be named too, and then the plain text "
            "is on that disk",
        )
    return SHARED


def memory_backed(folder: Path) -> bool:
    """Whether the folder's file system keeps its files in memory, as Linux tells it of each mount (swap
    aside: see the documents)."""
    try:
        device = os.stat(folder).st_dev
        lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    except OSError:
        return False
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) > 2 and fields[2] == wanted and kind:
            return kind[0] in IN_MEMORY
    return False


def _check_room(place: Path, size: int) -> None:
    free = shutil.disk_usage(place).free
    if free < size:
        zh = f"{place} 只剩 {free / 2**30:.1f} GiB,解密后的权重要 {size / 2**30:.1f} GiB"
        en = f"{place} has {free / 2**30:.1f} GiB left, and the decrypted weights take {size / 2**30:.1f} GiB"
        raise OperatorError(
            "weights_room",
            f"{zh};放大它(容器:--shm-size),或用 {SETTING} 换一个",
            f"{en}: make it larger (of a container: --shm-size), or name another in {SETTING}",
        )
