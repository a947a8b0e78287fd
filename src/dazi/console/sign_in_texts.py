"""Every word of signing in, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.core.language import Text

SIGN_IN = Text("登录", "Sign in")
SIGN_IN_AS = Text("以演示用户身份进入", "Enter as a demo user")
SIGN_IN_HINT = Text(
    "每个角色能做的事不同;点一下即可登录。",
    "Each role may do different things; one click signs you in.",
)
SIGN_IN_FORM = Text("用户名和密码登录", "Sign in with user name and password")
SIGN_IN_AT = Text("用 {provider} 登录", "Sign in with {provider}")
CHANNELS = {"wecom": Text("企业微信", "WeCom"), "dingtalk": Text("钉钉", "DingTalk")}
USER = Text("用户名", "User name")
PASSWORD = Text("密码", "Password")
CONTINUE = Text("继续", "Continue")
START_OVER = Text("重新登录", "Start over")

CODE = Text("验证码", "Code")
CODE_TITLE = Text("两步验证", "Second factor")
CODE_HINT = Text(
    "输入验证器应用里的 6 位数字;手机不在身边时,输入一个恢复码。",
    "Enter the six digits of your authenticator app, or a recovery code if you have no phone at hand.",
)
ENROL_TITLE = Text("绑定两步验证", "Set up your second factor")
ENROL_HINT = Text(
    "您的角色要求两步验证。用验证器应用扫描二维码(或手工输入密钥),再输入它给出的 6 位数字。",
    "Your role needs a second factor. Scan the code with an authenticator app (or type the secret), "
    "then enter the six digits it shows.",
)
ENROL_SECRET = Text("密钥", "Secret")
ENROL_RECOVERY = Text(
    "恢复码:只显示这一次,每个只能用一次,请收好。",
    "Recovery codes: shown once, each good for one use. Keep them safe.",
)
NEW_TITLE = Text("设置新密码", "Choose a new password")
NEW_HINT = Text(
    "至少 {length} 个字符,小写字母、大写字母、数字、符号中的 {classes} 种,不含用户名,不能太常见。",
    "At least {length} characters, {classes} of lower case, upper case, digits and symbols, "
    "without your user name, and none that many people use.",
)
NEW_PASSWORD = Text("新密码", "New password")
NEW_AGAIN = Text("再输一次", "Once more")

ERRORS: Mapping[str, Text] = {
    "sign_in": Text("用户名或密码不对,请重试。", "Wrong user name or password; please try again."),
    "origin": Text(
        "登录请求来自别的网站,已拒绝;请从本页登录。",
        "The request came from another site and was refused; please sign in from this page.",
    ),
    "loopback": Text(
        "演示用户只能通过本机地址(如 http://127.0.0.1)登录。",
        "Demo users can sign in through a loopback address only (such as http://127.0.0.1).",
    ),
    "ended": Text("登录已失效,请重新登录。", "You have been signed out; please sign in again."),
    "session": Text("登录已过期,请重新登录。", "The sign-in has expired; please start over."),
    "code": Text("验证码不对或已用过。", "The code is wrong or was used before."),
    "locked": Text(
        "错误次数太多,请 {minutes} 分钟后再试。",
        "Too many wrong guesses; try again in {minutes} minutes.",
    ),
    "busy": Text(
        "登录的人太多,请稍后再试。", "Too many people are signing in; please try again soon."
    ),
    "unavailable": Text(
        "现在无法登录:公司的身份目录或本系统的数据库不可用,请联系管理员。",
        "Signing in is not possible now: the company's directory or our database cannot be reached. "
        "Tell the administrator.",
    ),
    "no_account": Text(
        "您在这里没有账号,请联系系统管理员。",
        "You have no account here; ask a system administrator.",
    ),
    "oidc": Text(
        "统一登录没有完成,请重试。",
        "Signing in at the provider did not complete; please try again.",
    ),
    "public_url": Text(
        "统一登录要求设置 DAZI_PUBLIC_URL,请联系管理员。",
        "Signing in at a provider needs DAZI_PUBLIC_URL; tell the administrator.",
    ),
    "different": Text("两次输入的密码不一样。", "The two passwords differ."),
    "weak_password": Text(
        "这个密码不符合要求:{why}", "This password does not meet the rules: {why}"
    ),
}
