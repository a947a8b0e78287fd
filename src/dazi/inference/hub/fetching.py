"""A model's files from a hub into a folder: four at once, going on where an earlier try stopped."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import stamina

from dazi.core.errors import CallerError, DaziError, OperatorError
from dazi.inference.hub.choosing import Choice, Purpose, choose, gib
from dazi.inference.hub.listing import (
    Listing,
    file_url,
    list_files,
    may_help,
    with_checksum,
)
from dazi.inference.hub.notes import Lock, Note, folder_of, write_note
from dazi.inference.hub.parts import Part
from dazi.inference.hub.places import LATEST, Hub, checked_revision, repo_of
from dazi.inference.hub.wire import (
    PATIENCE,
    Again,
    HubClient,
    Patience,
    Reply,
    problem,
    unreachable,
)

AT_ONCE = 4
GAIN = 64 << 10
"""A try that brings so many bytes before it breaks was no failure: the next one begins at once."""
MOST_TRIES = 10_000
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Order:
    """``wanted``: files by name; without any, those that belong together."""

    repo: str
    revision: str = ""
    wanted: tuple[str, ...] = ()
    purpose: Purpose = "engine"


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is: bytes of all files; ``name``: the file of the latest ones."""

    done: int
    total: int
    name: str
    checking: bool = False


Watch = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """``path``: what is to be opened, a file or the folder."""

    folder: Path
    path: Path
    choice: Choice
    revision: str


async def fetch_model(
    hub: Hub,
    order: Order,
    models: Path,
    *,
    watch: Watch = lambda _: None,
    patience: Patience = PATIENCE,
) -> Fetched:
    """The model's files in a folder below ``models``, every one of them checked.

    Raises ``CallerError``, ``NotFound``, ``AccessError``, ``OverloadError`` or ``OperatorError``;
    what has come stays and is gone on with, except contents that were found to be wrong.
    """
    if repo_of(order.repo) is None:
        raise CallerError(
            "hub_name",
            f"{order.repo} 不是模型站上的名字（形如 Qwen/Qwen3-14B-GGUF）。",
            f"{order.repo} is no name at a model hub (like Qwen/Qwen3-14B-GGUF).",
        )
    revision = checked_revision(hub, order.revision)
    client = HubClient(hub, patience)
    try:
        listing = await list_files(client, order.repo, revision)
        choice = choose(listing, order.wanted, order.purpose)
        choice = replace(choice, files=tuple(with_checksum(hub, f) for f in choice.files))
        named = "" if revision == LATEST[hub.dialect] else revision
        folder = folder_of(models, order.repo, named)
        with Lock(folder):
            write_note(folder, Note.of(hub.base, order.repo, revision, listing.revision, choice))
            await _fetch_all(client, listing, choice, folder, watch)
    except OSError as e:
        raise _disk(models, str(e)) from e
    finally:
        await client.close()
    return Fetched(folder, folder / choice.opens, choice, listing.revision)


async def _fetch_all(
    client: HubClient, listing: Listing, choice: Choice, folder: Path, watch: Watch
) -> None:
    parts = [Part(folder, file) for file in choice.files]
    tally = _Tally(choice.size, watch)
    missing = []
    for part in parts:
        tally.say(part.file.path, checking=part.target.is_file())
        if await asyncio.to_thread(part.there):
            tally.add(part.file.path, part.file.size)
        else:
            missing.append(part)
    _enough_room(folder, missing)
    tally.add("", sum(part.held() for part in missing))
    places = asyncio.Semaphore(AT_ONCE)

    async def one(part: Part) -> None:
        async with places:
            await _Fetch(client, listing, part, tally).run()

    try:
        async with asyncio.TaskGroup() as group:
            for part in sorted(missing, key=lambda p: p.file.size):
                group.create_task(one(part))
    except BaseExceptionGroup as e:
        raise _first(e) from None


class _Tally:
    """Bytes that are there, of all files."""

    def __init__(self, total: int, watch: Watch) -> None:
        self._done, self._total, self._watch = 0, total, watch

    def add(self, name: str, size: int) -> None:
        self._done += size
        self.say(name)

    def say(self, name: str, *, checking: bool = False) -> None:
        self._watch(Step(self._done, self._total, name, checking))


