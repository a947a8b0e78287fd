"""What managers do with the company's documents: allowed by their role, recorded, then done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dazi.access.recording import Record, recorded
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.principal import Principal
from dazi.knowledge.library import Library
from dazi.knowledge.records import Document, Source
from dazi.knowledge.rights import readers_of

OPERATOR = "cli"
"""The channel of whoever runs the machine: they can read and write the files anyway."""
WEB = ("http://", "https://")
LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class Administration:
    """``managers``: roles that may do so. ``roles``: all that the company has. Everything is within the
    manager's own tenant. Methods raise ``AccessError`` for others, and ``CallerError``."""

    library: Library
    managers: frozenset[str]
    roles: Collection[str]
    record: Record

    def may(self, by: Principal) -> bool:
        return by.channel == OPERATOR or bool(by.roles & self.managers)

    async def add(
        self, by: Principal, what: str, readers: Collection[str] = ()
    ) -> Source | Document:
        """A folder, a URL, or a file, which is copied. Folders and files of this machine are for its
        operator to add."""
        if what.startswith(WEB):
            return await self.add_url(by, what, readers)
        self.check(by)
        labels = self._readers(readers)
        if by.channel != OPERATOR:
            raise _not_here()
        path, folder = _local(what)
        async with recorded(self.record, by, "knowledge_add", what=str(path), readers=told(labels)):
            if folder:
                return await self.library.add_source(
                    "folder", str(path), tenant=by.tenant, readers=labels, by=by.user
                )
            return await self.library.add_upload(path.name, path, principal=by, readers=labels)

    async def add_url(self, by: Principal, url: str, readers: Collection[str] = ()) -> Source:
        self.check(by)
        labels = self._readers(readers)
        if not url.startswith(WEB) or len(url) > LONGEST_URL:
            raise _not_here()
        async with recorded(self.record, by, "knowledge_add", what=url, readers=told(labels)):
            return await self.library.add_source(
                "url", url, tenant=by.tenant, readers=labels, by=by.user
            )

    async def upload(
        self, by: Principal, name: str, content: bytes | Path, readers: Collection[str] = ()
    ) -> Document:
        self.check(by)
        labels = self._readers(readers)
        async with recorded(self.record, by, "knowledge_add", what=name, readers=told(labels)):
            return await self.library.add_upload(name, content, principal=by, readers=labels)

    async def remove(self, by: Principal, number: str) -> int:
        """A source with all of its documents, or a document; how many documents. Raises ``NotFound``."""
        self.check(by)
        async with recorded(self.record, by, "knowledge_remove", what=number):
            if number.startswith("d_"):
                await self.library.remove(number, by.tenant)
                return 1
            source = await self.library.records.source(number, by.tenant)
            if source.declared:
                raise CallerError(
                    "declared",
                    f"来源 {number} 写在 dazi.toml 里;在那里删掉它",
                    f"source {number} is declared in dazi.toml; remove it there",
                )
            return await self.library.remove_source(number, by.tenant)

    async def set_readers(
        self, by: Principal, number: str, readers: Collection[str] | None
    ) -> frozenset[str]:
        """Who may read a document, or all of a source that say nothing of their own, from now on.
        ``None`` gives a document its source's. Raises ``NotFound``."""
        self.check(by)
        labels = None if readers is None else readers_of(readers, self.roles)
        async with recorded(self.record, by, "knowledge_rights", what=number, readers=told(labels)):
            if number.startswith("d_"):
                return (await self.library.set_readers(number, by.tenant, labels)).readers
            source = await self.library.records.source(number, by.tenant)
            if labels is None or source.declared:
                raise CallerError(
                    "declared",
                    f"来源 {number} 的权限写在 dazi.toml 里,或写明给谁看",
                    f"the rights of source {number} are in dazi.toml; or name who may read it",
                )
            changed = await self.library.add_source(
                source.kind, source.place, tenant=by.tenant, readers=labels
            )
            return changed.readers

    async def documents(self, by: Principal) -> list[Document]:
        """All of the tenant, whoever may read them."""
        self.check(by)
        found = await self.library.records.documents(by.tenant)
        return [d for d in found if d.state != "gone"]

    async def sources(self, by: Principal) -> list[Source]:
        self.check(by)
        return await self.library.records.sources(by.tenant)

    async def again(self, by: Principal, number: str = "") -> int:
        """Mark to be read anew: a document, a source's documents, or all; how many. Raises
        ``NotFound``."""
        documents = await self.documents(by)
        chosen = [d for d in documents if not number or number in (d.id, d.source)]
        if number and not chosen:
            raise NotFound("document", f"没有 {number}", f"there is no {number}")
        async with recorded(self.record, by, "knowledge_reindex", what=number or "all"):
            await self.library.read_again(chosen)
        return len(chosen)

    def check(self, by: Principal) -> None:
        """Raises ``AccessError`` for whoever may not."""
        if not self.may(by):
            raise AccessError(
                "forbidden", "您没有权限管理文档", "you are not allowed to manage documents"
            )

    def _readers(self, readers: Collection[str]) -> frozenset[str] | None:
        """``None`` where nobody is named: what is there already keeps those it has."""
        return readers_of(readers, self.roles) if readers else None


def told(labels: frozenset[str] | None) -> list[str] | None:
    return None if labels is None else sorted(labels)


def _local(what: str) -> tuple[Path, bool]:
    """A path of this machine, and whether it is a folder. Raises ``CallerError`` for nothing."""
    path = Path(what).absolute()
    if not path.exists():
        raise CallerError("what", f"没有 {path}", f"there is no {path}")
    return path, path.is_dir()


def _not_here() -> CallerError:
    return CallerError(
        "url",
        "请写 http(s) 网址;本机的文件夹由运维用 dazi knowledge add 添加,文件请上传",
        "give an http(s) URL; folders of the server are added there with dazi knowledge add, and "
        "files are uploaded",
    )
