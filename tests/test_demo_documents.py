"""The demo company's documents: made from their sources, readable, and agreeing with the questions
and the seed data."""

from __future__ import annotations

import csv
import json
import re
import shutil
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import docx
import openpyxl
import pypdfium2
import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser

from dazi.main.company import load_company
from dazi.main.demo import Demo, load_module

FOLDER = Path(__file__).parents[1] / "examples" / "yunshan"
documents: ModuleType = load_module(FOLDER / "documents.py")
SOURCES = {source.name: source for source in documents.sources()}
QUESTIONS = [
    json.loads(line)
    for line in (FOLDER / "knowledge" / "questions.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("data") / "knowledge"
    assert documents.make(target)
    return target


def solid(text: str) -> str:
    """Without white space: where lines break is the format's matter."""
    return re.sub(r"\s+", "", text)


def read(path: Path) -> str:
    data = path.read_bytes()
    match path.suffix:
        case ".pdf":
            with pypdfium2.PdfDocument(data) as document:
                return "".join(page.get_textpage().get_text_range() for page in document)
        case ".docx":
            word = docx.Document(BytesIO(data))
            cells = [c.text for t in word.tables for row in t.rows for c in row.cells]
            return "\n".join([*(p.text for p in word.paragraphs), *cells])
        case ".xlsx":
            book = openpyxl.load_workbook(BytesIO(data))
            rows = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
            return "\n".join(str(cell) for row in rows for cell in row if cell is not None)
        case ".html":
            return str(LexborHTMLParser(data.decode()).text())
        case _:
            return data.decode("utf-8")


def test_there_are_enough_of_every_format_in_both_languages(made: Path) -> None:
    formats = Counter(source.format for source in SOURCES.values())
    assert len(SOURCES) >= 70
    assert formats.keys() == {"pdf", "docx", "xlsx", "html", "md", "txt"}
    assert formats["pdf"] >= 12 and formats["docx"] >= 12
    assert min(Counter(s.language for s in SOURCES.values()).values()) >= 20
    assert len([s for s in SOURCES.values() if len(s.body) >= 10_000]) >= 3
    listed = json.loads((made / "documents.json").read_text("utf-8"))
    assert {e["file"] for e in listed} | {"documents.json"} == {p.name for p in made.iterdir()}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_holds_the_text_of_its_source(made: Path, name: str) -> None:
    source = SOURCES[name]
    found = solid(read(made / source.file))
    for block in source.blocks()[2:]:
        texts = [cell for row in block.rows for cell in row] or [block.text]
        for text in texts:
            number = source.format == "xlsx" and re.fullmatch(r"\d+\.\d+", text)
            assert (f"{float(text):g}" if number else solid(text)) in found


def test_the_front_matter_names_roles_that_there_are() -> None:
    roles = yaml.safe_load((FOLDER / "roles.yaml").read_text("utf-8"))["roles"]
    for source in SOURCES.values():
        assert source.roles == ("all",) or set(source.roles) <= roles.keys() - {"employee"}
        assert source.language == ("en" if source.name.endswith(".en") else "zh")
        assert source.title and source.department and 2024 <= source.effective.year <= 2025
    assert SOURCES["risk-rules"].roles == ("risk",)
    assert SOURCES["salary-bands"].roles == ("manager",)


def test_products_and_rooms_are_those_of_the_seed_data() -> None:
    with (FOLDER / "data" / "products.csv").open(encoding="utf-8") as file:
        products = {row["sku"]: row for row in csv.DictReader(file)}
    for source in SOURCES.values():
        assert set(re.findall(r"SKU-\d{4}", source.body)) <= products.keys()
        if source.name.startswith("manual-"):
            sku = re.search(r"SKU-\d{4}", source.body)[0]  # type: ignore[index]
            names = products[sku]["name"], products[sku]["name_en"]
            assert any(name in source.title for name in names)
    listed = [row for block in SOURCES["price-list-wholesale"].blocks() for row in block.rows]
    prices = [row for row in listed if len(row) == 6 and row[0].startswith("SKU-")]
    assert prices
    for sku, name, price, *_ in prices:
        assert (name, price) == (products[sku]["name"], products[sku]["price"])
    seed = load_module(FOLDER / "seed.py")
    kinds = {"投影": "projector", "白板": "whiteboard", "视频": "video"}
    rows = [row for block in SOURCES["office-directory"].blocks() for row in block.rows]
    rooms = {
        (room, city, int(floor), int(seats), ",".join(kinds[f] for f in features.split("、")))
        for room, city, floor, seats, features in rows
        if re.fullmatch(r"[A-E]\d{3}", room)
    }
    assert rooms == {(r[0], r[1], r[3], r[4], r[5]) for r in seed.ROOMS}


def test_the_risk_rules_are_those_of_the_engine() -> None:
    rules = SOURCES["risk-rules"].body
    given = tomllib.loads((FOLDER / "dazi.toml").read_text("utf-8"))["risk"]
    assert f"评分最高的{given['hold']:.0%}交易为高风险，进入前{given['review']:.0%}的其余" in rules


def test_the_questions_are_answered_by_a_sentence_of_their_document(made: Path) -> None:
    assert len(QUESTIONS) >= 80
    assert len({q["id"] for q in QUESTIONS}) == len(QUESTIONS)
    assert min(Counter(q["language"] for q in QUESTIONS).values()) >= 25
    unanswered = [q for q in QUESTIONS if q["document"] is None]
    assert len(unanswered) == 15
    assert all(q["sentence"] is q["answer"] is None and not q["roles"] for q in unanswered)
    for question in QUESTIONS:
        if question["document"] is not None:
            source = SOURCES[question["document"]]
            assert question["sentence"] in source.body and question["answer"]
            assert solid(question["sentence"]) in solid(read(made / source.file))
            assert tuple(question["roles"]) == source.roles
            assert question["language"] == source.language
    employees = set(SOURCES["employee-handbook"].roles)
    limited = [q for q in QUESTIONS if q["roles"] and set(q["roles"]) < employees]
    assert len(limited) >= 10


def test_made_again_nothing_changes(made: Path, tmp_path: Path) -> None:
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in made.iterdir()}
    assert documents.make(made) == []
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in made.iterdir()} == before
    for name in ("risk-rules", "price-policy", "salary-bands", "delivery-rules"):
        source = SOURCES[name]
        again = documents.MAKERS[source.format](source)
        assert again == (made / source.file).read_bytes()


