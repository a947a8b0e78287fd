"""Words of the page of planning."""

from __future__ import annotations

from dazi.core.language import Text

PLAN = Text("规划", "Planning")
HINT = Text(
    "显存、几块卡、最快多快、三年多少钱。价格都是假设,换成您自己的;与 dazi plan 算得一样。",
    "Memory, cards, speed at most and three years' cost. Prices are assumptions: give your own. "
    "The same figures as dazi plan.",
)
FORBIDDEN = Text("规划是给管理员用的。", "Planning is for administrators.")

GROUPS = {
    "model": Text("模型和显卡", "Model and cards"),
    "load": Text("一天的量", "A day's load"),
    "price": Text("价格(元)", "Prices (yuan)"),
}
LABELS = {
    "model": Text("模型", "Model"),
    "precision": Text("精度", "Precision"),
    "gpu": Text("显卡", "Card"),
    "context": Text("每个请求多少词元", "Tokens of a request"),
    "concurrency": Text("同时多少个请求", "Requests at once"),
    "half_cache": Text("缓存用 8 位", "Cache in 8 bits"),
    "requests": Text("一天多少次", "Requests a day"),
    "read": Text("一次读多少词元", "Tokens read by one"),
    "written": Text("一次写多少词元", "Tokens written by one"),
    "gpu_price": Text("买一块卡,含机器", "A card with its machine"),
    "gpu_hour": Text("租一小时,0 为买", "Rent an hour, 0: bought"),
    "kwh": Text("一度电", "A kWh"),
    "pue": Text("PUE(机房 / 机器)", "PUE (house / machine)"),
    "staff": Text("运维的人一年", "People, a year"),
    "api_read": Text("API 读一百万词元", "API, a million read"),
    "api_written": Text("API 写一百万词元", "API, a million written"),
}
NOT_WHOLE = Text("要一个整数,例如 8192", "a whole number is needed, such as 8192")
NOT_NUMBER = Text("要一个数,例如 0.8", "a number is needed, such as 0.8")
STALE = Text(
    "有数字要改:下面还是改之前的结果。",
    "Something in the form is wrong: what is below is from before.",
)

MEMORY = Text("显存 GB", "Memory GB")
CARDS = Text("几块卡", "Cards")
ALONE = Text("一个请求,词元/秒,上限", "One request, tokens/s at most")
TOGETHER = Text("一起,词元/秒,上限", "All together, tokens/s at most")
YEARS = Text("三年,万元", "Three years, 10,000 yuan")
THOUSAND = Text("每千次,元", "A thousand requests, yuan")

STACK = Text("显存放得下吗(GB)", "Does it fit? (GB)")
STACK_HINT = Text(
    "每种精度、几种并发;竖线是一块卡的九成,和放得下所选的几块。",
    "Each precision, some numbers of requests at once; lines: nine tenths of one card, and of those that hold "
    "what was chosen.",
)
WEIGHTS = Text("权重", "weights")
CACHE = Text("缓存", "cache")
REST = Text("其余", "rest")
CARD = Text("{n} 块", "cards: {n}")

ROOF = Text("最快多快(词元/秒)", "How fast at most (tokens/s)")
ROOF_HINT = Text(
    "硬件的上限(屋顶线),没有软件能超过;点是别人公布的实测(1,000 个请求一起,bf16,一块卡),要和细线比。",
    "The hardware's limit (roofline), which no software passes. Points were measured and published by others "
    "(1,000 requests at once, bf16, one card): compare them with the thin line.",
)
NONE_PUBLISHED = Text(
    "这个模型在这种卡上,我们不知道有公布的实测。",
    "We know of no published measurement of this model on this card.",
)
BOUND = Text("上限:{tokens:,} 词元,{gpus} 块", "limit: {tokens:,} tokens, cards: {gpus}")
BOUND_SHORT = Text(
    "上限:约 {tokens} 词元,bf16,1 块", "limit: about {tokens} tokens, bf16, cards: 1"
)
ROOM = Text("放得下 {n}", "room for {n}")
AT_ONCE = Text("同时的请求", "requests at once")

COURSE = Text("三年里花的钱(万元)", "Spent in three years (10,000 yuan)")
COURSE_HINT = Text(
    "自己的机器和 API,从开始累计。", "One's own machines and an API, from the beginning."
)
OWN = Text("自己的机器", "own machines")
API = Text("API", "API")
EVEN_AT = Text("第 {n:.1f} 个月持平", "even after {n:.1f} months")
EVEN_NOT = Text("三年内不持平:API 便宜", "not even within three years: an API is cheaper")
EVEN_FIRST = Text("从一开始就是自己的机器便宜", "own machines are cheaper from the start")
MONTH = Text("月", "months")

RATES = Text("每千次多少钱(元)", "A thousand requests (yuan)")
RATES_HINT = Text(
    "一天的量不同,要的卡也不同;点是所选的量。",
    "Another load takes other cards; the point is the load chosen.",
)
A_DAY = Text("一天的请求", "requests a day")
CHOSEN = Text("所选", "chosen")
RATE = Text(
    "一天 {requests:,} 次:{gpus:,} 块卡,每千次 {own:,.2f},API {api:,.2f}",
    "{requests:,} a day: cards {gpus:,}, a thousand for {own:,.2f}, by an API for {api:,.2f}",
)

FIGURES = Text("逐项", "Line by line")
COMMAND = Text("命令行里这样算", "On the command line")
