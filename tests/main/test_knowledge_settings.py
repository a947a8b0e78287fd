"""``[knowledge]`` of dazi.toml, and what sources outside of folders give."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from dazi.connectors.context import ConnectorContext
from dazi.core.company import Company
from dazi.core.errors import CallerError, ConfigError
from dazi.core.language import Text
from dazi.main import outside_sources
from dazi.main.knowledge_settings import knowledge_settings
from dazi.main.outside_sources import OutsideSources


def company(folder: Path, **section: object) -> Company:
    roles = {r: frozenset({r}) for r in ("admin", "staff")}
    settings = {"databases": {"shop": "sqlite:///shop.sqlite"}}
    if section:
        settings["knowledge"] = section  # type: ignore[assignment]
    name = Text("甲", "A")
    return Company(folder, name, {}, {}, roles, {}, settings)


def test_the_folder_of_that_name_is_a_source_by_itself(tmp_path: Path) -> None:
    assert knowledge_settings(company(tmp_path)).sources == ()
    (tmp_path / "knowledge").mkdir()
    chosen = knowledge_settings(company(tmp_path))
    assert [(s.kind, s.place, s.readers) for s in chosen.sources] == [
        ("folder", "{company}/knowledge", frozenset({"all"}))
    ]
    assert chosen.managers == {"admin"}


def test_sources_and_managers(tmp_path: Path) -> None:
    chosen = knowledge_settings(
        company(
            tmp_path,
            managers=["staff"],
            sources=[
                {"folder": "{data}/made", "readers": ["role:staff"]},
                {"folder": "/srv/docs"},
                {"url": "https://wiki.example/a"},
                {"database": "shop", "query": "SELECT 1"},
            ],
        )
    )
    assert chosen.managers == {"staff"}
    assert [(s.kind, s.place) for s in chosen.sources] == [
        ("folder", "{data}/made"),
        ("folder", "/srv/docs"),
        ("url", "https://wiki.example/a"),
        ("database", "shop\nSELECT 1"),
    ]
    assert all(s.declared for s in chosen.sources)


@pytest.mark.parametrize(
    "section",
    [
        {"source": []},
        {"managers": ["nobody"]},
        {"managers": "staff"},
        {"sources": {"folder": "x"}},
        {"sources": [{"folder": "x", "url": "https://a.example"}]},
        {"sources": [{}]},
        {"sources": [{"database": "shop"}]},
        {"sources": [{"database": "other", "query": "SELECT 1"}]},
        {"sources": [{"folder": "x", "query": "SELECT 1"}]},
        {"sources": [{"folder": "x", "readers": ["role:nobody"]}]},
        {"sources": [{"folder": "x", "readers": "all"}]},
        {"sources": [{"folder": "x", "reader": ["all"]}]},
    ],
)
def test_mistakes_are_named(tmp_path: Path, section: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"\[knowledge\]"):
        knowledge_settings(company(tmp_path, **section))


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A web server of this machine."""

    async def page(request: web.Request) -> web.Response:
        kind = request.query.get("type", "text/html; charset=utf-8")
        return web.Response(body=b"<p>words</p>", headers={"Content-Type": kind})

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest")

    async def long(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 5_000, content_type="text/plain")

    app = web.Application()
    app.add_routes(
        [
            web.get("/page", page),
            web.get("/a.md", page),
            web.get("/away", away),
            web.get("/long", long),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_declared_pages_may_be_in_house_and_others_not(site: str, tmp_path: Path) -> None:
    alone = OutsideSources(ConnectorContext(tmp_path, tmp_path))
    assert await alone.fetch(f"{site}/page", declared=True) == ("page.html", b"<p>words</p>")
    assert (await alone.fetch(f"{site}/a.md", declared=True))[0] == "page.md"
    with pytest.raises(CallerError, match="internal"):
        await alone.fetch(f"{site}/page", declared=False)
    known = OutsideSources(ConnectorContext(tmp_path, tmp_path, services={"wiki": site}))
    assert await known.fetch(f"{site}/page", declared=False)
    for wrong in ("/away", "/none", "/page?type=image/png"):
        with pytest.raises(CallerError):
            await alone.fetch(f"{site}{wrong}", declared=True)
    for wrong in ("file:///etc/passwd", "http://user:pass@127.0.0.1/", "x"):
        with pytest.raises(CallerError):
            await alone.fetch(wrong, declared=True)


async def test_a_page_that_is_too_long(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_sources, "LARGEST_PAGE", 1_000)
    with pytest.raises(CallerError, match="more than"):
        await OutsideSources(ConnectorContext(tmp_path, tmp_path)).fetch(
            f"{site}/long", declared=True
        )


async def test_rows_of_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE products (sku TEXT, name TEXT, about TEXT)")
        connection.executemany(
            "INSERT INTO products VALUES (?, ?, ?)", [("1", "耳机", "降噪"), ("2", "手表", None)]
        )
        connection.commit()
    sources = OutsideSources(
        ConnectorContext(tmp_path, tmp_path, databases={"shop": "sqlite:///shop.sqlite"})
    )

    async def rows(query: str) -> list[tuple[str, str, str]]:
        return [(r.key, r.title, r.text) async for r in sources.rows(f"shop\n{query}")]

    query = "SELECT sku AS id, name AS title, about AS text FROM products"
    assert await rows(query) == [("1", "耳机", "降噪"), ("2", "手表", "")]
    for wrong in ("SELECT sku FROM products", "DROP TABLE products", "SELECT"):
        with pytest.raises(CallerError):
            await rows(wrong)
    assert len(await rows(query)) == 2, "it is opened for reading only"
    monkeypatch.setattr(outside_sources, "MOST_ROWS", 1)
    with pytest.raises(CallerError, match="more than 1 rows"):
        await rows(query)
