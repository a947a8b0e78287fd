"""Ordinary questions and answers of a shop, composed from parts: as many different ones as are wanted.

Nothing here knows the rules that are measured with it.
"""

from __future__ import annotations

import random

WHO = [
    "我",
    "我们部门",
    "仓库的同事",
    "采购",
    "财务",
    "店长",
    "供应商",
    "一位老客户",
    "新来的同事",
    "代理商",
    "北区经理",
    "行政",
    "门店",
    "售后",
    "质检员",
    "物流公司",
    "项目组",
    "审计",
    "法务",
    "培训师",
]
WHEN = [
    "昨天下午",
    "上周",
    "这个月初",
    "去年年底",
    "开会之前",
    "刚才",
    "节前",
    "盘点的时候",
    "合同到期前",
    "发货以后",
    "早上",
    "晚班",
    "周末",
    "季度末",
    "装修期间",
    "促销那几天",
]
DID = [
    "提交",
    "核对",
    "退回",
    "登记",
    "询问",
    "确认",
    "重新打印",
    "转交",
    "补签",
    "取消",
    "更换",
    "申请",
    "通知",
    "查看",
    "修改",
    "归档",
    "抽查",
    "预订",
    "统计",
    "审批",
]
WHAT = [
    "报价单",
    "会议记录",
    "保修卡",
    "入库清单",
    "差旅单",
    "样品",
    "合同附件",
    "发票抬头",
    "值班表",
    "钥匙",
    "门禁权限",
    "打印纸",
    "投影仪",
    "包装箱",
    "名片",
    "培训材料",
    "体检报告",
    "押金条",
    "运单",
    "价格表",
    "印章",
    "工装",
    "停车证",
    "测试报告",
]
WHERE = [
    "在系统里",
    "在前台",
    "在二楼会议室",
    "在上海仓",
    "在杭州门店",
    "在线上",
    "在供应商那边",
    "在手机上",
    "在共享盘",
    "在邮件里",
    "在售后柜台",
    "在北京办公室",
    "在展会现场",
    "在车间",
]
WHY = [
    "因为型号写错了",
    "因为数量对不上",
    "因为客户改了主意",
    "因为快递停运",
    "因为负责人休假",
    "因为格式不合要求",
    "因为系统升级",
    "因为缺一个签名",
    "因为预算调整",
    "因为天气不好",
    "因为标签脱落",
    "因为地址不全",
]
ASK = [
    "应该怎么办",
    "要找谁",
    "多久能处理好",
    "需要哪些材料",
    "可以线上办吗",
    "有什么规定",
    "会影响绩效吗",
    "能不能加急",
    "还来得及吗",
    "要不要重新走流程",
]
DO = [
    "先在表格里注明原因",
    "联系对口的同事",
    "把照片发到群里",
    "按新的模板再填一遍",
    "等主管点头之后再继续",
    "把旧的那份作废",
    "请对方盖章后寄回",
    "到柜台当面说明",
    "保留原件备查",
    "打电话跟进一次",
    "写一份情况说明",
    "在备注里写清楚",
    "下班之前交给前台",
    "隔天再看一次结果",
    "把编号抄下来",
    "换一个同类的",
    "走补充流程",
    "按原价处理",
]
THEN = [
    "一般当天就有答复",
    "结果会发到邮箱",
    "不用再跑一趟",
    "以后可以照此办理",
    "费用由公司承担",
    "过期就要重新申请",
    "系统会自动提醒",
    "有疑问再找行政",
    "月底统一结算",
    "不影响正常使用",
    "对方会主动回访",
    "经理会在例会上说明",
    "记录至少留一年",
    "其他部门也是这样做",
]