def company(folder: Path, body: str, **front: Any) -> Path:
    """A company with one document."""
    about = {"title": "T", "language": "en", "format": "txt", "department": "D"} | front
    (folder / "knowledge").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(about) + "effective: 2025-01-01\n"
    (folder / "knowledge" / "one.md").write_text(f"---\n{text}---\n# T\n\n{body}\n", "utf-8")
    return folder


def test_only_what_changed_is_made_and_what_is_gone_goes(tmp_path: Path) -> None:
    folder, target = company(tmp_path / "c", "First."), tmp_path / "made"
    assert documents.make(target, folder) == ["one.txt"]
    (target / "mine.pdf").write_bytes(b"%PDF-")
    assert documents.make(target, folder) == []
    company(folder, "Second.")
    assert documents.make(target, folder) == ["one.txt"]
    assert "Second." in (target / "one.txt").read_text("utf-8")
    (target / "one.txt").unlink()
    assert documents.make(target, folder) == ["one.txt"]
    company(folder, "Second.", format="html")
    assert documents.make(target, folder) == ["one.html"]
    assert {p.name for p in target.iterdir()} == {"one.html", "mine.pdf", "documents.json"}


@pytest.mark.parametrize("format", ["pdf", "docx", "html", "txt"])
def test_no_text_is_taken_for_markup(tmp_path: Path, format: str) -> None:
    odd = 'a "b" \\ #let x = 1 $y$ *c* <b>&amp; @d _e_ [f] // g'
    folder = company(
        tmp_path / "c", f"## {odd}\n\n{odd}\n\n- {odd}\n\n| {odd} | h |", format=format
    )
    documents.make(tmp_path / "made", folder)
    assert solid(read(tmp_path / "made" / f"one.{format}")).count(solid(odd)) == 4


def test_the_demo_makes_them_in_its_data_folder(tmp_path: Path) -> None:
    folder, data = company(tmp_path / "c", "First."), tmp_path / "data"
    demo = Demo(replace(load_company(FOLDER), folder=folder), data, date(2025, 4, 3))
    assert demo.make_documents() == []
    shutil.copy(FOLDER / "documents.py", folder)
    assert demo.make_documents() == ["one.txt"]
    assert demo.make_documents() == []
    assert "First." in (data / "knowledge" / "one.txt").read_text("utf-8")
