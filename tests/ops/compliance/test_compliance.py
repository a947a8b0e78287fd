"""The matrix, the report over a whole installation, and its forms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result as Ran
from jsonschema import validate
from typer.testing import CliRunner

from dazi.core.errors import CallerError, ConfigError
from dazi.core.language import Text
from dazi.main.cli import complete
from dazi.main.compliance import Wanted, looked_at
from dazi.main.settings import Settings
from dazi.ops.compliance.checks.registry import CHECKS
from dazi.ops.compliance.matrix import NAMES, load_matrix, read_framework
from dazi.ops.compliance.page import html
from dazi.ops.compliance.report import Report, as_json, survey
from dazi.ops.compliance.results import Result, Status
from dazi.ops.compliance.subject import Subject
from dazi.ops.compliance.table import lines
from tests.ops.compliance.conftest import DEMO

BOTH = {
    "type": "object",
    "required": ["zh", "en"],
    "additionalProperties": False,
    "properties": {
        "zh": {"type": "string", "minLength": 1},
        "en": {"type": "string", "minLength": 1},
    },
}
STATUSES = ["pass", "fail", "not_supported", "organisational"]
ITEM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "group", "title", "status", "checks", "evidence", "mend", "records", "note"],
    "properties": {
        "id": {"type": "string"},
        "group": BOTH,
        "title": BOTH,
        "status": {"enum": STATUSES},
        "checks": {"type": "array", "items": {"enum": sorted(CHECKS)}},
        "evidence": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["ok", "zh", "en"],
                "additionalProperties": False,
                "properties": {"ok": {"type": "boolean"}, **BOTH["properties"]},  # type: ignore[dict-item]
            },
        },
        "mend": {"type": "array", "items": BOTH},
        "records": {"type": "array", "items": {"type": "integer"}},
        "note": {"anyOf": [BOTH, {"type": "null"}]},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "schema", "product", "company", "at", "period_days", "statement", "looked_at", "frameworks",
    ],
    "properties": {
        "schema": {"const": 1},
        "product": {
            "type": "object",
            "required": ["name", "version"],
            "properties": {"name": {"const": "dazi"}, "version": {"type": "string"}},
        },
        "company": BOTH,
        "at": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "period_days": {"type": "number"},
        "statement": BOTH,
        "looked_at": {"type": "array", "items": BOTH, "minItems": 1},
        "frameworks": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["key", "name", "counts", "items"],
                "properties": {
                    "key": {"enum": list(NAMES)},
                    "name": BOTH,
                    "counts": {
                        "type": "object",
                        "required": STATUSES,
                        "additionalProperties": False,
                        "properties": {s: {"type": "integer"} for s in STATUSES},
                    },
                    "items": {"type": "array", "items": ITEM},
                },
            },
        },
    },
}  # fmt: skip
SIZES = {"mlps": 35, "gdpr": 29, "pipl": 29, "iso27001": 93, "ai-labels": 13}
LETTERED = {"8.1.4.1": "abcd", "8.1.4.2": "abcdefg", "8.1.4.3": "abcd", "8.1.4.4": "abcdef"}


async def fake(_: Subject) -> Result:
    return Result(Status.PASS)


FAKES = dict.fromkeys(CHECKS, fake)


# --- the matrix ------------------------------------------------------------------------------------


def test_every_framework_is_whole() -> None:
    matrix = load_matrix()
    assert {f.key: len(f.items) for f in matrix} == SIZES
    used = {name for f in matrix for item in f.items for name in item.checks}
    assert used == set(CHECKS)
    mlps, iso = (next(f for f in matrix if f.key == key) for key in ("mlps", "iso27001"))
    ids = {item.id for item in mlps.items}
    assert {f"{part} {letter})" for part, letters in LETTERED.items() for letter in letters} <= ids
    sections = {"5": 37, "6": 8, "7": 14, "8": 34}  # ISO/IEC 27001:2022, Annex A
    numbers = [f"{part}.{i}" for part, last in sections.items() for i in range(1, last + 1)]
    assert [item.id for item in iso.items] == numbers


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("{id: x, title: {zh: 甲, en: a}, checks: [no_such_check]}", "there is no check no_such_check"),
        ("{id: x, title: {zh: 甲}, organisational: true}", "Field required"),
        ('{id: x, title: {zh: 甲, en: " "}, organisational: true}', "at least 1 character"),
        ("{id: x, title: {zh: 甲, en: a}}", "one of checks, organisational and not_supported"),
        ("{id: x, title: {zh: 甲, en: a}, checks: [clock], organisational: true}", "one of checks"),
        ("{id: x, title: {zh: 甲, en: a}, checks: [clock], kind: y}", "not permitted"),
    ],
)  # fmt: skip
def test_a_matrix_that_is_wrong_is_not_loaded(tmp_path: Path, item: str, told: str) -> None:
    file = tmp_path / "f.yaml"
    head = "name: {zh: 甲, en: a}\norganisational: {zh: 甲, en: a}\ngroups:\n"
    file.write_text(f"{head}- title: {{zh: 甲, en: a}}\n  items:\n  - {item}\n", "utf-8")
    with pytest.raises(ConfigError, match=told) as error:
        read_framework(file)
    assert str(file) in str(error.value)


def test_an_item_stands_once_and_a_framework_is_known(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    item = "  - {id: x, title: {zh: 甲, en: a}, organisational: true}\n"
    head = "name: {zh: 甲, en: a}\norganisational: {zh: 甲, en: a}\ngroups:\n"
    file.write_text(f"{head}- title: {{zh: 甲, en: a}}\n  items:\n{item}{item}", "utf-8")
    with pytest.raises(ConfigError, match="x is there twice"):
        read_framework(file)
    with pytest.raises(CallerError, match="no framework soc2"):
        load_matrix(("soc2",))
    assert [f.key for f in load_matrix(("gdpr", "mlps"))] == ["mlps", "gdpr"]


# --- the report ------------------------------------------------------------------------------------


async def test_an_installation_in_good_order_passes(subject: Subject) -> None:
    """With the real probe of labels: through the gateway's response path and the page's view."""
    report = await survey(subject, load_matrix(), "1")
    bad = {
        (j.item.id, seen.text.en)
        for c in report.chapters
        for j in c.items
        for seen in j.evidence
        if not seen.ok
    }
    assert bad == set() and not report.failed
    told = dict(zip(SIZES, report.chapters, strict=True))
    assert told["mlps"].counts[Status.PASS] == 26
    assert told["ai-labels"].counts[Status.PASS] == 6
    (label,) = [j for j in told["ai-labels"].items if j.item.id == "Measures 5"]
    ways = "dazi (whole), dazi (stream), sentence (whole), sentence (stream)"
    assert ways in label.evidence[0].text.en
    validate(json.loads(json.dumps(as_json(report))), SCHEMA)


async def test_a_part_that_fails_fails_the_item(subject: Subject) -> None:
    async def bad(_: Subject) -> Result:
        return Result(Status.FAIL, mend=(Text("改", "mend it"),), records=(7,))

    mlps = load_matrix(("mlps",))
    report = await survey(subject, mlps, "1", FAKES | {"session_timeout": bad})
    failed = [j for j in report.chapters[0].items if j.status is Status.FAIL]
    assert [j.item.id for j in failed] == ["8.1.4.1 b)"]
    assert failed[0].mend == (Text("改", "mend it"),) and failed[0].records == (7,)
    assert report.failed


async def test_a_check_that_breaks_has_shown_nothing(subject: Subject) -> None:
    async def broken(_: Subject) -> Result:
        raise RuntimeError("out of order")

    report = await survey(subject, load_matrix(("mlps",)), "1", FAKES | {"clock": broken})
    (item,) = [j for j in report.chapters[0].items if "clock" in j.item.checks]
    assert item.status is Status.FAIL and "out of order" in item.evidence[0].text.en


async def test_a_check_is_run_once_for_all_its_items(subject: Subject) -> None:
    ran: list[int] = []

    async def counted(_: Subject) -> Result:
        ran.append(1)
        return Result(Status.PASS)

    await survey(subject, load_matrix(), "1", FAKES | {"audit_chain": counted})
    assert len(ran) == 1


# --- its forms -------------------------------------------------------------------------------------

HOSTILE = '<script>alert("x")</script><img src=//evil.example/x onerror=y>&'


async def hostile(subject: Subject) -> Report:
    async def told(s: Subject) -> Result:
        from dazi.ops.compliance.results import Seen

        name = Text(HOSTILE, HOSTILE)
        return Result(Status.FAIL, (Seen(name, ok=False),), (name,), (3,))

    company = replace(subject.company, name=Text(HOSTILE, HOSTILE))
    return await survey(
        replace(subject, company=company), load_matrix(), HOSTILE, dict.fromkeys(CHECKS, told)
    )


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_page_is_one_file_without_scripts_and_escapes(
    subject: Subject, language: Any
) -> None:
    page = Elements()
    page.feed(html(await hostile(subject), language))
    tags = {tag for tag, _ in page.found}
    assert not tags & {"script", "img", "link", "iframe", "object", "form"}
    assert page.text.count(HOSTILE) > 10
    for _, given in page.found:
        assert not any(name.startswith("on") or name == "src" for name in given)
        assert (given.get("href") or "#").startswith("#")
    said = {"zh": "软件本身不给任何认证", "en": "Software alone confers no certificate"}[language]
    assert said in page.text and "SM2/SM3/SM4" in page.text
    anchors = {given["href"] for tag, given in page.found if tag == "a"}
    assert anchors == {f"#{name}" for name in NAMES}


async def test_the_bars_are_as_long_as_the_counts(subject: Subject) -> None:
    report = await survey(subject, load_matrix(("iso27001",)), "1", FAKES)
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', html(report, "en"))]
    assert sum(widths) == pytest.approx(600, abs=0.3)
    passed = report.chapters[0].counts[Status.PASS]
    assert widths[0] == pytest.approx(600 * passed / 93, abs=0.1)


async def test_the_console_tells_failures_and_acts_on_no_terminal(subject: Subject) -> None:
    report = await hostile(subject)
    company = replace(report, company=Text("\x1b[31m", "\x1b[31m"))
    out = list(lines(company, "en"))
    assert not any("\x1b" in line for line in out)
    assert f"    ✗ {HOSTILE}" in out and f"    mend: {HOSTILE}" in out
    assert "    audit records: 3" in out
    assert out[-1].endswith("pass 0, fail 7, not supported 1, organisational 5")


# --- the command -----------------------------------------------------------------------------------


def command(*line: str, code: int = 0) -> str:
    done: Ran = CliRunner().invoke(complete(), ["audit", "compliance", *line])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def test_the_demo_company_and_its_command(
    tmp_path: Path, cheap: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAZI_LANG", "en")
    page = tmp_path / "report.html"
    company = ("--company", str(DEMO))
    found = json.loads(command("--json", "--html", str(page), *company))
    validate(found, SCHEMA)
    print({f["key"]: f["counts"] for f in found["frameworks"]})
    failed = {
        check
        for f in found["frameworks"]
        for item in f["items"]
        if item["status"] == "fail" and not all(e["ok"] for e in item["evidence"])
        for check in item["checks"]
        if len(item["checks"]) == 1
    }
    # The demo's users are in its file, nobody is an administrator and nothing is backed up.
    assert failed == {"default_accounts", "second_factor", "backups"} & failed
    assert {"default_accounts", "backups"} <= failed
    statuses = {item["id"]: item["status"] for f in found["frameworks"] for item in f["items"]}
    assert statuses["8.1.4.3 b)"] == statuses["8.1.4.2 f)"] == statuses["Measures 4"] == "pass"
    assert statuses["8.1.4.6"] == "not_supported" and statuses["5.1"] == "organisational"
    assert "Yunshan Trading" in page.read_text("utf-8")
    text = command("--framework", "mlps", "--lang", "zh", "--strict", *company, code=1)
    assert "合规矩阵" in text and "8.1.4.2 b)  没有默认账号和默认密码  [不通过]" in text
    assert "GDPR" not in text
    out = ("--framework", "ai-labels", "--strict", "--html")
    command(*out, str(page), *company)
    with pytest.raises(CallerError, match="cannot be written"):
        command(*out, str(tmp_path), *company)
    with pytest.raises(CallerError, match="no framework x"):
        command("--framework", "x", *company)


async def test_credentials_of_systems_are_not_told(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_REDIS", "redis://user:hunter2@redis.example.com:6379/0")
    settings = Settings(company=house, data=tmp_path / "data", model="https://m.example.com/v1")
    async with looked_at(settings, Wanted()) as made:
        assert made.serving.systems == ("https://m.example.com", "redis://redis.example.com")
        found = await CHECKS["data_location"](made)
    assert found.status is Status.FAIL and "hunter2" not in str(found)


async def test_backups_are_looked_for_where_they_were_made(house: Path, subject: Subject) -> None:
    async with looked_at(Settings(company=house, data=subject.data), Wanted()) as again:
        assert again.backups == subject.backups