EN_WHO = [
    "the warehouse",
    "our team",
    "the supplier",
    "a regular customer",
    "the finance desk",
    "the new colleague",
    "the store manager",
    "the courier",
    "our agent",
    "the auditor",
    "the trainer",
    "support",
]
EN_DID = [
    "returned",
    "checked",
    "lost",
    "reprinted",
    "cancelled",
    "forwarded",
    "signed",
    "archived",
    "booked",
    "replaced",
    "questioned",
    "confirmed",
]
EN_WHAT = [
    "the delivery note",
    "the meeting minutes",
    "the warranty card",
    "the price list",
    "the sample",
    "the access badge",
    "the contract annex",
    "the travel form",
    "the test report",
    "the key",
    "the training material",
    "the deposit slip",
]
EN_WHEN = [
    "yesterday",
    "last week",
    "before the holiday",
    "during the stocktaking",
    "after closing time",
    "at the end of the quarter",
    "this morning",
    "while the system was down",
]
EN_ASK = [
    "What should I do now",
    "Who takes care of it",
    "How long does that take",
    "Which papers are needed",
    "Can it be done online",
    "Is there a rule for that",
]
EN_DO = [
    "write the reason into the form",
    "call the colleague in charge",
    "send a picture to the group",
    "fill in the new template",
    "wait until the supervisor agrees",
    "keep the original",
    "bring it to the counter",
    "ask them to stamp it",
    "put the number into the remarks",
    "look again on the next day",
]
EN_THEN = [
    "the answer comes by mail",
    "nobody has to come again",
    "the company bears the cost",
    "the system reminds you",
    "it is settled at the end of the month",
    "other departments do the same",
    "the record is kept",
    "the manager explains it in the meeting",
]


def question(r: random.Random) -> str:
    did = f"{r.choice(WHEN)}{r.choice(WHO)}{r.choice(WHERE)}{r.choice(DID)}{r.choice(WHAT)}"
    return f"{did}，{r.choice(WHY)}，{r.choice(ASK)}？"


def answer(r: random.Random) -> str:
    parts = [f"{r.choice(WHAT)}的事，{r.choice(DO)}，{r.choice(THEN)}。"]
    for _ in range(r.randrange(1, 4)):
        parts.append(
            f"{r.choice(WHO)}{r.choice(WHEN)}{r.choice(DID)}{r.choice(WHAT)}的，{r.choice(DO)}，{r.choice(THEN)}。"
        )
    return "".join(parts)


def english(r: random.Random) -> tuple[str, str]:
    did = f"{r.choice(EN_WHEN).capitalize()} {r.choice(EN_WHO)} {r.choice(EN_DID)} {r.choice(EN_WHAT)}"
    q = f"{did}. {r.choice(EN_ASK)}?"
    a = [f"For {r.choice(EN_WHAT)}, {r.choice(EN_DO)}, and {r.choice(EN_THEN)}."]
    for _ in range(r.randrange(1, 4)):
        a.append(
            f"If {r.choice(EN_WHO)} {r.choice(EN_DID)} {r.choice(EN_WHAT)} {r.choice(EN_WHEN)}, "
            f"{r.choice(EN_DO)}; then {r.choice(EN_THEN)}."
        )
    return q, " ".join(a)


def ordinary(r: random.Random) -> tuple[str, str]:
    """A question and its answer, one in four in English."""
    return english(r) if r.random() < 0.25 else (question(r), answer(r))


def edited(text: str, share: float, r: random.Random) -> str:
    """``share`` of the words (of hanzi: of the characters, in runs of two) replaced, left out or doubled."""
    words = text.split(" ") if " " in text else [text[i : i + 2] for i in range(0, len(text), 2)]
    pool = EN_WHAT if " " in text else ["云", "杉", "商", "贸", "海", "天", "春", "秋", "石", "林"]
    for at in sorted(r.sample(range(len(words)), max(1, round(len(words) * share))), reverse=True):
        how = r.random()
        if how < 0.6:
            words[at] = r.choice(pool).split(" ")[-1] * (1 if " " in text else 2)
        elif how < 0.8:
            del words[at]
        else:
            words.insert(at, words[at])
    return (" " if " " in text else "").join(words)
