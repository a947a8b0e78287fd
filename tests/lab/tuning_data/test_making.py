"""A recipe becomes a version: whole, resumable, split without leaks, with its lineage and its card."""

from __future__ import annotations

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import CallerError, ConfigError, OperatorError
from dazi.lab.tuning.data import gain, making, work, writing
from dazi.lab.tuning.data.gain import Point
from dazi.lab.tuning.data.lineage import NotUsed, Used, why
from dazi.lab.tuning.data.recipe import read_recipe
from dazi.lab.tuning.datasets import read_samples
from dazi.ops.datasets.erasing import forget
from dazi.ops.datasets.folders import SPLITS, digest, place, versions
from dazi.ops.datasets.people import People
from dazi.ops.learning import dataset as learning
from tests.lab.tuning_data.making_kit import kitchen, lines, made, recipe, refused, samples

RECIPE = """
name: support
about: {zh: 客服问答, en: support}
sources:
  - kind: file
    path: data.jsonl
    licence: CC-BY-4.0
    consent: {basis: 服务条款第三条, everybody: true}
evaluation: [cases.jsonl]
splits: {validation: 0.1, test: 0.1}
"""
DOCUMENTS = RECIPE.replace("evaluation:", "  - {kind: documents, folder: docs}\nevaluation:")
FILE = "name: a\nsources: [{kind: file, path: data.jsonl}]\n"
STAGES = ["read", "rights", "clean", "duplicates", "knowledge", "leaks", "personal", "groups"]
WORDS = (
    "退货", "换货", "发票", "物流", "订单", "保修", "会员", "积分", "优惠", "配送", "仓库", "客服", "地址", "签收",
)  # fmt: skip


