"""A corpus in which it is known what is wrong: planted faults of each kind, and look-alikes of each.

Faults come from elsewhere than the rules: personal data from the guard's tests, injections from the
security bench, evaluation cases from the bundled model's held-out sets.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.tuning_data.wordings import EN_WHAT, WHAT, answer, edited, english, ordinary, question
from tests.guard.generate import LOOKALIKES, MAKERS, mobile

ROOT = Path(__file__).resolve().parents[2]
HELDOUT = ROOT / "models" / "mini" / "heldout"
WORDS = {"high": ["垃圾公司", "去死", "骗子平台"], "low": ["延迟"]}
NOW = 1_796_000_000.0
FOREIGN = [
    "Bonjour, ma commande n'est pas encore arrivée et personne ne répond au téléphone depuis trois jours.",
    "Guten Tag, meine Bestellung ist noch nicht angekommen und der Kundendienst antwortet nicht auf meine E-Mails.",
    "Hola, mi pedido todavía no ha llegado y nadie contesta el teléfono desde hace tres días.",
    "注文した商品がまだ届いていません。いつ発送されるのか教えてください。",
    "주문한 상품이 아직 도착하지 않았습니다. 언제 발송되는지 알려 주세요.",
    "Здравствуйте, мой заказ ещё не пришёл, и никто не отвечает на звонки уже три дня.",
    "Olá, o meu pedido ainda não chegou e ninguém atende o telefone há três dias.",
    "Buongiorno, il mio ordine non è ancora arrivato e nessuno risponde al telefono da tre giorni.",
]
NEARLY_FOREIGN = [
    "客户问 café latte 和 crème brûlée 两种口味的咖啡机还有没有货",
    "Ms. Müller from Zürich asks when the façade samples arrive, please check.",
    "法国供应商 Société Générale 的 contrat cadre 到期了，要续签吗？",
]
NOTICES = [
    "© 2023 All Rights Reserved. Terms of Use. Privacy Policy. Follow us on social media.",
    "首页 > 新闻中心 > 正文 上一篇：年会通知 下一篇：放假安排 责任编辑：小李",
    "This email and any attachments are confidential. If you are not the intended recipient, delete it.",
    "系统自动发送，请勿回复此邮件。如误收请删除。",
]
NEARLY_NOTICES = [
    "网站的隐私政策由法务部起草，每年修订一次，修订稿在首页公示七天之后生效，旧版保留在档案里。",
    "To unsubscribe a customer, open the profile, remove the tick at newsletters and save; orders are not touched.",
]
NEARLY_ORDERS = [
    "怎样在系统里忽略以前的提醒？设置里有这一项。",
    "Please ignore the earlier price list, the new one is attached.",
    "客户说之前的地址作废，以新的为准，要重新下单吗？",
]
SECRETS = [
    "密码是 Qw9#xT7m2Lp", "api_key=sk-9fK2mQ7xLp4Zt8Vb1Nc6Wd3R", "password: hunter2-Warehouse!77",
    "AKIAIOSFODNN7EXAMPL2 这个 access key 先用着",
]  # fmt: skip
NEARLY_SECRETS = [
    "密码要多久改一次？",
    "门禁卡密码忘了找谁重置？",
    "The API key is issued by the IT desk on request.",
]
NEARLY_WORDS = [
    "物流延迟了三天，能赔吗？",
    "这个平台是骗人的吗？想先确认一下资质。",
    "垃圾分类的桶放在哪里？",
]


@dataclass(slots=True)
class Planted:
    """``fault``: what it should be refused for, empty where it should stay. ``keep``: texts that must be in
    the dataset as they are, ``gone``: that must not."""

    name: str
    row: dict[str, Any]
    fault: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(slots=True)
class Corpus:
    rows: list[Planted] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """``data.jsonl``, ``cases.jsonl`` and the recipe."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in (("data", [p.row for p in self.rows]), ("cases", self.cases)):
            text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
            (folder / f"{name}.jsonl").write_text(text, "utf-8")
        (folder / "agreed.txt").write_text("u1\nu2\ngone\n", "utf-8")
        (folder / "words.txt").write_text("\n".join(WORDS["high"]), "utf-8")
        (folder / "recipe.yaml").write_text(RECIPE, "utf-8")


RECIPE = """
name: planted
sources:
  - {kind: file, path: data.jsonl, consent: {basis: planted, agreed: agreed.txt}}
clean: {words: [words.txt]}
compliance: {licences: [internal]}
evaluation: [cases.jsonl]
"""

Plant = Callable[[random.Random], Planted]


