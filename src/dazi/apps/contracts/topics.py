"""What a clause is about, told by its heading and its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from dazi.apps.contracts.clauses import Clause, Contract

TOPICS: Mapping[str, tuple[str, str]] = {
    # topic: (in a heading, in the text)
    "definitions": (r"定义|释义|[Dd]efinition|[Ii]nterpretation", r"(?:下列|以下)(?:词语|术语)|have the following meaning|指的?是?“"),
    "scope": (r"标的|商品|货物|服务内容|服务范围|合同内容|租赁物|租赁房屋|房屋|[Ss]cope|[Ss]ervices\b|[Gg]oods|[Pp]roducts|[Ss]ubject", r"服务(?:内容|范围)|租赁房屋位于|向乙方(?:销售|出售|提供)|shall provide the [Ss]ervices"),
    "price": (r"价格|价款|费用|合同金额|总价|服务费|租金|报酬|[Pp]rice|[Ff]ees?\b|[Cc]harges|[Cc]onsideration|[Rr]ent\b", r"(?:合同)?总(?:价|金额)|含税|单价|[Tt]otal (?:price|fee|contract)|[Cc]ontract [Pp]rice"),
    "payment": (r"付款|支付|结算|[Pp]ayment|[Ii]nvoic", r"付款|支付.{0,20}(?:货款|价款|费用|租金|款项)|(?:收到|开具).{0,10}发票|[Ii]nvoice|shall pay|payable within"),
    "deposit": (r"押金|保证金|[Dd]eposit", r"押金|保证金|security deposit"),
    "delivery": (r"交货|交付|运输|包装|[Dd]elivery|[Ss]hipment", r"交货|运费|送达地点|[Dd]elivery|shipping"),
    "acceptance": (r"验收|检验|[Aa]cceptance|[Ii]nspection", r"验收|检验|[Aa]cceptance (?:test|criteria|period)|inspect"),
    "title_risk": (r"所有权|风险|[Tt]itle|[Rr]isk", r"所有权.{0,20}转移|风险.{0,20}转移|[Rr]isk (?:of loss )?passes|title (?:to|passes)"),
    "warranty": (r"质量|质保|保修|[Ww]arrant", r"质保期|保修期|质量保证|warrants? that|warranty period"),
    "returns": (r"退货|退换|[Rr]eturns?\b", r"退货|换货"),
    "service_level": (r"服务水平|服务标准|响应|[Ss]ervice [Ll]evel|[Ss]upport", r"可用性|响应时间|uptime|availability|response time"),
    "ip": (r"知识产权|成果|著作权|[Ii]ntellectual|[Oo]wnership|[Ll]icen[cs]e", r"知识产权|著作权|专利|intellectual property|work product|deliverables.{0,40}(?:own|vest)"),
    "confidentiality": (r"保密|[Cc]onfidential|[Nn]on-[Dd]isclosure", r"保密|商业秘密|[Cc]onfidential"),
    "data": (r"数据|个人信息|隐私|[Dd]ata|[Pp]rivacy", r"个人信息|数据(?:安全|保护|处理)|personal data|data protection"),
    "penalty": (r"违约|罚则|[Pp]enalt|[Ll]iquidated|[Dd]efault|[Bb]reach|[Ll]ate", r"违约金|滞纳金|liquidated damages|penalt|late (?:fee|interest)"),
    "liability": (r"责任限制|赔偿|责任|[Ll]iabilit|[Ii]ndemni", r"赔偿责任|责任(?:总额|上限)|以.{0,12}为(?:上)?限|[Ll]iabilit|indemnif"),
    "term": (r"期限|有效期|租期|[Tt]erm\b|[Dd]uration", r"(?:合同|本合同|协议|租赁|服务)(?:的)?(?:有效)?期限?|自.{0,24}起.{0,24}止|[Tt]erm of this|shall commence|effective (?:date|from)"),
    "renewal": (r"续期|续约|续租|[Rr]enew", r"自动(?:续|延)|续(?:期|约|租|签)|renew"),
    "termination": (r"解除|终止|[Tt]erminat", r"解除(?:本)?(?:合同|协议)|终止(?:本)?(?:合同|协议)|退租|停止(?:提供)?服务|收回(?:租赁物|房屋|商铺|厂房|场地|租赁房屋)|terminat"),
    "force_majeure": (r"不可抗力|[Ff]orce [Mm]ajeure", r"不可抗力|[Ff]orce [Mm]ajeure"),
    "law": (r"适用法律|法律适用|[Gg]overning|[Aa]pplicable [Ll]aw", r"适用.{0,20}法律|governed by|laws? of"),
    "disputes": (r"争议|仲裁|管辖|打官司|[Dd]ispute|[Aa]rbitration|[Jj]urisdiction", r"争议|仲裁|诉讼|管辖|打官司|法院管|[Dd]ispute|[Aa]rbitrat|courts? of|jurisdiction"),
    "notices": (r"通知|送达|联系|[Nn]otice", r"通知.{0,20}(?:书面|送达|地址|邮箱)|[Nn]otices? (?:shall|under|must)"),
    "assignment": (r"转让|转包|分包|[Aa]ssign|[Ss]ubcontract", r"转让|转包|分包|转租|assign|subcontract|sublet"),
    "insurance": (r"保险|[Ii]nsurance", r"投保|保险|insurance"),
    "audit": (r"审计|[Aa]udit", r"审计|audit"),
    "exclusivity": (r"独家|排他|竞业|[Ee]xclusiv|[Nn]on-?[Cc]ompet", r"独家|排他|竞业|exclusiv|compete"),
    "amendment": (r"变更|修改|[Aa]mendment|[Vv]ariation|[Cc]hange [Cc]ontrol|[Cc]hanges\b", r"(?:变更|修改|补充).{0,16}书面|amend(?:ed|ment).{0,30}writing"),
    "maintenance": (r"维修|修缮|[Mm]aintenance|[Rr]epair", r"维修|修缮|repair|maintenance"),
    "use": (r"用途|使用|[Uu]se of", r"用途|转租|permitted (?:use|purpose)"),
    "return_of": (r"返还|归还|交还|[Rr]eturn of|[Rr]eturn or", r"返还|归还|交还|return or destroy"),
    "wages": (r"劳动报酬|工资|薪酬|[Ss]alary|[Ww]ages", r"工资|月薪|salary"),
    "working_time": (r"工作时间|休假|[Ww]orking [Tt]ime|[Hh]ours|[Ll]eave", r"工时|年休假|加班|overtime|annual leave"),
    "probation": (r"试用期|[Pp]robation", r"试用期|probation"),
    "social_insurance": (r"社会保险|[Ss]ocial [Ii]nsurance", r"社会保险|公积金|social insurance"),
    "general": (r"其他|附则|一般|[Gg]eneral|[Mm]iscellaneous|[Ee]ntire", r"一式.{1,4}份|完整(?:的)?(?:协议|合同)|entire agreement|counterparts"),
}  # fmt: skip
NAMES: Mapping[str, tuple[str, str]] = {
    "definitions": ("定义", "definitions"), "scope": ("标的", "subject"), "price": ("价款", "price"),
    "payment": ("付款", "payment"), "deposit": ("押金", "deposit"), "delivery": ("交货", "delivery"),
    "acceptance": ("验收", "acceptance"), "title_risk": ("所有权与风险", "title and risk"),
    "warranty": ("质量保证", "warranty"), "returns": ("退换货", "returns"),
    "service_level": ("服务水平", "service levels"), "ip": ("知识产权", "intellectual property"),
    "confidentiality": ("保密", "confidentiality"), "data": ("数据与个人信息", "data protection"),
    "penalty": ("违约金", "penalties"), "liability": ("责任上限", "limit of liability"),
    "term": ("期限", "term"), "renewal": ("续期", "renewal"), "termination": ("解除", "termination"),
    "force_majeure": ("不可抗力", "force majeure"), "law": ("适用法律", "governing law"),
    "disputes": ("争议解决", "dispute resolution"), "notices": ("通知", "notices"),
    "assignment": ("转让与分包", "assignment"), "insurance": ("保险", "insurance"),
    "audit": ("审计", "audit"), "exclusivity": ("独家与竞业", "exclusivity"),
    "amendment": ("变更", "amendment"), "maintenance": ("维修", "maintenance"), "use": ("用途", "use"),
    "return_of": ("返还", "return"), "wages": ("劳动报酬", "wages"),
    "working_time": ("工作时间与休假", "working time"), "probation": ("试用期", "probation"),
    "social_insurance": ("社会保险", "social insurance"), "general": ("其他", "general"),
}  # fmt: skip
_COMPILED = {t: (re.compile(h), re.compile(b)) for t, (h, b) in TOPICS.items()}

KINDS: Mapping[str, str] = {
    "labour": r"劳动合同|聘用合同|用人单位|[Ee]mployment [Aa]greement|[Ll]abou?r [Cc]ontract",
    "nda": r"保密协议|[Nn]on-?[Dd]isclosure|NDA|[Cc]onfidentiality (?:[Aa]greement|[Uu]ndertaking)|[Aa]greement on (?:[Cc]onfidentiality|[Ss]ecrecy)|[Ss]ecrecy [Aa]greement",
    "lease": r"租赁|租房|[Ll]ease|[Tt]enancy",
    "software": r"软件|[Ss]oftware|SaaS|[Ll]icen[cs]e [Aa]greement",
    "service": r"服务|委托|咨询|运维|[Ss]ervices?\b|[Cc]onsult",
    "sales": r"销售|买卖|采购|购销|供货|[Ss]ales?\b|[Pp]urchase|[Ss]upply",
}


def kind_of(contract: Contract) -> str:
    """``sales``, ``service``, ``software``, ``lease``, ``labour``, ``nda``, or ``other``: by its title, else
    by how it begins."""
    opening = " ".join(c.words for c in contract.clauses[:12])[:900]
    for text in (contract.title, opening):
        for kind, pattern in KINDS.items():
            if re.search(pattern, text, re.IGNORECASE):
                return kind
    return "other"


def topics_of(contract: Contract, clause: Clause) -> tuple[str, ...]:
    """The likeliest first; its own heading counts most, then its words, then its article's."""
    return _topics(_cased(clause.title), _cased(contract.heading(clause)), clause.text[:400])


def _cased(heading: str) -> str:
    """``LIMIT OF LIABILITY`` is read as any other heading."""
    return heading.capitalize() if heading.isupper() and heading.isascii() else heading


@lru_cache(maxsize=20_000)
def _topics(title: str, heading: str, text: str) -> tuple[str, ...]:
    scores: dict[str, float] = {}
    for topic, (in_heading, in_text) in _COMPILED.items():
        score = 4.0 * bool(title and in_heading.search(title))
        score += 2.0 * bool(heading and in_heading.search(heading))
        found = in_text.search(text)
        if found:
            score += 2.5 if found.start() < 25 else 1.5
        if score:
            scores[topic] = score
    return tuple(sorted(scores, key=lambda t: (-scores[t], t)))


def about(contract: Contract, clause: Clause, topic: str, *, first: int = 3) -> bool:
    return topic in topics_of(contract, clause)[:first]