def question(n: int) -> dict[str, Any]:
    r = random.Random(n)
    odd = "".join(chr(r.randrange(0x4E00, 0x9000)) for _ in range(30))
    told = "".join(r.choices(WORDS, k=12)) + odd
    answer = f"请在页面上选择{told[::-1]}。"
    return {"question": f"{told}怎么办理呢?", "answer": answer, "conversation": f"c{n // 3}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [question(n) for n in range(150)]
    rows[7] |= {"user": "lin"}
    rows.append(rows[3])
    phone = "13812345678"
    rows.append(
        {"question": f"我的手机是 {phone},能改地址吗?", "answer": f"可以,已发短信到 {phone}。"}
    )
    rows.append({"question": "你们这些蠢货什么时候发货", "answer": "抱歉,马上为您查询。"})
    rows.append({"question": "上个月销售额前十的地区有哪些", "answer": "第一是上海,第二是江苏。"})
    lines(tmp_path, "data.jsonl", rows)
    case = {"role": "user", "content": "上个月销售额前十的地区有哪些?"}
    lines(tmp_path, "cases.jsonl", [{"messages": [case]}])
    docs = tmp_path / "docs"
    docs.mkdir()
    text = "# 差旅管理办法\n\n## 住宿\n一线城市住宿标准为每晚500元。\n"
    (docs / "travel.md").write_text(text, "utf-8")
    return tmp_path


def test_a_version_with_everything_beside_it(folder: Path) -> None:
    done = made(recipe(folder, DOCUMENTS), kitchen(folder))
    m = done.manifest
    assert (m.name, m.version, done.resumed) == ("support", 1, 0)
    assert [s.name for s in m.stages] == STAGES
    for before, after in zip(m.stages, m.stages[1:], strict=False):
        assert after.taken == before.given
    found = samples(done)
    assert m.samples == len(found) == sum(m.splits.values()) > 150
    assert m.counts["kind"]["qa"] == len(found) and m.counts["source"]["document"] > 0
    reasons = refused(done)
    assert reasons["data.jsonl:151"] == "duplicate"
    assert reasons["data.jsonl:153"] == "word:high"
    assert reasons["data.jsonl:154"] == "evaluation"
    text = json.dumps(found, ensure_ascii=False)
    assert "13812345678" not in text and "[手机1]" in text and '"lin"' not in text
    by_ref = {s["source"]["ref"]: s for s in found}
    assert by_ref["data.jsonl:1"]["source"]["consent"] == "服务条款第三条"
    assert by_ref["data.jsonl:8"]["source"]["user"] == People(folder / "data").mark("lin")
    assert m.sha256["train.jsonl"] == digest(done.folder / "train.jsonl")
    assert m.sources[0]["sha256"] == {"data.jsonl": digest(folder / "data.jsonl")}
    assert [s["read"] for s in m.sources] == [154, 1]
    card = (done.folder / "card.md").read_text("utf-8")
    assert "客服问答" in card and "服务条款第三条" in card and "fewer than 1000" in card
    refusals = (done.folder / "refused.jsonl").read_text("utf-8")
    assert "蠢货" not in refusals and "138" not in refusals
    assert not (done.folder.parent / ".making").exists()


def test_conversations_are_in_one_split_and_versions_agree(folder: Path) -> None:
    first = samples(made(recipe(folder, RECIPE), kitchen(folder)))
    where: dict[str, set[str]] = {}
    for s in first:
        where.setdefault(s["conversation"], set()).add(s["split"])
    assert all(len(splits) == 1 for splits in where.values())
    assert {s for splits in where.values() for s in splits} == {"train", "validation", "test"}
    data = folder / "data.jsonl"
    more = "".join(json.dumps(question(n)) + "\n" for n in range(150, 200))
    data.write_text(more + data.read_text("utf-8"), "utf-8")
    second = made(recipe(folder, RECIPE), kitchen(folder))
    assert second.manifest.version == 2
    for s in samples(second):
        if s["conversation"] in where and "#" in s["conversation"]:
            assert where[s["conversation"]] == {s["split"]}


def test_near_duplicates_do_not_straddle_splits(tmp_path: Path) -> None:
    rows = []
    for n in range(60):
        base = question(n * 3)
        other = base["answer"] + f"需要 {n + 3} 天。"
        rows += [base | {"conversation": f"a{n}"}]
        rows += [base | {"conversation": f"b{n}", "answer": other}]
    lines(tmp_path, "data.jsonl", rows)
    placed = recipe(tmp_path, FILE + "splits: {validation: 0.2, test: 0.2}\n")
    found = samples(made(placed, kitchen(tmp_path)))
    assert len(found) == 120
    split = {s["conversation"].partition("#")[2]: s["split"] for s in found}
    assert all(split[f"a{n}"] == split[f"b{n}"] for n in range(60))
    assert len(set(split.values())) == 3


def test_the_first_lines_are_a_part_of_all_and_in_no_order(folder: Path) -> None:
    done = made(recipe(folder, RECIPE), kitchen(folder))
    train = (done.folder / "train.jsonl").read_text("utf-8").splitlines()
    refs = [json.loads(line)["source"]["ref"] for line in train]
    numbers = [int(r.rpartition(":")[2]) for r in refs if r.startswith("data")]
    assert numbers != sorted(numbers) and max(numbers[:20]) > 75 > min(numbers[:20])


def test_a_run_that_was_stopped_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as m:
        m.setattr(making.Maker, "step", lambda self: stopped)
        with pytest.raises(KeyboardInterrupt):
            made(recipe(folder, RECIPE), kitchen(folder))
    read = []
    original = making.read_file
    monkeypatch.setattr(making, "read_file", lambda *a: read.append(a) or original(*a))
    done = made(recipe(folder, RECIPE), kitchen(folder))
    assert done.resumed == 4 and not read
    assert [s.name for s in done.manifest.stages] == STAGES
    assert refused(done)["data.jsonl:151"] == "duplicate"


def test_another_recipe_begins_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as m:
        m.setattr(making.Maker, "step", lambda self: lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(recipe(folder, RECIPE), kitchen(folder))
    done = made(recipe(folder, RECIPE.replace("0.1, test", "0.2, test")), kitchen(folder))
    assert done.resumed == 0


def test_who_took_back_their_consent_meanwhile_is_not_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = RECIPE.replace("everybody: true", "everybody: true, refused: refused.txt")
    (folder / "refused.txt").write_text("nobody\n", "utf-8")
    with monkeypatch.context() as m:
        m.setattr(making.Maker, "step", lambda self: lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(recipe(folder, text), kitchen(folder))
    (folder / "refused.txt").write_text("lin\n", "utf-8")
    done = made(recipe(folder, text), kitchen(folder))
    assert done.resumed == 0 and refused(done)["data.jsonl:8"] == "consent"


def test_one_version_is_made_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    step = making.Maker.step

    def again(self: making.Maker) -> Any:
        async def run(*a: Any) -> Any:
            with pytest.raises(OperatorError, match="another version"):
                await making.make(recipe(folder, RECIPE), kitchen(folder))
            told.append("refused")
            async for draft in step(self)(*a):
                yield draft

        return run

    monkeypatch.setattr(making.Maker, "step", again)
    assert made(recipe(folder, RECIPE), kitchen(folder)).manifest.version == 1 and told


def test_a_recipe_of_files_alone_hears_that_it_is_to_stop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BREATH_S", -1.0)
    original = making.cleaned

    def stopped(*a: Any) -> Any:
        def run(*b: Any) -> Any:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            yield from original(*a)(*b)

        return run

    monkeypatch.setattr(making, "cleaned", stopped)
    with pytest.raises(asyncio.CancelledError):
        made(recipe(folder, RECIPE), kitchen(folder))
    assert versions(folder / "data", "support") == []
    monkeypatch.setattr(making, "cleaned", original)
    assert made(recipe(folder, RECIPE), kitchen(folder)).resumed == 2


def test_a_step_is_on_the_disk_before_it_is_said_to_be_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    finished, fsync = work.Work.finished, os.fsync

    def synced(handle: int) -> None:
        told.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        fsync(handle)

    def done(self: work.Work, stage: Any) -> None:
        told.append(f"done {stage.name}")
        finished(self, stage)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(work.Work, "finished", done)
    made(recipe(folder, RECIPE), kitchen(folder))
    at = told.index("done clean")
    assert told[at - 2 : at] == ["clean.jsonl.part", "clean.refused.jsonl"]


def test_an_erasure_meanwhile_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = making.Maker.step

    def erasing(self: making.Maker) -> Any:
        def run(*a: Any) -> Any:
            forget(folder / "data", "lin")
            return step(self)(*a)

        return run

    monkeypatch.setattr(making.Maker, "step", erasing)
    with pytest.raises(OperatorError, match="again"):
        made(recipe(folder, RECIPE), kitchen(folder))


@pytest.mark.parametrize("where", ["_splits", "digests"])
def test_an_erasure_while_the_version_is_written_leaves_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    original = getattr(writing, where)

    def erasing(*a: Any) -> Any:
        forget(folder / "data", "lin")
        return original(*a)

    monkeypatch.setattr(writing, where, erasing)
    with pytest.raises(OperatorError, match="again"):
        made(recipe(folder, RECIPE), kitchen(folder))
    assert versions(folder / "data", "support") == []


def test_what_is_thrown_away_before_it_is_read_makes_no_empty_version(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = making.write

    def erasing(*a: Any) -> Any:
        forget(folder / "data", "lin")
        return original(*a)

    monkeypatch.setattr(making, "write", erasing)
    with pytest.raises(OperatorError, match="again"):
        made(recipe(folder, RECIPE), kitchen(folder))
    assert versions(folder / "data", "support") == []


def test_where_a_sample_comes_from_and_why_one_is_none(folder: Path) -> None:
    done = made(recipe(folder, DOCUMENTS), kitchen(folder))
    assert place(folder / "data", "support") == done.folder
    used = why(done.folder, "document:travel.md")
    assert any(isinstance(w, Used) and w.sample.source.span for w in used)
    refusal = why(done.folder, "data.jsonl:154")[0]
    assert isinstance(refusal, NotUsed) and refusal.turned.reason == "evaluation"
    assert "评测" in refusal.text("zh") and "evaluation" in refusal.text("en")
    one = next(s for s in samples(done) if s["source"]["ref"] == "data.jsonl:1")
    assert one["split"] in why(done.folder, one["id"])[0].text("zh")
    assert why(done.folder, "data.jsonl:9999") == []


def test_nothing_left_is_an_error_that_says_where(tmp_path: Path) -> None:
    lines(tmp_path, "data.jsonl", [{"question": "a", "answer": "b"}])
    with pytest.raises(CallerError, match="clean 1→0"):
        made(recipe(tmp_path, FILE), kitchen(tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nsources: []\n", "sources"),
        (FILE.replace("name: a", "name: A B"), "A B"),
        ("name: a\nsources:\n  - {kind: threads}\n", r"recipe.yaml:3.*consent"),
        ("name: a\nsources:\n  - {kind: file, path: no.jsonl}\n", r"no\.jsonl"),
        ("name: a\nsources:\n  - {kind: file, pth: data.jsonl}\n", r"recipe.yaml:3.*pa?th"),
        ("name: a\nsources:\n  - {kind: mails}\n", r"recipe.yaml:3"),
        (FILE + "languages: [fr]\n", r"recipe.yaml:3.*languages"),
        (FILE + "clean: {alike: 2}\n", r"recipe.yaml:3.*alike"),
        (FILE + "splits: {validation: 0.5, test: 0.5}\n", "less"),
        ("- 1\n", "recipe"),
    ],
)
def test_a_wrong_recipe_says_where(tmp_path: Path, text: str, told: str) -> None:
    lines(tmp_path, "data.jsonl", [{"question": "a", "answer": "b"}])
    (tmp_path / "recipe.yaml").write_text(text, "utf-8")
    with pytest.raises((ConfigError, CallerError), match=told):
        read_recipe(tmp_path / "recipe.yaml")


def test_gain_is_told_only_where_it_was_measured(folder: Path) -> None:
    made(recipe(folder, RECIPE), kitchen(folder))
    data = folder / "data"
    assert "not known" in next(gain.told(gain.points(data, "support"), "en"))
    for n, value in ((100, 0.5), (200, 0.6), (400, 0.64), (200, 0.62)):
        point = Point(1, n, "exact_match", value, value - 0.05, value + 0.05, f"run{n}")
        gain.add(data, "support", point)
    found = gain.points(data, "support")
    assert [(p.samples, p.value) for p in found] == [(100, 0.5), (200, 0.62), (400, 0.64)]
    told = list(gain.told(found, "en"))
    assert len(told) == 4 and "+2.0%" in told[-1] and "beyond 400" in told[-1]


def test_samples_of_another_dataset_stay_their_persons(folder: Path) -> None:
    first = made(recipe(folder, RECIPE), kitchen(folder))
    mark = People(folder / "data").mark("lin")
    again = folder / "again"
    lines(again, "more.jsonl", [s for s in samples(first) if s["source"].get("user")])
    told = {"role": "assistant", "content": "这一句只是经过。", "learn": False}
    asked = {"role": "user", "content": "这件事情应该怎么办理呢"}
    lines(again, "talk.jsonl", [{"messages": [asked, told, asked, {**told, "learn": True}]}])
    text = (
        "name: second\nsources: [{kind: file, path: more.jsonl}, {kind: file, path: talk.jsonl}]\n"
    )
    done = made(recipe(again, text), kitchen(folder))
    (one,) = [s for s in samples(done) if s["source"].get("user")]
    assert one["source"]["user"] == mark and one["source"]["consent"] == "服务条款第三条"
    (talk,) = [s for s in samples(done) if not s["source"].get("user")]
    assert [m.get("learn", True) for m in talk["messages"]] == [True, False, True, True]
    gone = forget(folder / "data", "lin")
    assert {v.name for v in gone.withdrawn} == {"support", "second"}


def test_a_mark_without_a_basis_is_no_consent(folder: Path) -> None:
    source = {"kind": "thread", "ref": "thread:1", "user": "0" * 32, "licence": "internal"}
    rows = [question(1) | {"source": source}, question(20) | {"source": source | {"user": "lin"}}]
    lines(folder, "data.jsonl", [*rows, question(40)])
    done = made(recipe(folder, FILE), kitchen(folder))
    assert refused(done) == {"data.jsonl:1": "consent", "data.jsonl:2": "consent"}


def test_what_is_made_can_be_trained_on_whatever_a_file_says_of_it(folder: Path) -> None:
    odd = {"language": "zh-CN", "today": "yesterday"}
    rows = [{"question": "你好呀", "answer": "您好"} | odd, question(1) | odd]
    rows += [question(4) | {"today": "2026-11-30"}]
    lines(folder, "data.jsonl", rows)
    done = made(recipe(folder, FILE), kitchen(folder))
    read = read_samples([done.folder / f"{split}.jsonl" for split in SPLITS])
    assert sorted((s.language, str(s.today or "")) for s in read) == [
        ("zh", ""), ("zh", ""), ("zh", "2026-11-30"),
    ]  # fmt: skip


def test_where_samples_out_of_feedback_come_from(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "问"}, {"role": "assistant", "content": "答"}]
    source = {
        "kind": "feedback",
        "ref": "abc",
        "user": "",
        "licence": "company",
        "consent": "given",
    }
    one = {"id": "feedback-abc", "conversation": "c", "kind": "chat", "language": "zh",
           "messages": said, "tools": [], "role": "", "today": "", "source": source}  # fmt: skip
    again = one | {"id": "feedback-def"}
    done = learning.make(tmp_path, learning.Wanted("feedback", [one, again], {}, {}))
    used, not_used = why(done.folder, "abc"), why(done.folder, "feedback-def")
    assert isinstance(used[0], Used) and used[0].sample.id == "feedback-abc"
    assert isinstance(not_used[0], NotUsed) and "feedback-def" in not_used[0].text("zh")


def test_versions_make_no_curve_and_small_steps_are_not_blown_up() -> None:
    def point(version: int, samples: int, value: float) -> Point:
        return Point(version, samples, "m", value, value, value, "r")

    apart = [point(1, 100, 0.5), point(2, 105, 0.51), point(3, 110, 0.53)]
    assert "not known" in " ".join(gain.told(apart, "en"))
    near = [point(1, 100, 0.5), point(1, 105, 0.51), point(1, 110, 0.53)]
    assert len(list(gain.told(near, "en"))) == 3
    nested = [point(1, 100, 0.5), point(1, 200, 0.6), point(1, 210, 0.62), point(2, 300, 0.1)]
    *points, last = gain.told(nested, "en")
    assert len(points) == 3 and "From 100 to 210" in last and "+11.2%" in last
