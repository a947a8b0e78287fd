"""What people want of a service desk: the categories of tickets."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

OTHER = "other"
INTENTS: Mapping[str, Text] = {
    "order_status": Text("订单到哪了", "where is my order"),
    "refund": Text("退款", "refund"),
    "return": Text("退货", "return"),
    "exchange": Text("换货", "exchange"),
    "cancel": Text("取消订单", "cancel an order"),
    "change_address": Text("改收货地址", "change the address"),
    "change_order": Text("改订单内容", "change an order"),
    "damaged": Text("破损、错发、少件", "damaged, wrong or missing goods"),
    "invoice": Text("发票", "invoice"),
    "payment": Text("付款", "payment"),
    "price": Text("价格与优惠", "price and offers"),
    "stock": Text("有没有货", "stock"),
    "product": Text("商品咨询", "product question"),
    "warranty": Text("保修与维修", "warranty and repair"),
    "usage": Text("使用与故障", "use and troubleshooting"),
    "delivery": Text("配送方式与费用", "delivery options and cost"),
    "account": Text("账号", "account"),
    "wholesale": Text("批发与合作", "wholesale and partnership"),
    "complaint": Text("投诉", "complaint"),
    "human": Text("要人工", "wants a person"),
    "greeting": Text("问候、感谢", "greeting, thanks"),
    OTHER: Text("其他", "other"),
}
