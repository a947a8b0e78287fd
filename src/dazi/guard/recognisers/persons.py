"""Names of persons, where a label says that one follows."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.folding import SURNAMES
from dazi.guard.recognisers.base import Hit, Recogniser

_HAN = "\u4e00-\u9fff"
_DOUBLE = (
    "欧阳|司马|诸葛|上官|夏侯|皇甫|尉迟|公孙|慕容|令狐|宇文|东方|东郭|南宫|司徒|端木|独孤|长孙"
)
_NEXT = (
    "先生|女士|小姐|同学|同志|老师|经理|总监|主任|医生|律师|电话|手机|联系|身份|证件|性别|男|女|年龄|邮箱|地址|住址|工号|部门"
    "|职务|职位|学历|籍贯|民族|出生|微信|账号|户名|银行|卡号|护照|签字|签名|签收|已|在|于|是|为|的|和|与|及|或|跟|请|要|将|把|被|从|向"
    "|对|来|到|说|称|表示|反映|提出|提交|申请|购买|投诉|预约|办理|负责|收"
)
_LABELS = (
    "姓名 联系人 收件人 收货人 寄件人 发件人 发货人 取件人 提货人 签收人 经办人 负责人 法定代表人 法人 "
    "申请人 报销人 持卡人 开户人 户名 投保人 被保险人 受益人 承租人 出租人 借款人 担保人 委托人 代理人 "
    "监护人 当事人 被告人 签约人 乘机人 入住人 订票人 购买人 付款人 收款人 汇款人 面试者 患者 投诉人 "
    "举报人 联络人 登记人 申报人 使用人 保管人 审批人 收票人 开票人 订货人"
)
LABELS = tuple(_LABELS.split())
WORDS = ("name", "tact")
"""How labels in Latin letters end, in lower case."""
_TITLES = "某|经理|总监|总|先生|女士|小姐|老师|主任|医生|律师|师傅|工程|工|处长|局长|院长|校长|会计|同学|老板|科长|部长"
_WORDS = (
    "方案 方式 方法 方面 方便 方向 金额 金融 高级 高度 高效 程序 程度 马上 安全 安排 安装 时间 时候 时长 "
    "常见 常用 常规 应当 应该 应收 应付 成员 成功 成本 成交 明细 明确 明天 关于 关系 关联 关闭 管理 费用 "
    "费率 单位 单号 单独 单价 水平 水电 温度 于是 万一 全部 全体 全称 全额 任何 任务 解决 解除 解释 文件 "
    "文档 文本 史料 石油 车辆 车间 车牌 白天 黄金 江苏 钱款 顾问 包括 包含 计划 施工 强制 强调 支付 景区 "
    "农行 景点 申请 申报 阳光 司机 司法 何时 何地 何种 常务 韩国 江西 江南 云南 甘肃 鲁能 冷静 简称 简介 "
    "简历 荣誉 古籍 房产 房东 房屋 党员 党委 解约 项目 盛大 左右 洪水 尤其 宁波 宁夏 俞伯 华为 华东 华南 "
    "祝贺 舒适 冉冉 霍乱 钟点 钟表 项下 向上 向下 向右 向左 温馨 温州 康复 施行 文字 文化 牛奶 安徽 安心 "
    "安检 齐全 易懂 毛利 毛重 龙岗 龙头 万元 万达 段落 雷达 贺卡 石家 金华 金牌 范围 薛家 田地 任职 任期 "
    "苏州 叶子 余额 余款 蔡甸 潘家 于今 蒋村 林业 林地 高校 高考 高铁 何况 马路 胡同 朱家 孙子 徐州 周期 "
    "周边 周末 周一 周二 周三 周四 周五 周六 周日 吴江 赵县 黄浦 杨浦 陈述 陈列 张贴 张家 李子 王国 常州 "
    "常熟 常德 成都 成立 成绩 通常"
)
_NO_NAMES = frozenset(_WORDS.split())
"""Words that begin with a surname."""


def _name(m: re.Match[str]) -> Hit | None:
    return Hit(m.start("name"), m.end("name"), Certainty.LABEL)


def _told(m: re.Match[str]) -> Hit | None:
    start = m.start()
    if not m.string[max(0, start - 5) : start + 1].endswith(LABELS):
        return None
    name = m["name"]
    if name[:2] in _NO_NAMES or name in _NO_NAMES:
        return None
    return _name(m)


_COLON = r"[ \t]{0,3}[:：=][ \t]{0,3}\n?[\"“「【]?"
_SIGN = rf"(?:[（(][^（()）]{{0,8}}[)）])?(?:{_COLON}|[ \t]{{1,4}}|是|为|叫)?"
_CHINESE = (
    rf"(?P<name>(?:{_DOUBLE})(?!{_TITLES})[{_HAN}]{{1,2}}|[{SURNAMES}](?!{_TITLES})[{_HAN}]{{1,2}})"
    rf"(?=[^{_HAN}]|\Z|{_NEXT})"
)
_WITH_DOT = rf"{_COLON}(?P<name>[{_HAN}]{{1,6}}·[{_HAN}]{{1,8}}(?:·[{_HAN}]{{1,6}})?)"
_LATIN = r" ?[:：=] ?(?P<name>[A-Z][a-z]{1,20}(?:[ ·.-][A-Z][a-z]{0,20}){1,3})(?![A-Za-z])"
_ROLE = "[人名者](?:代表)?"

RECOGNISERS = (
    Recogniser(
        "person", "person", re.compile(rf"{_ROLE}{_SIGN}{_CHINESE}"), _told, reach=(0, 50), after=3
    ),
    Recogniser("person", "person", re.compile(_ROLE + _WITH_DOT), _told, reach=(0, 50)),
    Recogniser("person", "person", re.compile(_ROLE + _LATIN), _told, reach=(0, 110)),
    Recogniser(
        "person",
        "word",
        re.compile(rf"(?<![A-Za-z])(?:Name|Contact){_LATIN}"),
        _name,
        reach=(12, 110),
    ),
)
