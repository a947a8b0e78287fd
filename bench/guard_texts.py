"""Chinese business texts of the guard's benchmark, and the words it looks for."""

from __future__ import annotations

import random

_NAMES = ["王强", "李静", "张伟", "刘洋", "陈磊", "杨帆", "赵雪", "黄敏", "周涛", "吴倩"]
_CITIES = ["上海", "杭州", "北京", "深圳", "成都", "武汉", "南京", "西安"]
_GOODS = ["保温杯", "蓝牙耳机", "办公椅", "打印纸", "投影仪", "会议平板", "空气净化器", "工业风扇"]
_SENTENCES = (
    "本周{city}仓库共发出{goods}{n}件，其中{m}件因为包装破损被客户拒收，仓库主管{name}已经安排补发。",
    "请各部门于{month}月{day}日前提交下半年的预算，超过{n}元的项目要附上三家供应商的报价。",
    "客户对{goods}的噪声不满意，认为宣传页上写的参数与实物不符，要求退货并承担运费。",
    "会议决定由{name}负责与{city}分公司对接，每周五下午汇报进展，遇到问题及时升级。",
    "根据合同第{k}条，乙方应在收到预付款后{day}个工作日内交货，逾期每日按合同总额的千分之三支付违约金。",
    "今年第一季度销售额同比增长{k}.{m}%，毛利率比去年同期提高了{k}个百分点，主要来自{goods}。",
    "新员工入职后请先完成信息安全培训，再申请系统权限，权限由直属主管在平台上审批。",
    "{name}反映{goods}在使用过程中自动关机，售后工程师上门检测后更换了电源适配器。",
    "供应商表示原材料价格上涨，下个季度的采购单价可能要上调，希望我们尽早确认数量。",
    "订单ORD{order}的{goods}已于{month}月{day}日由{city}仓发出，预计三天内送达，请客户注意查收。",
    "差旅报销需要提供发票原件和行程单，住宿标准为每晚不超过{m}元，超出部分自理。",
    "市场部计划在{city}举办一场新品发布会，邀请{n}位经销商参加，场地和搭建费用由总部承担。",
    "质检报告显示本批次{goods}的合格率为{m}%，不合格品已经隔离存放，等待退回厂家。",
    "为了方便客户查询，我们在小程序里增加了物流跟踪功能，客户可以随时看到货物到了哪里。",
    "关于{goods}的保修政策：自签收之日起一年内非人为损坏免费维修，三个月内出现质量问题可以换新。",
    "请法务同事审核附件中的补充协议，重点看付款方式、知识产权归属和争议解决条款。",
    "系统将于本周六凌晨升级，届时下单和查询功能暂停使用，预计持续两个小时。",
    "{city}门店反馈库存不准，盘点发现系统显示{n}件，实际只有{m}件，差异原因正在调查。",
    "年会抽奖奖品包括{goods}和购物卡，获奖名单由人事部公布，奖品在一周内发放。",
    "客户希望延长账期到六十天，财务认为风险较高，建议先提供担保或者分批付款。",
)
_PERSONAL = (
    "收货人电话{mobile}，送货前请提前联系。",
    "他登记的证件号是{resident}，已经核对过。",
    "发票请寄到{mail}，抬头按合同填写。",
    "退款打到卡号{card}，预计三个工作日到账。",
)
_COMMON = range(0xB0, 0xD7), range(0xA1, 0xFF)
"""Rows and cells of GB 2312 level 1: the 3,755 most common hanzi."""


def prose(seed: int, characters: int, every: int) -> str:
    """Sentences, with personal data in one of ``every``."""
    r = random.Random(seed)
    parts, length = [], 0
    while length < characters:
        pool = _PERSONAL if r.randrange(every) == 0 else _SENTENCES
        sentence = _filled(r, r.choice(pool)) + ("\n\n" if r.random() < 0.2 else "")
        parts.append(sentence)
        length += len(sentence)
    return "".join(parts)[:characters]


def _filled(r: random.Random, sentence: str) -> str:
    return sentence.format(
        city=r.choice(_CITIES),
        goods=r.choice(_GOODS),
        name=r.choice(_NAMES),
        n=r.randrange(100, 9_999),
        m=r.randrange(10, 99),
        k=r.randrange(1, 10),
        month=r.randrange(1, 13),
        day=r.randrange(1, 29),
        order=r.randrange(10_000, 99_999),
        mobile=f"13{r.randrange(10**9):09}",
        resident=r.choice(["110101199003074610", "11010119900307709X"]),
        mail=f"user{r.randrange(1_000)}@example.com",
        card=r.choice(["6228480402564890018", "4111111111111111"]),
    )


def words(seed: int, n: int) -> list[str]:
    """Made-up words of two to five common hanzi."""
    r = random.Random(seed)
    hanzi = []
    for row in _COMMON[0]:
        for cell in _COMMON[1]:
            try:
                hanzi.append(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    found: set[str] = set()
    while len(found) < n:
        found.add("".join(r.choice(hanzi) for _ in range(r.choice([2, 3, 4, 5]))))
    return sorted(found)


def chunks(text: str, seed: int) -> list[str]:
    """Cut as a model's tokens are: one to three characters."""
    r = random.Random(seed)
    found, at = [], 0
    while at < len(text):
        size = r.choice([1, 1, 2, 2, 2, 3])
        found.append(text[at : at + size])
        at += size
    return found
