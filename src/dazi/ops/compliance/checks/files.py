"""What lies on the disk: keys, data, backups; and the clock."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from sqlalchemy import func, select

from dazi.audit.records import records
from dazi.core.language import Text
from dazi.memory.tables import thread_messages
from dazi.ops.compliance.results import Notes, Result, Status, some
from dazi.ops.compliance.subject import Subject

BLOCK_DEVICES = Path("/sys/dev/block")
TIME_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
EARLIEST = 1_735_689_600.0
"""The first second of 2025: a clock before that stands wrong."""
AHEAD_S = 5.0
LOOKED_AT = 1_000


async def key_files(s: Subject) -> Result:
    """Keys are readable by their owner alone."""
    if os.name != "posix":
        return _elsewhere()
    n = Notes()
    files = [f for f in _keys(s) if f.exists()]
    open_ones = [f.name for f in files if f.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    n.expect(
        not open_ones,
        Text(f"{len(files)} 个密钥文件,只有属主能读:{some([f.name for f in files])}",
             f"{len(files)} files with keys, for their owner alone: {some([f.name for f in files])}"),
        Text(f"别人也能读的密钥文件:{some(open_ones)}",
             f"files with keys that others may read: {some(open_ones)}"),
        Text("chmod 600;别人读到过的话,换掉密钥", "chmod 600, and new keys if anybody read them"),
    )  # fmt: skip
    return n.result()


def _keys(s: Subject) -> Iterator[Path]:
    yield s.data / "access.key"
    for name in ("subjects.sqlite", "master.key", "signing.key"):
        yield s.data / "audit" / name
    if s.serving.tls_key is not None:
        yield Path(s.serving.tls_key)


async def data_folder(s: Subject) -> Result:
    """Others on the machine can neither read nor write the data."""
    if os.name != "posix":
        return _elsewhere()
    n = Notes()
    mode = s.data.stat().st_mode
    n.expect(
        not mode & stat.S_IRWXO,
        Text(f"数据目录权限 {stat.S_IMODE(mode):o}", f"the data folder has mode {stat.S_IMODE(mode):o}"),
        Text(f"这台机器上谁都能进数据目录({stat.S_IMODE(mode):o})",
             f"anybody on this machine may enter the data folder ({stat.S_IMODE(mode):o})"),
        Text("对数据目录执行 chmod 700", "chmod 700 the data folder"),
    )  # fmt: skip
    return n.result()


def _elsewhere() -> Result:
    n = Notes()
    n.saw("这个系统没有 POSIX 权限,看不了", "this system has no POSIX rights to look at")
    return n.result(Status.NOT_SUPPORTED)


async def storage_encrypted(s: Subject) -> Result:
    """The data lies on an encrypted volume: business data is not encrypted by Dazi."""
    n = Notes()
    async with s.books.database.read() as connection:
        kept = await connection.scalar(select(func.count()).select_from(thread_messages)) or 0
    n.saw(
        f"审计的个人内容、会话({kept} 条消息)、操作的参数和结果、两步验证的密钥由程序加密;"
        "账号等其余表不加密",
        f"the audit's personal content, threads ({kept} messages), arguments and results of calls "
        "and second factors are encrypted by Dazi; accounts and other tables are not",
    )
    n.expect(
        _on_encrypted(s.data),
        Text("数据目录在加密卷上(dm-crypt)", "the data folder is on an encrypted volume (dm-crypt)"),
        Text("看不出数据目录在加密卷上", "the data folder is on no volume known to be encrypted"),
        Text("把数据目录放到加密卷上(如 LUKS);若由存储设备加密,请另行举证",
             "put the data folder on an encrypted volume (LUKS, for instance); where the storage "
             "itself encrypts, show that by other means"),
    )  # fmt: skip
    return n.result()


def _on_encrypted(folder: Path) -> bool:
    """By the device mapper's names for the volume, as Linux tells them."""
    if not hasattr(os, "major"):
        return False
    device = folder.stat().st_dev
    named = BLOCK_DEVICES / f"{os.major(device)}:{os.minor(device)}" / "dm" / "uuid"
    try:
        return named.read_text().startswith("CRYPT-")
    except OSError:
        return False


def _synchronised() -> bool:
    return TIME_SYNCHRONISED.exists()


async def clock(s: Subject) -> Result:
    """The clock stands right as far as the ledger can tell."""
    n = Notes()
    c = records.c
    async with s.books.database.read() as connection:
        rows = await connection.execute(select(c.seq, c.at).order_by(c.seq.desc()).limit(LOOKED_AT))
        found = [tuple(row) for row in rows][::-1]
    check = Text("校时,并让机器自动对时", "set the clock, and let the machine keep it synchronised")
    last = max((at for _, at in found), default=0.0)
    n.expect(
        s.now >= max(EARLIEST, last - AHEAD_S),
        Text("现在的时间不早于账本里的任何时间", "the present is behind no time in the ledger"),
        Text("现在的时间比账本里的还早", "the present is earlier than times in the ledger"),
        check,
    )
    back = [seq for (_, before), (seq, at) in pairwise(found) if at < before - AHEAD_S]
    n.records = back
    n.expect(
        not back,
        Text(
            f"最近 {len(found)} 条的时间没有倒退",
            f"the times of the latest {len(found)} never go back",
        ),
        Text(f"时间倒退过:第 {some(back)} 条", f"the clock went back: records {some(back)}"),
        check,
    )
    known = _synchronised()
    n.saw(
        "systemd 报告已与时间源同步" if known else "是否与时间源同步,这里看不出",
        "systemd reports the clock as synchronised" if known
        else "whether it is synchronised with a source does not show here",
    )  # fmt: skip
    return n.result()