class _Fetch:
    """One file."""

    def __init__(self, client: HubClient, listing: Listing, part: Part, tally: _Tally) -> None:
        self._client, self._part, self._tally = client, part, tally
        self._file = part.file
        self._url = file_url(client.hub, listing, part.file)
        self._what = f"{listing.repo} / {part.file.path}"
        self._seen = part.held()

    async def run(self) -> None:
        patience = self._client.patience
        again = stamina.AsyncRetryingCaller(
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.first_s,
            wait_max=patience.longest_s,
            wait_jitter=patience.first_s,
        )
        try:
            for _ in range(MOST_TRIES):
                if self._part.held() == self._file.size:
                    break
                await again(may_help, self._try)
        except Again as e:
            raise unreachable(self._client.hub, str(e)) from e
        self._tally.say(self._file.path, checking=True)
        await asyncio.to_thread(self._part.settle)

    async def _try(self) -> None:
        held = self._part.held()
        try:
            await self._go_on(held)
        except Again as e:
            if e.wait_s is not None or self._part.held() - held < GAIN:
                raise

    async def _go_on(self, held: int) -> None:
        headers = {"Range": f"bytes={held}-"} if held else {}
        etag = self._part.etag()
        if held and etag and not etag.startswith("W/"):
            headers["If-Range"] = etag
        async with self._client.get(self._url, headers) as reply:
            begin = self._begin(reply, held)
            with self._part.open(anew=begin == 0, etag=reply.headers.get("ETag", "")) as out:
                self._count()
                left = self._file.size - begin
                while piece := await reply.some():
                    if len(piece) > left:
                        self._part.drop()
                        raise self._changed()
                    out.write(piece)
                    left -= len(piece)
                    self._count()
        if left:
            raise Again(f"{left} bytes short")

    def _begin(self, reply: Reply, held: int) -> int:
        """Where the answer's bytes belong. Raises ``Again`` where the part is no use any more."""
        if reply.status == 200:
            length = reply.headers.get("Content-Length", "")
            if length.isdecimal() and int(length) != self._file.size:
                raise self._changed()
            return 0
        if reply.status == 206 and held:
            found = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
            whole = (str(self._file.size), "*")
            if found and int(found[1]) == held and found[3] in whole:
                return held
        if reply.status in (206, 416):
            self._part.drop()
            self._count()
            raise Again(f"status {reply.status}")
        raise problem(reply, self._client.hub, self._what, self._client.patience)

    def _count(self) -> None:
        """Tell the tally, which may also be less than before."""
        held = self._part.held()
        self._tally.add(self._file.path, held - self._seen)
        self._seen = held

    def _changed(self) -> OperatorError:
        hub = self._client.hub.name
        return OperatorError(
            "hub_changed",
            f"{hub} 给的 {self._file.path} 和它列出的大小不符（应为 {self._file.size} 字节），"
            "可能刚刚换过；请再运行一次。",
            f"{hub} sends a {self._file.path} of another size than it listed ({self._file.size} "
            "bytes); it may have changed just now: run the command again.",
        )


def _enough_room(folder: Path, parts: Sequence[Part]) -> None:
    """Raises ``OperatorError`` where the disk cannot take what is still to come."""
    needed = sum(p.file.size - min(p.held(), p.file.size) for p in parts)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OperatorError(
            "disk_full",
            f"磁盘空间不够：还要 {gib(needed)}，{folder} 只剩 {gib(free)}。清出空间，"
            "或用 DAZI_DATA 换一个数据目录。",
            f"There is not enough room: {gib(needed)} are still to come, and {folder} has "
            f"{gib(free)} left. Make room, or take another data folder with DAZI_DATA.",
        )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a person is told: the project's own error, else the first."""
    inside = [_first(e) if isinstance(e, BaseExceptionGroup) else e for e in group.exceptions]
    return next((e for e in inside if isinstance(e, DaziError)), inside[0])


def _disk(models: Path, why: str) -> OperatorError:
    return OperatorError(
        "disk",
        f"不能写入 {models}（{why}）。已下载的部分还在，处理好以后再运行同一条命令。",
        f"{models} cannot be written ({why}). What has come is kept; mend that and run the same "
        "command again.",
    )