def made(seed: int, each: int, base: int) -> Corpus:
    """``base`` ordinary samples, and ``each`` of every kind of planted ones and of look-alikes."""
    r = random.Random(seed)
    corpus = Corpus()
    ground = [_row(*ordinary(r)) for _ in range(base)]
    corpus.rows += [Planted("ordinary", row) for row in ground]
    for _ in range(each):
        for plant in SINGLE:
            corpus.rows.append(plant(r))
    for share in (0.0, 0.05, 0.15, 0.30):
        name = f"near duplicate, {share:.0%} edited" if share else "exact duplicate"
        for row in r.sample(ground, each):
            corpus.rows.append(_copied(name, row, share, r))
    for row in r.sample(ground, each):
        corpus.rows.append(_renumbered(row, r, corpus))
    _leaks(corpus, r, each)
    corpus.rows[base:] = r.sample(corpus.rows[base:], len(corpus.rows) - base)
    return corpus


def _row(q: str, a: str, **more: Any) -> dict[str, Any]:
    return {"question": q, "answer": a, **more}


def _copied(name: str, row: dict[str, Any], share: float, r: random.Random) -> Planted:
    if not share:
        return Planted(name, dict(row), ("duplicate",))
    q, a = edited(row["question"], share, r), edited(row["answer"], share, r)
    return Planted(name, _row(q, a), ("duplicate", "near_duplicate"))


def _renumbered(row: dict[str, Any], r: random.Random, corpus: Corpus) -> Planted:
    """The same words with another number, whose first is in the corpus too."""
    n = r.randrange(3, 90)
    corpus.rows.append(
        Planted("ordinary", _row(row["question"], f"{row['answer']}期限是 {n} 天。"))
    )
    return Planted(
        "look-alike: the same words, another number",
        _row(row["question"], f"{row['answer']}期限是 {n + 5} 天。"),
        keep=(f"期限是 {n + 5} 天",),
    )


def _leaks(corpus: Corpus, r: random.Random, each: int) -> None:
    test = [c for c in _asked("test") if len(c) >= 10]
    others = [c for c in _asked("dev") if len(c) >= 10 and c not in test]
    corpus.cases = [{"messages": [{"role": "user", "content": c}]} for c in test]
    for share in (0.0, 0.05, 0.15):
        name = f"evaluation case, {share:.0%} edited" if share else "evaluation case, word for word"
        for _ in range(each):
            asked = r.choice(test)
            text = edited(asked, share, r) if share else asked
            corpus.rows.append(
                Planted(name, _row(text, answer(r)), ("evaluation", "duplicate", "near_duplicate"))
            )
    for asked in r.sample(others, min(each, len(others))):
        corpus.rows.append(
            Planted("look-alike: another case of the same tools", _row(asked, answer(r)))
        )


