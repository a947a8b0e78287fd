"""What files a model has at a hub, with sizes and checksums: each hub's own answer, read strictly.

Nothing in an answer is trusted: names must stay inside the folder, and numbers are bounded.
Sources: Hugging Face ``/api/models/ID/revision/REV`` and ``/tree/REV?recursive=true`` (pages by
``Link``), ModelScope ``/api/v1/models/ID/repo/files?Revision=REV&Recursive=true``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import msgspec
import stamina
from yarl import URL

from dazi.core.errors import NotFound, OperatorError
from dazi.inference.hub.places import Hub
from dazi.inference.hub.wire import Again, HubClient, problem, unreachable

MOST_FILES = 10_000
MOST_PAGES = 100
MOST_PAGE_BYTES = 16 << 20
LARGEST = 1 << 40
"""Bytes of one file: a tebibyte."""
LONGEST_PATH = 500
_PART = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")
_SHA1, _SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """``sha256`` of its bytes, or ``blob``: the name that git gives them; at least one is set."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""

    @property
    def check(self) -> str:
        return self.sha256 or self.blob


@dataclass(frozen=True, slots=True)
class Listing:
    """``revision``: what files are fetched by; a commit where the hub tells it."""

    repo: str
    revision: str
    files: tuple[RemoteFile, ...]


class _Lfs(msgspec.Struct):
    oid: str = ""


class _Entry(msgspec.Struct):
    type: str
    path: str
    size: int = 0
    oid: str = ""
    lfs: _Lfs | None = None


class _Commit(msgspec.Struct):
    sha: str


class _ScopeFile(msgspec.Struct):
    Type: str
    Path: str
    Size: int = 0
    Sha256: str = ""


class _ScopeFiles(msgspec.Struct):
    Files: list[_ScopeFile] | None = None


class _ScopeAnswer(msgspec.Struct):
    Code: int
    Success: bool = False
    Message: str = ""
    Data: _ScopeFiles | None = None


async def list_files(client: HubClient, repo: str, revision: str) -> Listing:
    """Raises ``NotFound``, ``AccessError``, ``OverloadError`` or ``OperatorError``."""
    if client.hub.dialect == "modelscope":
        return await _from_modelscope(client, repo, revision)
    return await _from_hugging_face(client, repo, revision)


def file_url(hub: Hub, listing: Listing, file: RemoteFile) -> str:
    """Where its bytes are."""
    at, path = quote(listing.revision, safe=""), quote(file.path)
    models = "/models" if hub.dialect == "modelscope" else ""
    return f"{hub.base}{models}/{listing.repo}/resolve/{at}/{path}"


async def _from_hugging_face(client: HubClient, repo: str, revision: str) -> Listing:
    api = f"{client.hub.base}/api/models/{repo}"
    what = f"{repo} ({revision})"
    commit, _ = await _read(client, f"{api}/revision/{quote(revision, safe='')}", _Commit, what)
    if not _SHA1.fullmatch(commit.sha):
        raise _strange(client.hub, "sha")
    url: str | None = f"{api}/tree/{commit.sha}?recursive=true"
    found: list[RemoteFile] = []
    for _ in range(MOST_PAGES):
        if url is None:
            break
        entries, url = await _read(client, url, list[_Entry], what)
        found += [
            RemoteFile(e.path, e.size, e.lfs.oid if e.lfs else "", "" if e.lfs else e.oid)
            for e in entries
            if e.type == "file"
        ]
        _bounded(client.hub, found)
    return _checked(client.hub, Listing(repo, commit.sha, tuple(found)))


async def _from_modelscope(client: HubClient, repo: str, revision: str) -> Listing:
    url = f"{client.hub.base}/api/v1/models/{repo}/repo/files"
    query = f"?Revision={quote(revision, safe='')}&Recursive=true"
    what = f"{repo} ({revision})"
    answer, _ = await _read(client, url + query, _ScopeAnswer, what)
    if answer.Code != 200 or answer.Data is None:
        told = "".join(c for c in answer.Message[:200] if c.isprintable())
        raise NotFound(
            "hub_missing",
            f"{client.hub.name} 没有 {what}（{told}）；请核对名字和版本。",
            f"{client.hub.name} has no {what} ({told}); check name and revision.",
        )
    files = [
        RemoteFile(f.Path, f.Size, f.Sha256) for f in answer.Data.Files or () if f.Type == "blob"
    ]
    return _checked(client.hub, Listing(repo, revision, tuple(files)))


