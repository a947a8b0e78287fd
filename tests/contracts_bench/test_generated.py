"""Files hold what the truth says of them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pypdfium2
import pytest
import yaml
from docx import Document

from bench.contracts import annexes, deal, draft, noise, pages, plan, scan, texts
from bench.contracts.blocks import FIELDS, Block
from bench.contracts.generate import POLICY, generate, page_of
from bench.contracts.matching import right
from bench.contracts.score import KINDS
from tests.contracts_bench.conftest import Truth


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
    scanned = scan.scan(printed, 1)
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