def _asked(part: str) -> list[str]:
    out = []
    for path in sorted((HELDOUT / part).glob("cases.*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            out.append(json.loads(line)["messages"][-1]["content"])
    return out


LABELS = {
    "resident_id": "身份证号", "bank_card": "银行卡", "uscc": "统一社会信用代码", "mobile": "手机号",
    "passport": "护照号", "plate": "车牌号",
}  # fmt: skip


def _personal(r: random.Random) -> Planted:
    kind = r.choice(list(MAKERS))
    value = MAKERS[kind](r)
    q = f"{question(r)}我的{LABELS[kind]}是{value}。"
    return Planted(f"personal: {kind}", _row(q, answer(r)), gone=(value,))


def _nearly_personal(r: random.Random) -> Planted:
    text = r.choice(LOOKALIKES)(r)
    return Planted("look-alike: personal", _row(f"{question(r)}{text}", answer(r)), keep=(text,))


def _mojibake(r: random.Random) -> Planted:
    q, a = question(r), answer(r)
    wrong = r.choice(["cp1252", "gbk", "latin-1"])
    return Planted("mojibake", _row(q, a.encode().decode(wrong, "replace")), ("mojibake",))


def _injection(r: random.Random) -> Planted:
    return Planted(
        "injection", _row(question(r), f"{answer(r)}{r.choice(_injections())}"), ("injection",)
    )


_CACHE: list[str] = []


def _injections() -> list[str]:
    """Texts of the security bench, by its techniques that are written out as a whole."""
    if not _CACHE:
        path = ROOT / "bench" / "security" / "injections.zh.yaml"
        data = yaml.safe_load(path.read_text("utf-8"))
        values = {k: v[0] for k, v in data["values"].items()}
        deeds = [d.format(**values) for g in data["goals"].values() for d in g["deeds"]["plain"]]
        for technique in data["techniques"].values():
            for frame in technique if isinstance(technique, list) else technique.get("texts", []):
                if isinstance(frame, str) and "{deed}" in frame:
                    _CACHE.extend(frame.replace("{deed}", d) for d in deeds[:6])
    return _CACHE


def _simple(name: str, fault: str, text: Callable[[random.Random], str]) -> Plant:
    def plant(r: random.Random) -> Planted:
        return Planted(name, _row(question(r), text(r)), (fault,) if fault else ())

    return plant


def _asking(name: str, fault: str, text: Callable[[random.Random], str]) -> Plant:
    def plant(r: random.Random) -> Planted:
        return Planted(name, _row(text(r), answer(r)), (fault,) if fault else ())

    return plant


def _gibberish(r: random.Random) -> str:
    return " ".join(
        "".join(r.choices("bcdfghjklmnpqrstvwxzaeiou", k=r.randrange(4, 10))) for _ in range(14)
    )


def _repeated(r: random.Random) -> str:
    part = r.choice([f"{r.choice(WHAT)}已经处理", f"see {r.choice(EN_WHAT)}, "])
    return part * r.randrange(9, 30)


def _table(r: random.Random) -> str:
    rows = "".join(
        f"| {r.choice(WHAT)} | {r.randrange(10, 900)} | {r.randrange(1, 12)} 月 |\n"
        for _ in range(5)
    )
    return f"| 项目 | 数量 | 期限 |\n| --- | --- | --- |\n{rows}"


SINGLE: tuple[Plant, ...] = (
    _personal,
    _nearly_personal,
    _mojibake,
    _injection,
    _asking("look-alike: injection", "", lambda r: f"{r.choice(NEARLY_ORDERS)}{question(r)}"),
    _asking("other language", "language", lambda r: f"{r.choice(FOREIGN)} {r.choice(FOREIGN)}"),
    _asking(
        "look-alike: other language", "", lambda r: f"{r.choice(NEARLY_FOREIGN)}{english(r)[0]}"
    ),
    _simple("boilerplate", "boilerplate", lambda r: f"{r.choice(NOTICES)} {r.choice(NOTICES)}"),
    _simple("look-alike: boilerplate", "", lambda r: f"{r.choice(NEARLY_NOTICES)}{answer(r)}"),
    _simple(
        "symbols", "symbols", lambda r: "".join(r.choices("#$%^&*()_+=~<>/\\{}[]0123456789", k=90))
    ),
    _simple("look-alike: table", "", _table),
    _simple("gibberish", "gibberish", _gibberish),
    _simple("repetition", "repetition", _repeated),
    _asking("unwanted word", "word", lambda r: f"{r.choice(WORDS['high'])}，{question(r)}"),
    _asking("look-alike: unwanted word", "", lambda r: f"{r.choice(NEARLY_WORDS)}{question(r)}"),
    _simple("secret", "secret", lambda r: f"{answer(r)}{r.choice(SECRETS)}"),
    _asking("look-alike: secret", "", lambda r: f"{r.choice(NEARLY_SECRETS)}{question(r)}"),
    lambda r: Planted(
        "nobody asked them", _row(*ordinary(r), user=f"x{r.randrange(9)}", at=NOW), ("consent",)
    ),
    lambda r: Planted("erased person", _row(*ordinary(r), user="gone", at=NOW - 50), ("erased",)),
    lambda r: Planted("past its time", _row(*ordinary(r), user="u1", at=NOW - 9e8), ("expired",)),
    lambda r: Planted(
        "other licence", _row(*ordinary(r), source={"licence": "proprietary"}), ("licence",)
    ),
    lambda r: Planted("look-alike: agreed", _row(*ordinary(r), user="u2", at=NOW)),
)


def stream(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """``count`` rows for timing: one in ten a copy, one in ten edited by a twentieth, one in fifty with a
    telephone number, the rest ordinary."""
    r = random.Random(seed)
    recent: list[dict[str, Any]] = []
    for n in range(count):
        dice = r.random()
        if recent and dice < 0.1:
            row = dict(r.choice(recent))
        elif recent and dice < 0.2:
            of = r.choice(recent)
            row = _row(edited(of["question"], 0.05, r), edited(of["answer"], 0.05, r))
        else:
            row = _row(*ordinary(r))
            if r.random() < 0.02:
                row["question"] += f"我的手机号是{mobile(r)}。"
        if len(recent) < 5_000:
            recent.append(row)
        else:
            recent[r.randrange(5_000)] = row
        yield row | {"conversation": f"c{n // 2}"}
