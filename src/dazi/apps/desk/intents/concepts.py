"""Words of one meaning in both languages: what lets a few phrases teach about many.

A concept found in a message is a feature, and so is each pair of them: "colour" with "swap" is an
exchange, "colour" with "which" a question about a product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "order": r"订单|定单|下单|下的单|那单|这单|一单|单子|order|purchase|bought|买的|买了|拍了|拍错",
    "parcel": r"包裹|快递|物流|货(?!款|到付|币)|件(?=到|呢)|东西|parcel|package|packet|shipment|stuff|box\b|delivery",
    "where": r"到哪|在哪|走到|哪儿|哪里了|下落|where|track|status|进度|查一下|查下|什么情况|news|locat|depot|stuck|仓库|中转|躺平",
    "when": r"什么时候|啥时候|何时|多久|几天|哪天|什么时侯|when|how long|how many days|how soon|eta|预计|schedule",
    "waiting": r"还没|还没有|没动静|没到|一直(?!在家)|怎么还|等了|等着|yet|still|waiting|nothing|never (?:got|came|arrived)|not (?:come|arrived|received|shipped|here)|hasn't|haven't|didn't (?:come|arrive)|weeks|催",
    "ship": r"发货|发出|寄出|出库|发火|送达|送到|签收|ship(?:ped|s|ping)?\b|dispatch|sent out|on its way|in transit|arriv|deliver|get here|come to",
    "refund": r"退款|退钱|腿款|退我|退给我|退回(?:来|我|到)|退到|退了没|钱.{0,6}(?:退|还)|refund|refnud|money back|credited|reimburs|my (?:money|cash)|that money|get.{0,12}back.{0,8}money|overpaid",
    "money": r"钱|款|账户|银行|到账|到帐|零钱|money|cash|bank|account balance|sum|credited|paid|pay\b",
    "return": r"退货|退掉|退回去|想退|要退|能退|寄回|退换|推了|不要了|不合适|不喜欢|不满意|无理由|return|retrun|send (?:it|this|them) back|give back|ship it back|post it back|take it back|go back|back to you|not keeping|don'?t (?:want|like) it",
    "unused": r"没拆|未拆|拆开|包装|unopened|original pack|label|吊牌",
    "exchange": r"换货|换(?:成|个|一|大|小|双|台|货)|调换|调成|改换|更换成|以旧换新|补差|exchange|exhcange|swap|trade|replace|instead|rather|another (?:one|model|colou?r|size)|other colou?r|in (?:black|green|blue|red)",
    "size": r"尺码|尺寸|大了|小了|码\b|大号|小号|偏小|偏大|太大|太小|紧|size|too (?:small|big|tight|large)|bigger|smaller|medium|fit\b",
    "colour": r"颜色|黑色|白色|蓝色|红色|粉色|灰|绿色|色的|colou?r|black|white|blue|green|red\b|grey|pink",
    "cancel": r"取消|撤(?:单|销|了|掉)|区消|作废|终止|别发|莫发|不要发|关闭.{0,6}(?:订单|交易)|砍掉|停了|不需要了|不买了|不想买|cancel|cancle|annul|void|withdraw|call off|scrap|pull it|stop (?:the|my|it)|don'?t (?:ship|send)|kill that|take back|changed my mind|no longer need|by mistake|mistake",
    "twice": r"重复|两次|两单|两遍|拍了俩|twice|two times|duplicate|double",
    "address": r"地址|住址|门牌|收货人|收件人|收货信息|收获地址|收货地点|小区|搬家|号楼|改派|送到.{0,8}(?:公司|单位|家|那边|新|这边|姥姥|儿子)|寄到|寄家|address|adress|street|zip|postcode|moved|new (?:place|flat|house)|apartment|redirect|recipient|consignee|warehouse and not|old flat|go to (?:our|my)|to my office",
    "phone": r"电话|手机号|号码|phone|number",
    "change": r"改|变更|修改|更正|换成|调整|编辑|更新|写错|填错|选错|change|edit|update|modify|amend|fix|correct|wrong|wrnog|adjust",
    "add": r"加(?:一|两|到|个|几|点|上)|再(?:添|买|加|给我)|多买|多添|补进|一起(?:寄|发)|一块儿?发|数量|备注|礼盒|分批|拆成|合并|add\b|quantity|one more|more piece|two more|second|increase|make it \d|merge|split|gift note|put two|line \d",
    "damaged": r"坏(?:了|的)|怀了|碎|裂|破|划痕|变形|压扁|漏液|漏了|漏得|漏发|磕|摔|翻车|空包|broken|brokn|crack|crush|smash|dent|shatter|leak|scratch|damag|in (?:\w+ )?pieces|hole\b|defect",
    "missing": r"少(?:了|发|一)|缺(?!货)|漏发|没给全|不全|没找到|没有(?:电源|配件|说明)|一剑|missing|short of|only (?:\w+ )?of|not in the box|half of it|no .{0,12}(?:included|in the box)|parts",
    "wrong_item": r"发错|寄错|错发|货不对|发来(?:的)?|给我发来|不是我(?:买|订)的|wrong (?:item|thing|one|colou?r|product)|isn'?t what i|not what i ordered|someone else",
    "arrived": r"收到|到手|开箱|打开|拆开|到货|到了|arrived|arived|came\b|received|opened|unwrap|on receipt|on arrival",
    "invoice": r"发票|法票|专票|普票|开票|抬头|税号|增值税|票(?=呢|吗|,|报|嘛|$)|开(?:个|张|一下)?(?:票|单子)|要票|报销|报账|红冲|invoice|invioce|receipt(?! of)|on receipt|\bbill\b|bills\b|vat|tax|factura|expense",
    "pay": r"付款|支付|付(?:钱|了|不|尾|定)|扣(?:了|款)|扫码|转账|汇款|对公|信用卡|花呗|分期|刷卡|微信付|货到|现钱|负不了|尾款|定金|待支付|未付款|pay(?:ment|ing|pal)?\b|paid|paymnet|card|visa|declin|charged|checkout|wire|remittance|installment|klarna|transfer|settle|cash on",
    "fail": r"失败|不了|不上|报错|异常|繁忙|转圈|拒绝|不成功|fail|error|won'?t|can'?t|can not|cannot|doesn'?t|didn'?t|isn'?t working|bounc|keeps|refus|pending|didnt",
    "price": r"多少钱|什么价|价格|报价|优惠|便宜|便在宜|打折|折扣|满减|降价|价保|保价|补差|少点|活动|券|涨|贵|会员价|性价|price|cost|how much|discount|discont|cheap|coupon|promo|deal|sale\b|quote|voucher|expensive|off the price|difference|black friday",
    "quote": r"报价|清单|quote|quotation|in the (?:attached )?list",
    "stock": r"有货|有或|库存|现货|补货|缺货|断货|无货|到货通知|卖完|预订|预售|上架|还卖|还有得卖|没抢到|补吗|停产|供货|还有(?:吗|没|货)|好多货|老是没有|暂时无法|stock|sold out|restock|availab|avialable|discontinued|preorder|back in|be back|come back|have (?:it|this) in|got (?:any|this)|carry|left\b|supply|again\?|any more|any longer",
    "product": r"防水|区别|参数|规格|多重|尺寸|材质|续航|电池|噪音|支持|兼容|适合|哪(?:款|个)|推荐|功率|像素|保质期|味道|声音|能(?:放|连|用|不能)|对比|差别|比.{0,6}(?:好|值)|吵不吵|多大|几种|说明书|技术|能效|waterproof|watterproof|difference between|battery last|support|compatible|weigh|heavy|dimension|spec|material|made of|work with|works with|suitable|recommend|which (?:one|of)|better|colou?rs does|does it|is it (?:loud|safe|good|wat)|would this|data sheet|rating|loud|can it|do \dk|volt",
    "warranty": r"保修|报修|质保|过保|联保|在保|维修|送修|寄修|修(?:吗|一|好|不|要|几|哪|多|进)|给修|人修|网点|免费修|上门|保吗|给换吗|个月.{0,6}(?:坏|不|没|异)|年.{0,6}(?:坏|不热|不转)|warrant|warrenty|guarantee|repair|\bfix\b.{0,12}(?:those|it|free)|service cent|covered|stopped after|after (?:a |\w+ )?(?:year|months|month)|months and|died|technician",
    "use": r"怎么(?:连|设|用|装|调|关|恢复|升|清|配|安装|归零)|咋(?:个归|整|弄)|开不了|开不鸟|开机|充不|连不上|没反应|没有声音|死机|闪|断(?:一|连)|蓝牙|配对|wifi|wify|无线网|固件|重置|提示|错误代码|指示灯|关机|安装|调都|沙沙|turn on|turn off|turns|charge\b|pair|bluetooth|bluethooth|reset|firmware|blink|freez|froze|error code|connect|set ?up|install|remote|app\b|flicker|manual|leaflet|button|shut|put the battery|searching|lights",
    "delivery": r"运费|包邮|包油|邮费|自提|送货上门|上楼|搬上|驿站|顺丰|加急|次日|当天|偏远|山区|乡下|镇上|配送|今天就|明天能到|送来|卸货|免运|发什么快递|free ship|free shiping|shipping (?:cost|option|fee)|ship to|courier|abroad|canada|ireland|portugal|island|express|same day|next day|weekend|slot|upstairs|carry it up|second floor|pick (?:it )?up|send to|unload|post office box|evening",
    "account": r"密码|密马|登录|登不|登上|登记|重新登|验证码|注册|注销|账号|帐号|绑|会员(?!价)|积分|实名|昵称|被锁|被盗|进不去|password|pasword|log ?in|login|sign (?:in|up)|account(?!s department| manager| balance)|verif|code\b|locked|points|email|unsubscribe|profile|username|personal data|hacked|threw me out|member",
    "wholesale": r"批发|代理|经销|分销|加盟|合作|框架|年度|长期|大客户|团购|贴牌|定制|起订|供货价|账期|采购|招商|进货|返利|量大|一百|两百|八十套|百台|wholesale|resell|reseller|distribut|dealer|bulk|large quant|partner|cooperat|corporate|volume|framework|yearly|contract|rebate|for sell|our shops|oem|logo|units|minimum order|take like|mats",
    "complaint": r"投诉|头诉|差评|态度|恶劣|骗|消协|12315|失望|欺|曝光|不负责|虚假|太差|太坏|破公司|气死|没人管|没人处理|装死|不满|上点心|说话不算|已读不回|告(?:他|你)|反映|无法接受|凶|complain|complian|terrible|awful|rude|scam|liar|lied|fraud|never (?:buy|again)|worst|disgust|unaccept|one star|disappoint|dissatisf|upset|angry|treated|joke|lawyer|sue\b|serious|hung up|nobody cares|ashamed",
    "human": r"人工|转人|真人|活人|客服(?!态)|专员|坐席|经理|机器人|接线|回电|打电话给我|找(?:个|一个)人|喊个人|工作人员|妹子|姑娘跟|human|humen|person\b|agent|representative|operator|someone|somebody|manager|bot\b|robot|call me|real one|speak (?:to|with)|talk (?:to|with)|automated|with a brain",
    "greeting": r"你好|您好|你号|谢|蟹|多谢|再见|拜拜|早上好|晚上好|在吗|在不|哈喽|收到|明白|辛苦|好的|好嘞|要得|hi\b|hello|helo|hey|thank|thnaks|thx|\bty\b|cheers|bye|good (?:morning|evening|afternoon)|\byo\b|perfect|awesome|appreciate|star\b|got it|understood",
    "world": r"天气|下雨|下鱼|限行|会议室|年假|笑话|诗|翻译|电影|代码|python|股票|历史|朝|首都|作业|高数|四级|火锅|医院|儿科|孩子|膝盖|失眠|部门|预算|差旅|销售额|合同|航班|高铁|机票|火车|酒店|健身|护照|闹钟|音乐|灯(?!效)|写一|起草|感谢信|文章|世界|几度|好多度|吃什么|修鞋|多少号|哪一天|weather|wether|rain|poem|joke|capital|translate|movie|president|vacation|meeting room|budget|equation|python|recipe|cook|flight|train\b|hotel|gym membership|passport|savings|pizza|tap in|news|stock market|doctor|fever|wedding|puppy|hike|television|bus goes|flower|neighbou?r|government|department|sales of|music|alarm|restaurant|trip|planet|universe",
}
CONCEPTS: Mapping[str, re.Pattern[str]] = {n: re.compile(p) for n, p in _WORDS.items()}


def concepts(plain: str) -> list[str]:
    """Names of those in a text that is folded, sorted."""
    return sorted(n for n, p in CONCEPTS.items() if p.search(plain))
