"""Every word of the pages about contracts, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.apps.contracts.making import COMMENTED, HIGHLIGHTED, KEPT, PAGE, SUMMARY
from dazi.apps.contracts.verdicts import Word
from dazi.core.language import Text
from dazi.store.jobs.model import State

CONTRACTS = Text("合同审查", "Contract review")
HINT = Text(
    "上传合同,对照范本和公司政策,找出要看的地方。不用模型,同一份文件每次结果一样;它不代替律师。",
    "Upload a contract: it is compared with a template and the company's policy. No model is used and "
    "the same file gives the same findings; it stands for no lawyer.",
)
UPLOAD = Text(
    "把合同拖到这里,或点 + 选择(PDF、Word、Markdown)",
    "Drop a contract here, or choose with + (PDF, Word, Markdown)",
)
REJECTED = Text(
    "超过 {mb} MB,或者不是 PDF、Word、Markdown", "over {mb} MB, or no PDF, Word or Markdown file"
)
TEMPLATE = Text("对照的范本", "Template")
NO_TEMPLATE = Text("不对照范本", "no template")
OWN_TEMPLATE = Text("上传自己的范本", "Upload a template of your own")
TEMPLATE_KEPT = Text("范本 {name} 已读好", "the template {name} is read")
COMPANYS, OWN = Text("公司", "company"), Text("自己", "own")
REVIEWS = Text("审过的合同", "Reviews")
NONE = Text("还没有审过合同", "No contracts have been reviewed yet")
STATES: Mapping[State, Text] = {
    "queued": Text("排队", "Waiting"),
    "running": Text("进行中", "In progress"),
    "done": Text("完成", "Done"),
    "failed": Text("失败", "Failed"),
    "cancelled": Text("已取消", "Cancelled"),
}
COUNTS = Text("高 {high} · 中 {medium} · 低 {low}", "high {high} · medium {medium} · low {low}")
DELETE_REVIEW = Text("删除 {name} 的审查和文件?", "Delete the review of {name} and its files?")
AGAIN = Text("再试一次", "Try again")
CANCEL = Text("取消", "Cancel")
LEFT = Text("约剩 {s} 秒", "about {s} s left")
FILES: Mapping[str, Text] = {
    COMMENTED: Text("带批注的 Word", "Word with comments"),
    HIGHLIGHTED: Text("带高亮的 PDF", "PDF with highlights"),
    SUMMARY: Text("摘要 PDF", "Summary (PDF)"),
    PAGE: Text("网页", "HTML"),
    KEPT: Text("JSON", "JSON"),
}
SHOWN = Text("显示", "Show")
LEVELS: Mapping[str, Text] = {
    "low": Text("全部", "all"),
    "medium": Text("中以上", "medium and high"),
    "high": Text("只看高", "high only"),
}
FINDINGS = Text("发现的问题({n})", "Findings ({n})")
FIELDS = Text("要点", "Fields")
NOTHING = Text("没有发现问题。", "Nothing was found.")
WORDS: Mapping[Word, Text] = {
    "accept": Text("认可", "Accept"),
    "reject": Text("不认可", "Reject"),
    "correct": Text("改正", "Correct"),
}
SAID: Mapping[Word, Text] = {
    "accept": Text("您认可了", "You accepted this"),
    "reject": Text("您不认可", "You rejected this"),
    "correct": Text("您改成:{value}", "You corrected it: {value}"),
}
WITHDRAW = Text("收回", "Take back")
VALUE = Text("应该是什么", "What it should be")
NOTE = Text("说明(可不填)", "A note, if you like")
SAVE = Text("保存", "Save")
JUMP = Text("看原文", "Show in the text")
NOT_FOUND = Text("没有这份审查", "No such review")
EDIT_FIELD = Text("这个要点", "this field")
QUALITY = Text("规则准不准", "How well the rules do")
QUALITY_HINT = Text(
    "按大家对结果的表态算:准确率带 95% 区间;被否得太多的规则标出来,可在 dazi.toml 的 [contracts] muted 里停用。",
    "By what people say of findings: precision with its 95% interval. Rules that are rejected too often "
    "are marked; [contracts] muted in dazi.toml switches them off.",
)
QUALITY_COLUMNS = Text(
    "规则,提示,认可,不认可,改正,准确率", "rule,shown,accepted,rejected,corrected,precision"
)
NOBODY = Text("还没有人表态", "Nobody has said anything yet")
DOUBTFUL = Text("被否得太多", "rejected too often")
EXPORT = Text("下载 JSON", "Download JSON")
