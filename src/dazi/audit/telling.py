"""What a verification came to, and why a content cannot be read, in words."""

from __future__ import annotations

from dazi.audit.verify import Bad, Fault, Verified
from dazi.core.language import Text

STATES = {
    "erased": Text("[已抹除] ", "[erased] "),
    "missing": Text("[缺密钥] ", "[no key] "),
    "damaged": Text("[读不出] ", "[unreadable] "),
}
FAULTS = {
    Fault.CHANGED: Text(
        "第 {seq} 条记录与哈希链不符:内容被改过", "record {seq} does not fit the chain: changed"
    ),
    Fault.MISSING: Text(
        "缺第 {seq} 条记录,没有签名锚点说明它被依规删除",
        "record {seq} is missing, and no signed anchor stands for it",
    ),
    Fault.MISPLACED: Text(
        "第 {seq} 条记录与哈希链不符:位置不对",
        "record {seq} does not fit the chain: out of place",
    ),
    Fault.CUT: Text(
        "从第 {seq} 条起被截掉:有检查点在它之后",
        "cut off from record {seq} on: a checkpoint lies behind it",
    ),
    Fault.FORKED: Text(
        "第 {seq} 条记录与签过名的检查点不符:它或它之前的记录被整段重写",
        "record {seq} is not the one that was signed: it, or some before it, were written anew",
    ),
    Fault.SIGNATURE: Text(
        "第 {seq} 条处的签名不对,或签名的密钥不可信",
        "the signature at record {seq} is wrong, or not by a trusted key",
    ),
}


def verdict(found: Verified) -> Text:
    if found.bad is not None:
        return fault_text(found.bad)
    zh = [f"{found.records} 条记录,哈希链完整"]
    en = [f"{found.records} records, the chain holds"]
    if found.removed:
        zh.append(f"{found.removed} 条已依规删除,有签名锚点")
        en.append(f"{found.removed} were removed, signed anchors stand for them")
    if found.checkpoints:
        zh.append(f"{found.checkpoints} 个检查点,最后一个在第 {found.through} 条")
        en.append(f"{found.checkpoints} checkpoints, the last one at record {found.through}")
    else:
        zh.append("还没有检查点,末尾被截掉看不出来")
        en.append("no checkpoint yet, so a cut at the end would not show")
    return Text(";".join(zh), "; ".join(en))


def fault_text(bad: Bad) -> Text:
    text = FAULTS[bad.fault]
    return Text(text.zh.format(seq=bad.seq), text.en.format(seq=bad.seq))
