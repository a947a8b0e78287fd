"""Contracts and templates that the tests change one thing at a time in."""

from __future__ import annotations

from pathlib import Path

from dazi.apps.contracts.clauses import Contract, read_contract
from dazi.knowledge.blocks import Block

SERVICE = """# 信息系统运维服务合同

委托方（甲方）：云杉商贸有限公司
受托方（乙方）：杭州启明信息技术有限公司

## 一、服务内容

（一）乙方为甲方提供信息系统的日常巡检、故障处理和备份服务，具体见附件一《服务清单》。

（二）未经甲方书面同意，乙方不得将服务分包给第三方。

## 二、服务期限

本合同期限自2025年4月1日起至2026年3月31日止。期满前60日双方均未书面提出异议的，自动续期一年。

## 三、服务费用及支付

（一）服务费总额为人民币肆拾捌万元整（￥480,000.00）。

（二）甲方应当在收到发票后30日内，按季度支付服务费。

## 四、保密

双方对履行合同中知悉的对方商业秘密负有保密义务，保密期限为合同终止后三年。

## 五、违约责任

（一）甲方逾期付款的，每逾期一日按逾期金额的万分之五支付违约金。

（二）任何一方的赔偿责任以服务费总额为限，故意或者重大过失造成的损失除外。

## 六、合同解除

任何一方严重违约，经书面通知后30日内未改正的，对方可以解除合同。

## 七、争议解决

本合同适用中华人民共和国法律。争议提交上海仲裁委员会在上海仲裁。

## 附件一：服务清单

1. 日常巡检：每周一次。
"""

NDA = """# MUTUAL NON-DISCLOSURE AGREEMENT

This Agreement is entered into as of March 3, 2025 (the "Effective Date") by and between Yunshan Trading Co., Ltd., a company organised in China ("Yunshan"), and Harbour Analytics Pte. Ltd., a company incorporated in Singapore ("Harbour").

1. Definition. "Confidential Information" means any non-public information disclosed by one party (the "Discloser") to the other (the "Recipient"), including customer data and price lists.

2. Obligations. The Recipient shall use Confidential Information solely for the agreed purpose and shall disclose it only to its employees and advisers who need to know it.

3. Incidents. The Recipient shall notify the Discloser of any actual or suspected leak within twenty-four (24) hours.

4. Return. Within ten (10) business days of the end of the cooperation the Recipient shall return or destroy all Confidential Information.

5. Term. This Agreement commences on the Effective Date and continues for two (2) years. The obligations of confidentiality survive for three (3) years after the cooperation ends.

6. Remedies. A breach entitles the Discloser to a contractual penalty of CNY 200,000.

7. Governing law and disputes. This Agreement is governed by the laws of the People's Republic of China. Any dispute shall be submitted to the Shanghai International Arbitration Center for arbitration in Shanghai.

8. General. Neither party may assign this Agreement without the prior written consent of the other.
"""


def contract(text: str, page: int = 0) -> Contract:
    """As a Markdown file is read: a block a paragraph."""
    blocks = []
    for part in text.strip().split("\n\n"):
        level = len(part) - len(part.lstrip("#"))
        kind = "heading" if level else "table" if part.startswith("|") else "text"
        blocks.append(Block(kind, part.lstrip("# "), level, page))
    return read_contract(blocks)


def changed(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path