async def _read(client: HubClient, url: str, kind: type[T], what: str) -> tuple[T, str | None]:
    """An answer, and the URL of the next page if there is one."""
    patience = client.patience
    again = stamina.AsyncRetryingCaller(
        attempts=patience.attempts,
        timeout=None,
        wait_initial=patience.first_s,
        wait_max=patience.longest_s,
        wait_jitter=patience.first_s,
    )
    try:
        body, following = await again(may_help, _page, client, url, what)
    except Again as e:
        raise unreachable(client.hub, str(e)) from e
    try:
        return msgspec.json.decode(body, type=kind), following
    except msgspec.MsgspecError as e:
        raise _strange(client.hub, str(e)) from e


async def _page(client: HubClient, url: str, what: str) -> tuple[bytes, str | None]:
    async with client.get(url, {"Accept": "application/json"}) as reply:
        if reply.status != 200:
            raise problem(reply, client.hub, what, client.patience)
        body = await reply.whole(MOST_PAGE_BYTES)
        if body is None:
            raise _strange(client.hub, f"> {MOST_PAGE_BYTES} bytes")
        return body, _next_page(client.hub, url, reply.headers.get("Link", ""))


def may_help(e: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    if not isinstance(e, Again):
        return False
    return True if e.wait_s is None else e.wait_s


def _next_page(hub: Hub, url: str, links: str) -> str | None:
    """RFC 8288. A page elsewhere is none."""
    found = re.search(r"<([^<>]*)>\s*;[^,<]*\brel=\"?next\"?", links)
    if not found:
        return None
    there = URL(url).join(URL(found[1]))
    if there.origin() != URL(hub.base).origin():
        raise _strange(hub, "Link")
    return str(there)


def _checked(hub: Hub, listing: Listing) -> Listing:
    _bounded(hub, listing.files)
    seen: set[str] = set()
    for file in listing.files:
        if any(not _PART.fullmatch(p) or p in (".", "..") for p in file.path.split("/")):
            raise _unsafe(hub, file.path)
        if len(file.path) > LONGEST_PATH or file.path in seen:
            raise _unsafe(hub, file.path)
        if not 0 <= file.size <= LARGEST:
            raise _strange(hub, f"{file.path}: {file.size} bytes")
        seen.add(file.path)
    return listing


def with_checksum(hub: Hub, file: RemoteFile) -> RemoteFile:
    """Raises ``OperatorError`` for a file that could not be checked."""
    if _SHA256.fullmatch(file.sha256) if file.sha256 else _SHA1.fullmatch(file.blob):
        return file
    raise OperatorError(
        "hub_unchecked",
        f"{hub.name} 没有给出 {file.path} 的校验值；没有校验值的文件不下载。",
        f"{hub.name} tells no checksum of {file.path}; what cannot be checked is not downloaded.",
    )


def _bounded(hub: Hub, files: list[RemoteFile] | tuple[RemoteFile, ...]) -> None:
    if len(files) > MOST_FILES:
        raise OperatorError(
            "hub_too_many",
            f"{hub.name} 列出了超过 {MOST_FILES} 个文件；这不像一个模型。",
            f"{hub.name} lists more than {MOST_FILES} files, which is no model.",
        )


def _unsafe(hub: Hub, path: str) -> OperatorError:
    return OperatorError(
        "hub_unsafe",
        f"{hub.name} 列出的文件名 {path[:100]!r} 不安全或重复；什么都没有下载。",
        f"{hub.name} lists a file name that is unsafe or there twice: {path[:100]!r}. Nothing was "
        "downloaded.",
    )


def _strange(hub: Hub, why: str) -> OperatorError:
    return OperatorError(
        "hub_answer",
        f"{hub.name} 的回答不是模型站的（{why[:200]}）。地址写对了吗？",
        f"{hub.name} does not answer as a model hub does ({why[:200]}). Is the address right?",
    )
