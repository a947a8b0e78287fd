"""Where vendors are reached, unless ``channels.yaml`` says otherwise (a private deployment)."""

from __future__ import annotations

WECOM_API = "https://qyapi.weixin.qq.com"
WECOM_AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
"""Inside WeCom's own browser."""
DINGTALK_API = "https://api.dingtalk.com"
DINGTALK_OLD_API = "https://oapi.dingtalk.com"
"""Where answers by session webhook and the directory are."""
