"""Texts out of pieces that matter to recognisers, put together blindly."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.guard.generate import MAKERS

_PIECES = ["1", "13", "138", "0013", "8000", "13812345678", "110101", "19900307", "4610", "110101199003074610", "6222", "0212", "3456", "7890", "128", "6222021234567890128", "X", "x", "-", "—", "·", ".", "/", "(", ")", "（", "）", "+86", "0086", "86", "010", "021", "0755", "400", "转", "分机", "ext.", "8001", "京", "A", "京A", "12345", "D1234", "学", "挂", "使", "领", "沪A·", "E", "G", "H", "E12345678", "护照", "通行证", "身份证", "账号", "对公账号", "卡号", "电话", "手机", "传真", "订单号", "编号", "版本", "v", "密码", "口令", "是", "为", "：", ":", "=", '"', "password", "token", "api_key", "Bearer", "Authorization", "sk-", "ghp_", "AKIA", "eyJ", "abcDEF123456", "MIIE", "@", "a@b", "zhang", ".com", ".cn", "公司", "例子", ".公司", "://", "root", "192.168.1.1", "10.", "::", "fe80", ":1", "姓名", "联系人", "收件人", "张", "三", "李四", "经理", "法人代表", "浙江省", "杭州市", "西湖区", "文三路", "478号", "3号楼", "502室", "A座", "12-3-402", "地址", "地址：", "大厦", "路", "号", "，", "。", "的", "在", "我", "１", "３", "８", "Ａ", "＠", "😀", "𝟏", "①", "人", "名", "Name", "元", "%", "年", "月", "日", "2024", "2024-03-15", "14:30:25", "https", "key", "secret"]  # fmt: skip
PIECES = [*_PIECES, " ", "  ", "\n", "\t", "\u200b", "\ufeff", "\u3000", "Bearer ", " is ",
          "-----BEGIN RSA PRIVATE KEY-----", "Name: John Smith"]  # fmt: skip


def texts(seed: int, n: int) -> Iterator[str]:
    r = random.Random(seed)
    makers = list(MAKERS.values())
    for _ in range(n):
        yield "".join(
            r.choice(PIECES) if r.random() < 0.9 else r.choice(makers)(r)
            for _ in range(r.randrange(1, 30))
        )
