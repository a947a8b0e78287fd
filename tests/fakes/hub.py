"""A model hub on this machine: the routes of Hugging Face and ModelScope, a host of its own for
large files, and whatever can go wrong with them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from dazi.inference.hub.places import Dialect, Hub

COMMIT = "9c8f7e6d5c4b3a29181706f5e4d3c2b1a0f9e8d7"
LARGE = 64 << 10
"""Files of this size and above lie on the other host, as with LFS."""


@dataclass(frozen=True)
class Seen:
    host: str
    path: str
    headers: dict[str, str]


Answer = Callable[["FakeHub", web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class FakeHub:
    """``files`` by repository and path; ``faults`` by path: what the next requests for its bytes get
    instead. ``gated``: repositories that want the token."""

    dialect: Dialect = "huggingface"
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: defaultdict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    listing_faults: list[Answer] = field(default_factory=list)
    gated: dict[str, str] = field(default_factory=dict)
    extra: list[dict[str, Any]] = field(default_factory=list)
    """Entries that the listing has beside the files."""
    told: dict[str, bytes] = field(default_factory=dict)
    """Paths whose listed sizes and checksums are those of other bytes."""
    page: int = 1_000
    seen: list[Seen] = field(default_factory=list)
    etags: dict[str, str] = field(default_factory=dict)
    base: str = ""
    cdn: str = ""
    redirect_to: str = ""
    pages_at: str = ""
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def hub(self, token: str = "") -> Hub:
        return Hub(self.dialect, self.base, token, (self.cdn,))

    def asked(self, path: str, host: str = "") -> list[Seen]:
        """Requests for a file's bytes."""
        return [s for s in self.seen if s.path.endswith(path) and host in ("", s.host)]

    # Listings.

    async def revision(self, request: web.Request) -> web.StreamResponse:
        repo = self._allowed(request)
        fault = await self._listing_fault(request)
        if fault is not None:
            return fault
        if request.match_info["rev"] not in ("main", "v1", COMMIT):
            return self._error(404, "RevisionNotFound", "Invalid rev id")
        siblings = [{"rfilename": p} for p in self.files[repo]]
        return web.json_response(
            {"_id": "66e1", "id": repo, "modelId": repo, "sha": COMMIT, "private": False,
             "gated": "auto" if repo in self.gated else False, "disabled": False,
             "tags": ["gguf"], "siblings": siblings}
        )  # fmt: skip

    async def tree(self, request: web.Request) -> web.StreamResponse:
        repo = self._allowed(request)
        assert request.match_info["rev"] == COMMIT and request.query["recursive"] == "true"
        entries: list[dict[str, Any]] = [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": folder}
            for folder in {p.rpartition("/")[0] for p in self.files[repo] if "/" in p}
        ]
        for path, body in self.files[repo].items():
            body = self.told.get(path, body)
            entry: dict[str, Any] = {"type": "file", "size": len(body), "path": path}
            if len(body) >= LARGE:
                oid = hashlib.sha256(body).hexdigest()
                entry["lfs"] = {"oid": oid, "size": len(body), "pointerSize": 135}
                entry["xetHash"] = "f" * 64
                body = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\n".encode()
            entries.append(entry | {"oid": blob(body)})
        entries += self.extra
        begin = int(request.query.get("cursor", "0"))
        end = begin + self.page
        headers = {}
        if end < len(entries):
            there = f"{self.pages_at or self.base}{request.path}?recursive=true&limit={self.page}&cursor={end}"
            headers["Link"] = f'<{there}>; rel="next"'
        return web.json_response(entries[begin:end], headers=headers)

    async def scope_files(self, request: web.Request) -> web.StreamResponse:
        repo = f"{request.match_info['owner']}/{request.match_info['name']}"
        if repo not in self.files:
            return web.json_response(
                {"Code": 10010205001, "Message": "record not found", "RequestId": "r",
                 "Success": False}, status=404,
            )  # fmt: skip
        self._allowed(request)
        assert request.query == {"Revision": "master", "Recursive": "true"}
        files: list[dict[str, Any]] = [
            {"CommitMessage": "add", "CommittedDate": 1745800000, "CommitterName": "q",
             "InCheck": False, "IsLFS": len(body) >= LARGE, "Mode": "33188",
             "Name": path.rpartition("/")[2], "Path": path, "Revision": COMMIT,
             "Sha256": hashlib.sha256(self.told.get(path, body)).hexdigest(),
             "Size": len(self.told.get(path, body)), "Type": "blob"}
            for path, body in self.files[repo].items()
        ]  # fmt: skip
        files.append({"Name": "docs", "Path": "docs", "Type": "tree", "Size": 0, "Sha256": ""})
        return web.json_response(
            {"Code": 200, "Data": {"Files": files + self.extra, "IsVisual": 0},
             "Message": "success", "RequestId": "r", "Success": True}
        )  # fmt: skip

    # Bytes.

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        repo, path = self._allowed(request), request.match_info["path"]
        if path not in self.files[repo]:
            return self._error(404, "EntryNotFound", "Entry not found")
        if len(self.files[repo][path]) < LARGE:
            if self.dialect == "modelscope":
                return await self._bytes(request, self.files[repo][path], path)
            rev = request.match_info["rev"]
            there = f"/api/resolve-cache/models/{repo}/{rev}/{path}?etag=%22x%22"
            return web.Response(status=307, headers={"Location": there})
        oid = hashlib.sha256(self.files[repo][path]).hexdigest()
        there = self.redirect_to or f"{self.cdn}/bytes/{repo}/{path}?Expires=1&Signature=a%2Bb~"
        headers = {"Location": there, "X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{oid}"'}
        return web.Response(status=302, headers=headers)

    async def cached(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        return await self._bytes(request, self.files[self._allowed(request)][path], path)

    async def on_cdn(self, request: web.Request) -> web.StreamResponse:
        self._note("cdn", request)
        repo = f"{request.match_info['owner']}/{request.match_info['name']}"
        path = request.match_info["path"]
        return await self._bytes(request, self.files[repo][path], path)

    async def _bytes(self, request: web.Request, body: bytes, path: str) -> web.StreamResponse:
        if self.faults[path]:
            return await self.faults[path].pop(0)(self, request, body)
        return await whole_or_range(self, request, body)

    # Around them.

    def _allowed(self, request: web.Request) -> str:
        self._note("hub", request)
        repo = f"{request.match_info['owner']}/{request.match_info['name']}"
        if repo not in self.files:
            raise web.HTTPUnauthorized(headers={"X-Error-Code": "RepoNotFound"})
        token = self.gated.get(repo)
        if token is not None and request.headers.get("Authorization") != f"Bearer {token}":
            raise web.HTTPForbidden(headers={"X-Error-Code": "GatedRepo"})
        return repo

    async def _listing_fault(self, request: web.Request) -> web.StreamResponse | None:
        return await self.listing_faults.pop(0)(self, request, b"") if self.listing_faults else None

    def _note(self, host: str, request: web.Request) -> None:
        self.seen.append(Seen(host, request.path, dict(request.headers)))

    @staticmethod
    def _error(status: int, code: str, message: str) -> web.Response:
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        return web.json_response({"error": message}, status=status, headers=headers)


async def whole_or_range(hub: FakeHub, request: web.Request, body: bytes) -> web.StreamResponse:
    """As RFC 9110 has it: a range, unless ``If-Range`` names other contents."""
    status, headers, body = _part(hub, request, body)
    return web.Response(status=status, headers=headers, body=body)


def _part(hub: FakeHub, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
    etag = hub.etags.get(request.path) or f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag:
        return 200, headers, body
    begin = int(asked[1])
    if begin >= len(body):
        return 416, headers | {"Content-Range": f"bytes */{len(body)}"}, b""
    headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
    return 206, headers, body[begin:]


def cut(after: int) -> Answer:
    """The connection ends after so many bytes."""

    async def answer(hub: FakeHub, request: web.Request, body: bytes) -> web.StreamResponse:
        response = await _begun(hub, request, body, after)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def stall(after: int) -> Answer:
    """Nothing comes after so many bytes, until ``hold`` is set."""

    async def answer(hub: FakeHub, request: web.Request, body: bytes) -> web.StreamResponse:
        response = await _begun(hub, request, body, after)
        await hub.hold.wait()
        if request.transport is not None:
            request.transport.close()
        return response

    return answer


async def _begun(hub: FakeHub, request: web.Request, body: bytes, after: int) -> web.StreamResponse:
    status, headers, body = _part(hub, request, body)
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[:after])
    return response


def wrong() -> Answer:
    """One byte is another one."""

    async def answer(hub: FakeHub, request: web.Request, body: bytes) -> web.StreamResponse:
        body = body[:-1] + bytes([body[-1] ^ 1])
        return await whole_or_range(hub, request, body)

    return answer


def shifted() -> Answer:
    """A range that is not the one asked for."""

    async def answer(_: FakeHub, __: web.Request, body: bytes) -> web.StreamResponse:
        headers = {"Content-Range": f"bytes 10-{len(body) - 1}/{len(body)}"}
        return web.Response(status=206, headers=headers, body=body[10:])

    return answer


def longer() -> Answer:
    """More than was listed, and no length told before."""

    async def answer(_: FakeHub, request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(body + b"more")
        return response

    return answer


def without_ranges() -> Answer:
    async def answer(_: FakeHub, __: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=body)

    return answer


def status(code: int, **headers: str) -> Answer:
    async def answer(_: FakeHub, __: web.Request, ___: bytes) -> web.StreamResponse:
        return web.Response(
            status=code, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


def blob(body: bytes) -> str:
    """What git calls it."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


@asynccontextmanager
async def serving(hub: FakeHub) -> AsyncIterator[FakeHub]:
    """The hub on one port, the host of its files on another."""
    main, files = web.Application(), web.Application()
    model = "/{owner}/{name}"
    main.router.add_get(f"/api/models{model}/revision/{{rev}}", hub.revision)
    main.router.add_get(f"/api/models{model}/tree/{{rev}}", hub.tree)
    main.router.add_get(f"/api/v1/models{model}/repo/files", hub.scope_files)
    main.router.add_get(f"/api/resolve-cache/models{model}/{{rev}}/{{path:.+}}", hub.cached)
    main.router.add_get(f"/models{model}/resolve/{{rev}}/{{path:.+}}", hub.resolve)
    main.router.add_get(f"{model}/resolve/{{rev}}/{{path:.+}}", hub.resolve)
    files.router.add_get(f"/bytes{model}/{{path:.+}}", hub.on_cdn)
    runners = []
    for app in (main, files):
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
    hub.base, hub.cdn = (f"http://127.0.0.1:{r.addresses[0][1]}" for r in runners)
    try:
        yield hub
    finally:
        hub.hold.set()
        for runner in runners:
            await runner.cleanup()
