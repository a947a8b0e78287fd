"""The generator of contracts plants what its truth says, and the scorer counts right."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pypdfium2
import pytest
import yaml
from docx import Document

from bench.contracts import annexes, deal, draft, figures, layout, noise, pages, plan, run, texts
from bench.contracts.blocks import FIELDS, Block, Draft
from bench.contracts.generate import POLICY, generate, page_of
from bench.contracts.matching import overlap, right
from bench.contracts.score import KINDS, score

Truth = list[dict[str, Any]]
SEED = 7
_UNIT = r"(?=(?:个)?(?:日|天|年|月|份|小时|工作日))"
_HANZI = {figures.hanzi(n): n for n in range(2, 100)} | {"两": 2}
_WORDS = {figures.words(n): n for n in range(2, 100)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("contracts")
    return folder, generate(folder, SEED, 2 * len(texts.names()), short=True)


def numbers(text: str) -> set[str]:
    """All numbers of a wording but one, as 30, 三十日 and "thirty (30)" are the same."""
    text = re.sub(r"\{[^}]*\}", lambda m: f" {m[0].strip('{}#,')} ", text)
    found = set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<![\d.])\d+\)|[a-z_]+\.1\b", "", text)))
    found |= {
        str(_HANZI[m])
        for m in re.findall(rf"[一二三四五六七八九十两]+{_UNIT}", text)
        if m in _HANZI
    }
    found |= {str(_WORDS[m]) for m in re.findall(r"[a-z]+(?:-[a-z]+)?", text) if m in _WORDS}
    return found - {"1"}


def slots(text: str) -> set[str]:
    found = re.findall(r"\{([@%]?[a-z_]+(?:\.[a-z_]+)?)[#+,]?\}", text)
    return {name for name in found if name not in {"us", "them", "price"}}


# --- the texts --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", texts.names())
def test_wordings_of_a_paragraph_say_the_same(name: str) -> None:
    """Rewording changes no number, no value and no reference."""
    for clause in texts.kind(name).clauses:
        assert len(set(clause.titles)) >= 3
        for paragraph in clause.paragraphs:
            first, *others = paragraph.says
            assert others, f"{clause.id}.{paragraph.id} has one wording"
            for other in others:
                assert numbers(other) == numbers(first), other
                assert slots(other) == slots(first), other


@pytest.mark.parametrize("name", texts.names())
def test_each_plant_has_four_wordings_and_policy_plants_name_a_rule(name: str) -> None:
    kind = texts.kind(name)
    rules = {rule["id"] for rule in yaml.safe_load(POLICY.read_text("utf-8"))["rules"]}
    for option in plan.options(kind):
        if option.plant is not None and option.plant.kind != "contradiction":
            assert option.paragraph is not None
            assert len(set(option.plant.says or option.paragraph.says)) >= 4, option.topic
            assert option.plant.values or not set(option.plant.says) & set(option.paragraph.says)
        if option.inserted is not None:
            assert len(set(option.inserted.says)) >= 4, option.topic
        assert option.kind in KINDS
        assert option.kind != "policy" or option.topic in rules


@pytest.mark.parametrize("name", texts.names())
def test_every_fault_of_a_kind_can_be_planted_alone(name: str) -> None:
    kind = texts.kind(name)
    for number, option in enumerate(plan.options(kind)):
        rng = Random(number)
        contract = draft.contract(kind, deal.make(kind, rng), [option], rng)
        (fault,) = contract.faults
        assert (fault.kind, fault.topic) == (option.kind, option.topic)
        text = "\n".join(" ".join([b.text, *map(" ".join, b.rows)]) for b in contract.blocks)
        text += "".join(text for _, text in contract.annexed)
        assert all(pages.bare(quote) in pages.bare(text) for quote in fault.quotes)
        assert bool(fault.quotes) == (fault.kind != "missing")
        assert fault.kind not in {"missing"} or fault.words
        assert "{" not in text and "____" not in text


def test_faults_that_get_in_each_others_way_are_not_planted_together() -> None:
    kind = texts.kind("sales.zh")
    by = {option.topic: option for option in plan.options(kind)}
    assert by["no_law"].bars(by["seat_abroad"])
    assert by["payment_terms"].bars(by["payment_term"])
    assert by["seat_abroad"].bars(by["jurisdiction_counterparty"])
    assert not by["seat_abroad"].bars(by["payment_term"])


def test_a_missing_clause_is_referred_to_by_no_other() -> None:
    for name in texts.names():
        kind = texts.kind(name)
        said = " ".join(
            text for c in kind.clauses for p in c.paragraphs
            for text in (*p.says, *(text for plant in p.plants for text in plant.says))
        )  # fmt: skip
        for clause in kind.clauses:
            assert not (clause.removable and f"{{@{clause.id}" in said), clause.id


@pytest.mark.parametrize("name", texts.names())
def test_in_the_long_run_every_fault_gets_its_turn(name: str) -> None:
    kind, used, rng = texts.kind(name), Counter[str](), Random(1)
    chosen = [option for _ in range(40) for option in plan.choose(kind, 4, used, rng)]
    times = Counter((option.kind, option.topic) for option in chosen)
    assert set(times) == {(option.kind, option.topic) for option in plan.options(kind)}
    assert max(times.values()) <= 3 * min(times.values())


def test_movable_clauses_move_and_no_other_does() -> None:
    kind = texts.kind("service.zh")
    fixed = [clause.id for clause in kind.clauses if not clause.movable]
    orders = set()
    for seed in range(10):
        order = [clause.id for clause in plan.arranged(kind, [], Random(seed))]
        orders.add(tuple(order))
        assert sorted(order) == sorted(clause.id for clause in kind.clauses)
        assert [name for name in order if name in fixed] == fixed
    assert len(orders) > 5


def test_a_paragraph_that_moves_is_neither_lost_nor_doubled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = texts.kind("sales.zh")
    monkeypatch.setattr(draft, "ADDED", 0.0)
    monkeypatch.setattr(layout, "JOINED", 0.0)
    texts_in_all, in_the_last = [], []
    for share in (0.0, 1.0):
        monkeypatch.setattr(layout, "MOVED", share)
        contract = draft.contract(kind, deal.make(kind, Random(1)), [], Random(1))
        kinds = [block.kind for block in contract.blocks]
        *_, last, annex_list = [at for at, block in enumerate(kinds) if block == "heading"]
        texts_in_all.append(kinds.count("text"))
        in_the_last.append(kinds[last:annex_list].count("text"))
    assert texts_in_all[1] == texts_in_all[0]
    assert in_the_last[1] == in_the_last[0] + 1


def test_paragraphs_may_stand_under_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = texts.kind("software.en")
    monkeypatch.setattr(draft, "ADDED", 0.0)
    monkeypatch.setattr(layout, "MOVED", 0.0)
    lengths = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(layout, "JOINED", share)
        contract = draft.contract(kind, deal.make(kind, Random(1)), [], Random(1))
        lengths.append(sum(block.kind == "text" for block in contract.blocks))
        late = re.findall(r"(\d+)\.(\d+) [^\n]*?0\.05%", "\n".join(b.text for b in contract.blocks))
        assert late == [(late[0][0], "1" if share else "2")]
    assert lengths[1] < lengths[0] - 5


# --- faults are faults ------------------------------------------------------------------------


def planted(name: str, topic: str, seed: int) -> tuple[deal.Deal, Draft]:
    """With one fault, or with none where the topic is empty."""
    kind, rng = texts.kind(name), Random(seed)
    one = deal.make(kind, rng)
    chosen = [rng.choice([o for o in plan.options(kind) if o.topic == topic])] if topic else []
    return one, draft.contract(kind, one, chosen, rng)


def items_and_total(contract: Draft) -> tuple[float, float]:
    (rows,) = [block.rows for block in contract.blocks if block.kind == "table"]
    _, *items, last = [row[-1] for row in rows]
    return sum(float(item.replace(",", "")) for item in items), float(last.replace(",", ""))


PRICED = [name for name in texts.names() if texts.kind(name).total]


@pytest.mark.parametrize("name", PRICED)
@pytest.mark.parametrize("seed", range(3))
def test_items_make_up_the_total_unless_that_is_the_fault(name: str, seed: int) -> None:
    for topic in ("", "words_figures", "dates"):
        one, contract = planted(name, topic, seed)
        assert items_and_total(contract) == (one.total, one.total)
    one, contract = planted(name, "total_items", seed)
    items, total = items_and_total(contract)
    assert items != total == one.total
    assert contract.fields["total_amount"] == one.total
    assert one.values()["money"] in contract.faults[0].quotes[0]
    assert figures.money(one.total) in contract.faults[0].quotes[1]


@pytest.mark.parametrize("name", PRICED)
@pytest.mark.parametrize("seed", range(3))
def test_words_say_the_figures_unless_that_is_the_fault(name: str, seed: int) -> None:
    for topic, agree in (("", True), ("words_figures", False)):
        one, contract = planted(name, topic, seed)
        said = figures.sum_in_words(one.total, one.currency or "", contract.kind.language)
        text = "\n".join(block.text for block in contract.blocks)
        assert one.values()["money"] in text
        assert (said in text) == agree
        assert isinstance(contract.fields["total_amount"], dict) != agree


@pytest.mark.parametrize("name", texts.names())
def test_a_contract_ends_after_its_beginning_unless_that_is_the_fault(name: str) -> None:
    kind = texts.kind(name)
    for seed in range(3):
        one, contract = planted(name, "dates", seed)
        fields, quote = contract.fields, contract.faults[0].quotes[0]
        assert fields["end_date"] < fields["start_date"]
        shown = figures.day(date.fromisoformat(fields["end_date"]), one.date_style, kind.language)
        assert shown in quote


@pytest.mark.parametrize("name", texts.names())
def test_references_lead_nowhere(name: str) -> None:
    for seed in range(4):
        for topic in ("clause_gone", "annex_gone", "term_undefined", "clause_wrong"):
            _, contract = planted(name, topic, seed)
            headings = [block.text for block in contract.blocks if block.kind == "heading"]
            everything = "\n".join([*headings, *(b.text for b in contract.blocks)])
            (quote,) = contract.faults[0].quotes
            if topic == "clause_gone":
                (number,) = re.findall(r"第([\d一-龥]+?)条|(?:Article|Clause|Section) (\d+)", quote)
                at = next(filter(None, number))
                beyond = int(at) if at.isdigit() else {**_HANZI, "十": 10}[at]
                assert beyond > len(headings)
            elif topic == "annex_gone":
                at = re.findall(r"(?:附件|Annex )(\d+|[一二三四五六七八九])", quote)[0]
                assert (int(at) if at.isdigit() else _HANZI[at]) > len(contract.annexes)
            elif topic == "term_undefined":
                (term,) = re.findall('[“"](.+?)[”"]', quote)
                assert everything.count(term) == 1
            else:
                title = next(h for h in headings if any(f"{o}{t}" in quote for o, t in named(h)))
                number = re.findall(r"第[\d一-龥]+?条|(?:Article|Clause|Section) \d+", quote)[0]
                right = re.findall(r"\d+|[一二三四五六七八九十]+", title)[0]
                assert re.findall(r"\d+|[一二三四五六七八九十]+", number)[0] != right


def named(heading: str) -> list[tuple[str, str]]:
    title = re.split(r"\. |(?<=条) ", heading)[-1]
    return [(opening, title) for opening in ("（", "“", "(", '"', "on ", '("')]


BROKEN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "payment_term": lambda f: f["payment_days"] > 60,
    "penalty_limit": lambda f: f["penalty_rate"] > 20,
    "renewal_notice": lambda f: f["renewal_notice_days"] < 30,
    "governing_law": lambda f: not right("governing_law", "中华人民共和国", f["governing_law"]),
    "seat_abroad": lambda f: not {"上海", "Shanghai"} & set(f["seat"]["any_of"]),
    "jurisdiction_counterparty": lambda f: f["seat"] not in {"上海", "Shanghai"},
    "no_law": lambda f: f["seat"] is None and f["governing_law"] is None,
    "no_liability_cap": lambda f: f["liability_cap"] is None,
}


@pytest.mark.parametrize("name", texts.names())
def test_fields_tell_what_the_planted_text_says(name: str) -> None:
    for option in plan.options(texts.kind(name)):
        if option.topic in BROKEN:
            for seed in range(3):
                _, contract = planted(name, option.topic, seed)
                assert BROKEN[option.topic](dict(contract.fields)), option.topic


@pytest.mark.parametrize("name", texts.names())
def test_unlimited_liability_leaves_no_cap(name: str) -> None:
    kind = texts.kind(name)
    for option in plan.options(kind):
        if option.topic == "liability_cap":
            rng = Random(1)
            contract = draft.contract(kind, deal.make(kind, rng), [option], rng)
            assert right("liability_cap", None, contract.fields["liability_cap"])


# --- sums and dates ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "zh", "en"),
    [
        (180_000, "壹拾捌万元整", "one hundred and eighty thousand"),
        (
            1_203_050,
            "壹佰贰拾万叁仟零伍拾元整",
            "one million two hundred and three thousand and fifty",
        ),
        (40_307, "肆万零叁佰零柒元整", "forty thousand three hundred and seven"),
        (2_000_600, "贰佰万零陆佰元整", "two million six hundred"),
    ],
)
def test_sums_in_words(amount: int, zh: str, en: str) -> None:
    assert figures.formal(amount) == zh
    assert figures.words(amount) == en


@pytest.mark.parametrize(
    ("number", "said"), [(10, "十"), (15, "十五"), (60, "六十"), (105, "一百零五")]
)
def test_numbers_in_hanzi(number: int, said: str) -> None:
    assert figures.hanzi(number) == said


# --- what is generated ------------------------------------------------------------------------


def test_quotes_are_on_the_pages_that_the_truth_names(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    seen = 0
    for contract in truth:
        if contract["format"] != "pdf" or contract["ocr"]:
            continue
        read = pages.texts_of((folder / contract["file"]).read_bytes())
        assert len(read) == contract["pages"]
        for plant in contract["plants"]:
            for place in plant["places"]:
                assert pages.bare(place["quote"]) in pages.bare(read[place["page"] - 1])
                assert len(place["quote"]) <= 300
                seen += 1
    assert seen > 10


def test_word_files_hold_their_quotes_and_have_no_pages(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    word = [contract for contract in truth if contract["format"] == "docx"]
    assert word
    for contract in word:
        document = Document(str(folder / contract["file"]))
        text = "".join(paragraph.text for paragraph in document.paragraphs)
        text += "".join(
            cell.text for table in document.tables for row in table.rows for cell in row.cells
        )
        assert contract["pages"] is None
        for plant in contract["plants"]:
            assert plant["page"] is None
            assert all(pages.bare(place["quote"]) in pages.bare(text) for place in plant["places"])


def test_templates_open_and_leave_blanks(made: tuple[Path, Truth]) -> None:
    folder, truth = made
    for contract in truth:
        text = "\n".join(p.text for p in Document(str(folder / contract["template"])).paragraphs)
        assert "____" in text
        assert "{" not in text


def test_the_same_seed_gives_the_same_truth(tmp_path: Path) -> None:
    one, other, third = (tmp_path / name for name in ("one", "other", "third"))
    generate(one, 3, 3, short=True)
    generate(other, 3, 3, short=True)
    generate(third, 4, 3, short=True)
    assert (one / "truth.json").read_bytes() == (other / "truth.json").read_bytes()
    assert (one / "truth.json").read_bytes() != (third / "truth.json").read_bytes()


@pytest.mark.parametrize("name", texts.names())
def test_clean_contracts_are_reworded_within_the_policy(name: str) -> None:
    kind = texts.kind(name)
    limits = {
        rule["id"]: rule["limit"] for rule in yaml.safe_load(POLICY.read_text("utf-8"))["rules"]
    }
    template = {block.text for block in draft.template(kind).blocks}
    for seed in range(8):
        rng = Random(seed)
        contract = draft.contract(kind, deal.make(kind, rng), [], rng)
        assert not contract.faults
        reworded = [b.text for b in contract.blocks if b.kind == "text" and b.text not in template]
        assert len(reworded) > len(contract.blocks) / 3
        fields = contract.fields
        assert set(fields) == set(FIELDS)
        assert (fields["payment_days"] or 0) <= limits["payment_term"]["days_at_most"]
        assert (fields["penalty_rate"] or 0) <= limits["penalty_limit"]["percent_of_price_at_most"]
        assert (fields["liability_cap"] or 0) <= limits["liability_cap"]["percent_of_price_at_most"]
        renewal = fields["renewal_notice_days"]
        assert renewal is None or renewal >= limits["renewal_notice"]["days_at_least"]
        assert right("governing_law", "PRC", fields["governing_law"])
        assert right("seat", "上海" if kind.language == "zh" else "Shanghai", fields["seat"])
        assert fields["start_date"] < fields["end_date"]


def test_one_in_five_is_clean_and_all_kinds_of_faults_are_planted(made: tuple[Path, Truth]) -> None:
    _, truth = made
    assert abs(sum(contract["clean"] for contract in truth) - len(truth) / 5) < 1
    assert {plant["kind"] for contract in truth for plant in contract["plants"]} == set(KINDS)
    assert all(bool(contract["plants"]) != contract["clean"] for contract in truth)


def test_annexes_make_a_contract_as_long_as_asked() -> None:
    kind = texts.kind("sales.zh")
    rng = Random(1)
    contract = draft.contract(kind, deal.make(kind, rng), [], rng)
    look = pages.Look(contract.title, "", "zh")
    few, many = (
        pages.count(pages.pdf([*contract.blocks, *annexes.sections(contract, n, Random(1))], look))
        for n in (3, 40)
    )
    assert few < 10 < many


def test_a_scan_is_pictures_only() -> None:
    look = pages.Look("t", "页眉", "zh")
    printed = pages.pdf([Block("text", "甲方应当付款。")], look)
    scanned = pages.scan(printed, 1)
    assert pages.bare("甲方应当付款") in pages.bare(pages.texts_of(printed)[0])
    assert pages.texts_of(scanned) == [""]
    shades = pypdfium2.PdfDocument(scanned)[0].render(grayscale=True).to_numpy()
    assert shades.min() < 100 < 200 < shades.mean()


def test_noise_changes_nothing_that_counts_but_in_plain_blocks() -> None:
    block = Block(
        "text", "3.2 买方应当在收到发票后30日内付清其余货款，逾期的按日支付逾期金额的违约金。"
    )
    plain = Block(
        "text", "型号M10的外壳编号为1001，与清单一致，由仓库管理员核对后入库登记。", plain=True
    )
    heavy = noise.Noise(spaces=0.3, breaks=1.0, wide=1.0, alike=1.0)
    one, other = noise.noisy([block, plain], heavy, Random(3))
    assert one.text != block.text
    assert "３０" in one.text and "\n" in one.text
    assert pages.bare(one.text) == pages.bare(block.text)
    assert pages.bare(other.text) != pages.bare(plain.text)


def test_faults_in_annexes_stand_behind_the_signatures(tmp_path: Path) -> None:
    kind = texts.kind("service.zh")
    (option,) = [o for o in plan.options(kind) if o.topic == "payment_terms_annex"]
    rng = Random(2)
    contract = draft.contract(kind, deal.make(kind, rng), [option], rng)
    ((annex, text),) = contract.annexed
    blocks = annexes.sections(contract, 6, rng)
    (at,) = [n for n, block in enumerate(blocks) if block.text == text]
    titles = [block.text for block in blocks[:at] if block.kind == "annex"]
    assert titles[-1] == dict(contract.annexes)[annex]
    assert len(contract.fields["payment_days"]["any_of"]) == 2


def test_what_was_not_printed_has_no_page() -> None:
    assert page_of("违约金", ["第一页", "支付违 约\n金。"]) == 2
    with pytest.raises(AssertionError, match="not to be found"):
        page_of("违约金", ["第一页"])


# --- the scorer -------------------------------------------------------------------------------


def plant(kind: str, page: int | None, quote: str = "", **about: Any) -> dict[str, Any]:
    places = [{"page": page, "quote": quote}] if quote else []
    base = {
        "kind": kind,
        "topic": kind,
        "severity_min": "medium",
        "page": page,
        "quote": quote or None,
    }
    return base | {"places": places, "words": []} | about


def contract(*plants: dict[str, Any], file: str = "a.pdf") -> dict[str, Any]:
    fields = dict.fromkeys(FIELDS) | {"payment_days": 30, "currency": "CNY"}
    return {
        "file": file, "language": "zh", "format": "pdf", "ocr": False, "noise": False,
        "clean": not plants, "plants": list(plants), "fields": fields,
    }  # fmt: skip


def finding(kind: str, page: int | None, quote: str, **about: Any) -> dict[str, Any]:
    base = {"rule": "r", "kind": kind, "severity": "medium", "page": page, "quote": quote}
    return base | {"message": "", "suggestion": ""} | about


LATE = "验收合格并收到发票后90日内付清其余货款"
FREE = "运至交货地点的运费和保险费由卖方承担"
GONE = plant("missing", None, words=["不可抗力", "force majeure"])


def perfect(truth: Truth) -> dict[str, dict[str, Any]]:
    """What a reviewer would say who knew the truth."""
    out = {}
    for one in truth:
        fields = {
            name: value["any_of"][0] if isinstance(value, dict) else value
            for name, value in one["fields"].items()
        }
        findings = [
            finding(p["kind"], p["page"], p["quote"] or "", severity=p["severity_min"], message=" ".join(p["words"]))
            for p in one["plants"]
        ]  # fmt: skip
        out[one["file"]] = {"findings": findings, "fields": fields}
    return out


def test_perfect_answers_are_counted_as_such(made: tuple[Path, Truth]) -> None:
    _, truth = made
    report = score(perfect(truth), truth)
    tally = report.tally()
    assert tally.planted > 20
    assert tally.found == tally.severe == tally.located == tally.planted
    assert (tally.recall, tally.precision, tally.false_alarms) == (1, 1, 0)
    assert all(right == asked for right, asked in report.fields().values())
    clean = sum(one["clean"] for one in truth)
    assert report.clean() == (clean, clean)
    for kind in KINDS:
        assert report.tally(kind).recall == 1
    by_language = [report.tally(language=language).planted for language in ("zh", "en")]
    assert sum(by_language) == tally.planted and all(by_language)


def test_no_answers_find_nothing(made: tuple[Path, Truth]) -> None:
    _, truth = made
    report = score({}, truth)
    assert report.tally().recall == 0
    assert report.tally().precision is None
    assert all(right == 0 for right, _ in report.fields().values())
    assert report.clean()[0] == 0


def test_noise_lowers_precision_only(made: tuple[Path, Truth]) -> None:
    _, truth = made
    answers = perfect(truth)
    for answer in answers.values():
        answer["findings"].append(finding("policy", 1, "此处并无这样的文字也无任何问题"))
    tally = score(answers, truth).tally()
    loud = sum(p["severity_min"] != "low" for one in truth for p in one["plants"])
    assert (tally.recall, tally.false_alarms) == (1, len(truth))
    assert tally.precision == loud / (loud + len(truth)) < 1


def test_low_findings_count_for_recall_and_never_against_precision() -> None:
    truth = [contract(plant("policy", 3, LATE))]
    low = [finding("policy", 3, LATE, severity="low"), finding("policy", 9, FREE, severity="low")]
    tally = score({"a.pdf": {"findings": low}}, truth).tally()
    assert (tally.found, tally.severe, tally.false_alarms, tally.precision) == (1, 0, 0, None)


@pytest.mark.parametrize(
    ("told", "found", "false_alarms"),
    [
        (finding("policy", 3, LATE), 1, 0),
        (finding("policy", 2, "收到发票后 ９０ 日内付清"), 1, 0),
        (finding("policy", 4, f"3.2 {LATE}。逾期的支付违约金。"), 1, 0),
        (finding("policy", 5, LATE), 0, 1),
        (finding("policy", None, LATE), 0, 1),
        (finding("policy", 3, "验收合格后双方另行协商"), 0, 1),
        (finding("policy", 3, ""), 0, 1),
        (finding("deviation", 3, LATE), 0, 0),
        (finding("policy", 3, LATE, severity="dreadful"), 1, 0),
        (finding("policy", 5, LATE, severity="dreadful"), 0, 1),
    ],
)
def test_kind_page_and_quote_decide(told: dict[str, Any], found: int, false_alarms: int) -> None:
    tally = score({"a.pdf": {"findings": [told]}}, [contract(plant("policy", 3, LATE))]).tally()
    assert (tally.found, tally.false_alarms) == (found, false_alarms)


def test_a_kind_that_is_as_right_is_found() -> None:
    truth = [contract(plant("policy", 3, LATE, also=["deviation"]))]
    for kind, found in (("policy", 1), ("deviation", 1), ("reference", 0)):
        tally = score({"a.pdf": {"findings": [finding(kind, 3, LATE)]}}, truth).tally()
        assert (tally.found, tally.false_alarms) == (found, 0)


def test_another_kinds_view_is_located_but_not_found() -> None:
    answers = {"a.pdf": {"findings": [finding("deviation", 3, LATE)]}}
    tally = score(answers, [contract(plant("policy", 3, LATE))]).tally()
    assert (tally.found, tally.located) == (0, 1)


def test_several_findings_on_one_plant_count_once() -> None:
    answers = {"a.pdf": {"findings": [finding("policy", 3, LATE)] * 5}}
    tally = score(answers, [contract(plant("policy", 3, LATE), plant("policy", 8, FREE))]).tally()
    assert (tally.found, tally.loud, tally.precision, tally.recall) == (1, 1, 1, 0.5)


def test_one_finding_hits_one_plant() -> None:
    both = [plant("deviation", 3, LATE), plant("deviation", 3, FREE)]
    answers = {"a.pdf": {"findings": [finding("deviation", 3, f"{LATE}；{FREE}")]}}
    tally = score(answers, [contract(*both)]).tally()
    assert (tally.found, tally.located) == (1, 2)


def test_either_side_of_a_contradiction_will_do() -> None:
    places = [{"page": 2, "quote": LATE}, {"page": 9, "quote": FREE}]
    truth = [contract(plant("contradiction", 2, LATE, places=places))]
    for page, quote in ((2, LATE), (9, FREE)):
        answers = {"a.pdf": {"findings": [finding("contradiction", page, quote)]}}
        assert score(answers, truth).tally().found == 1
    answers = {"a.pdf": {"findings": [finding("contradiction", 9, LATE)]}}
    assert score(answers, truth).tally().found == 0


@pytest.mark.parametrize(
    ("told", "found", "false_alarms"),
    [
        (finding("missing", None, "", message="模板中的不可抗力条款不见了"), 1, 0),
        (finding("missing", 4, "", message="no clause on Force  Majeure"), 1, 0),
        (finding("missing", None, "", rule="force_majeure"), 1, 0),
        (finding("missing", None, "", message="缺少保密条款"), 0, 1),
        (finding("policy", None, "", message="没有约定不可抗力"), 0, 0),
        (finding("deviation", 3, FREE, message="不可抗力"), 0, 1),
    ],
)
def test_what_is_missing_is_hit_by_its_name(
    told: dict[str, Any], found: int, false_alarms: int
) -> None:
    tally = score({"a.pdf": {"findings": [told]}}, [contract(GONE)]).tally()
    assert (tally.found, tally.false_alarms) == (found, false_alarms)


def test_a_replaced_clause_may_be_called_missing() -> None:
    truth = [contract(plant("policy", 3, LATE, words=["责任上限"]))]
    told = finding("missing", None, "", message="没有责任上限")
    tally = score({"a.pdf": {"findings": [told]}}, truth).tally()
    assert (tally.found, tally.located, tally.false_alarms) == (0, 1, 0)


def test_in_word_files_pages_do_not_count() -> None:
    truth = [contract(plant("policy", None, LATE))]
    assert score({"a.pdf": {"findings": [finding("policy", None, LATE)]}}, truth).tally().found == 1


def test_a_clean_contract_with_a_medium_finding_is_not_clean() -> None:
    truth = [contract(file="a.pdf"), contract(file="b.pdf")]
    loud = {"findings": [finding("deviation", 1, LATE)]}
    assert score({"a.pdf": loud, "b.pdf": {"findings": []}}, truth).clean() == (1, 2)


def test_quotes_that_share_common_words_only_do_not_overlap() -> None:
    one = "Neither party shall assign its rights without the written consent of the other party"
    other = "The other party shall pay within thirty days of the written notice of the parties"
    assert not overlap(one, other)
    assert overlap(one, "shall assign its rights without the written consent")
    assert overlap("第 9O 条违约金", "第9O条违约金为")


@pytest.mark.parametrize(
    ("name", "told", "true", "expected"),
    [
        ("payment_days", 30, 30, True),
        ("payment_days", 30.0, 30, True),
        ("payment_days", "30", 30, False),
        ("payment_days", None, 30, False),
        ("payment_days", 30, None, False),
        ("payment_days", None, None, True),
        ("payment_days", 45, {"any_of": [30, 45]}, True),
        ("liability_cap", None, {"any_of": [100, None]}, True),
        ("liability_cap", 100, {"any_of": [100, None]}, True),
        ("liability_cap", 50, {"any_of": [100, None]}, False),
        ("total_amount", 120000.0, 120000, True),
        ("total_amount", 120001, 120000, False),
        ("currency", "RMB", "CNY", True),
        ("currency", "USD", "CNY", False),
        ("start_date", "2025-01-06", "2025-01-06", True),
        ("party_a", "云杉商贸 有限公司", "云杉商贸有限公司", True),
        ("party_a", "Yunshan Trading Co Ltd", "Yunshan Trading Co., Ltd.", True),
        ("party_a", "云杉商贸", "云杉商贸有限公司", False),
        ("governing_law", "中华人民共和国法律", {"any_of": ["中华人民共和国", "PRC"]}, True),
        (
            "governing_law",
            "中华人民共和国香港特别行政区",
            {"any_of": ["中华人民共和国", "PRC"]},
            False,
        ),
        ("governing_law", "Singapore", {"any_of": ["中华人民共和国", "PRC"]}, False),
        ("seat", "Shanghai", {"any_of": ["Shanghai Arbitration Commission", "Shanghai"]}, True),
        ("seat", "杭州", {"any_of": ["上海仲裁委员会", "上海"]}, False),
    ],
)
def test_fields_are_right_or_wrong(name: str, told: object, true: object, expected: bool) -> None:
    assert right(name, told, true) is expected


# --- the command ------------------------------------------------------------------------------


def test_a_command_is_run_over_the_files_and_its_failures_are_counted(
    made: tuple[Path, Truth],
) -> None:
    folder, truth = made
    answers = folder / "answers.json"
    answers.write_text(json.dumps(perfect(truth), ensure_ascii=False), "utf-8")
    script = (
        "import json, sys; told = json.load(open(sys.argv[1]))"
        "['/'.join(sys.argv[2].split('/')[-2:])]; print(json.dumps(told)); sys.exit(1)"
    )
    command = [sys.executable, "-c", script, str(answers), "{file}"]
    told = run.review(command, folder, truth[1])
    assert told.answer is not None
    broken = run.review([sys.executable, "-c", "print('no JSON')"], folder, truth[0])
    assert (broken.answer, broken.why) == (None, "no JSON")
    report = score({truth[1]["file"]: told.answer, truth[0]["file"]: broken.answer}, truth[:2])
    faults, fields = run.tables(report, [told.seconds, broken.seconds])
    assert "without an answer: 1." in faults.notes[1]
    by_name = {row[0]: row for row in faults.rows}
    assert by_name["all"][1] == len(truth[0]["plants"]) + len(truth[1]["plants"])
    assert by_name["all"][2] == len(truth[1]["plants"])
    assert fields.rows[-1][-1] == f"{len(FIELDS)}/{2 * len(FIELDS)}"
    told_in_full = run.details(report)
    missed, found = told_in_full["contracts"]
    assert sum(of for _, of in told_in_full["topics"].values()) == by_name["all"][1]
    assert len(missed["missed"]) == len(truth[0]["plants"])
    assert found["missed"] == [] and found["wrong_fields"] == {}


def test_the_table_is_printed_and_written_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.md"
    monkeypatch.setattr(run, "RESULTS", results)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    nothing = f"{sys.executable} -c 'print(chr(123) + chr(125))' {{file}}"
    asked = ["--n", "2", "--seed", "3", "--short", "--command", nothing]
    assert run.main([*asked, "--folder", str(tmp_path / "kept")]) == 0
    assert not results.exists()
    assert (tmp_path / "kept" / "truth.json").is_file()
    assert run.main([*asked, "--write"]) == 0
    said = capsys.readouterr().out
    assert "Contracts: 2; without an answer: 0." in said
    assert "Contracts: 2; without an answer: 0." in results.read_text("utf-8")
    assert "--n 2 --seed 3 --short" in results.read_text("utf-8")
