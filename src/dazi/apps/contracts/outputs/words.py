"""Words that reviews are told in, whatever they are written to."""

from __future__ import annotations

from dazi.apps.contracts.findings import FindingKind, Severity
from dazi.apps.contracts.reviewed import How, Remark, Reviewed
from dazi.core.language import Language, Text

PRODUCT = Text("搭子", "Dazi")
SEVERITIES: dict[Severity, Text] = {
    "high": Text("高", "high"),
    "medium": Text("中", "medium"),
    "low": Text("低", "low"),
}
KINDS: dict[FindingKind, Text] = {
    "policy": Text("政策", "policy"),
    "deviation": Text("偏离范本", "deviation"),
    "missing": Text("缺失", "missing"),
    "contradiction": Text("矛盾", "contradiction"),
    "reference": Text("引用", "reference"),
}
HOWS: dict[How, Text] = {
    "same": Text("相同", "the same"),
    "changed": Text("改动", "changed"),
    "missing": Text("缺失", "missing"),
    "added": Text("新增", "added"),
}
MOVED = Text("挪了位置", "moved")
FIELDS: dict[str, Text] = {
    "party_a": Text("甲方", "party A"),
    "party_b": Text("乙方", "party B"),
    "total_amount": Text("总额", "total"),
    "currency": Text("币种", "currency"),
    "start_date": Text("开始日期", "start"),
    "end_date": Text("结束日期", "end"),
    "governing_law": Text("适用法律", "governing law"),
    "seat": Text("争议解决地", "disputes are settled at"),
    "payment_days": Text("付款天数", "days to pay"),
    "liability_cap": Text("责任上限(%)", "cap of liability (%)"),
    "penalty_rate": Text("违约金(%)", "penalty (%)"),
    "renewal_notice_days": Text("续期通知(天)", "notice of non-renewal (days)"),
}
DEALS: dict[str, Text] = {
    "sales": Text("买卖", "sales"),
    "service": Text("服务", "services"),
    "software": Text("软件", "software"),
    "lease": Text("租赁", "lease"),
    "labour": Text("劳动", "labour"),
    "nda": Text("保密", "non-disclosure"),
    "other": Text("其他", "other"),
}
MODELS = Text("模型的看法", "the model's view")
SUGGESTED = Text("建议", "suggestion")
PAGE = Text("第 {n} 页", "page {n}")
FINDINGS = Text("发现的问题", "Findings")
NOTHING = Text("没有发现问题。", "Nothing was found.")
REVIEW = Text("合同审查", "Contract review")
NOTE = Text(
    "由程序按规则核对得出,提示要看哪里,不代替律师。",
    "Found by rules; it says where to look and stands for no lawyer.",
)
NOTE_MODEL = Text(
    "标了“模型的看法”的由模型提出,请核对。",
    "What is marked as the model's view was proposed by a model: check it.",
)


def label(remark: Remark, language: Language) -> str:
    """``高 · 政策``."""
    parts = [SEVERITIES[remark.severity](language), KINDS[remark.kind](language)]
    if remark.by == "model":
        parts.append(MODELS(language))
    return " · ".join(parts)


def where(remark: Remark, language: Language) -> str:
    """Article, clause and page, as far as there are any."""
    page = PAGE(language).format(n=remark.page) if remark.page else ""
    clause = " ".join(x for x in (remark.under, remark.clause) if x)
    return " · ".join(x for x in (clause, page) if x)


def told(r: Remark, language: Language) -> str:
    """As a note beside its words."""
    lines = [f"[{label(r, language)}] {r.message(language)}"]
    suggestion = r.suggestion(language)
    if suggestion:
        lines.append(f"{SUGGESTED(language)}: {suggestion}")
    return "\n".join(lines)


def value_of(done: Reviewed, name: str) -> str:
    """As people write it: a sum with its currency and its thousands apart."""
    said = {f.name: f.value for f in done.fields}
    value = said.get(name)
    if value is None:
        return ""
    if name == "total_amount" and isinstance(value, int | float):
        return f"{said.get('currency', '')} {value:,}".strip()
    return str(value)
