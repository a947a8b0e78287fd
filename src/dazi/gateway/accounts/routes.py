"""The routes of signing in and of administration."""

from __future__ import annotations

from dazi.gateway.accounts import administration as admin
from dazi.gateway.accounts import bodies, signing_in
from dazi.gateway.route_spec import RouteSpec

_SIGN_IN = (400, 401, 413, 429, 503)
_ADMIN = (400, 401, 403, 404, 413, 503)

ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec(
        "POST", "/v1/dazi/sign-in", signing_in.sign_in, "登录 / sign in",
        bodies.SessionView, bodies.SignIn, _SIGN_IN, entry="public",
    ),
    RouteSpec(
        "POST", "/v1/dazi/sign-in/code", signing_in.code, "验证码 / a second factor's code",
        bodies.SessionView, bodies.Code, _SIGN_IN, entry="step",
    ),
    RouteSpec(
        "POST", "/v1/dazi/sign-in/enrolment", signing_in.enrol,
        "绑定两步验证 / set up a second factor", bodies.EnrolmentView, None, (400, 401),
        entry="step",
    ),
    RouteSpec(
        "POST", "/v1/dazi/sign-in/password", signing_in.password, "换密码 / a new password",
        bodies.SessionView, bodies.NewPassword, _SIGN_IN, entry="step",
    ),
    RouteSpec(
        "POST", "/v1/dazi/sign-out", signing_in.sign_out, "退出登录 / sign out",
        bodies.Done, None, (401,), entry="step",
    ),
    RouteSpec(
        "GET", "/v1/dazi/users", admin.accounts, "账号 / accounts", bodies.Accounts, None, _ADMIN,
        entry="session",
    ),
    RouteSpec(
        "POST", "/v1/dazi/users", admin.create_account, "新建账号 / make an account",
        bodies.NewAccountView, bodies.NewAccount, _ADMIN, entry="session",
    ),
    RouteSpec(
        "GET", "/v1/dazi/users/{user}", admin.account, "一个账号 / one account",
        bodies.AccountView, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "PATCH", "/v1/dazi/users/{user}", admin.edit_account,
        "修改、停用、启用 / edit, disable, enable", bodies.AccountView, bodies.AccountEdit, _ADMIN,
        entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/users/{user}", admin.delete_account, "删除账号 / delete an account",
        bodies.Done, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "POST", "/v1/dazi/users/{user}/password", admin.reset_password,
        "换成一次性密码 / a one-time password", bodies.OneTimePassword, None, _ADMIN,
        entry="session",
    ),
    RouteSpec(
        "GET", "/v1/dazi/users/{user}/lock", admin.lock,
        "错太多被锁到什么时候 / until when wrong guesses have locked them out", bodies.LockView,
        None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/users/{user}/lock", admin.unlock,
        "解锁 / end the pause after wrong guesses", bodies.Done, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/users/{user}/second-factor", admin.reset_second_factor,
        "重置两步验证 / forget the second factor", bodies.Done, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "GET", "/v1/dazi/users/{user}/sessions", admin.sessions, "会话 / sessions",
        bodies.OpenSessions, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/users/{user}/sessions", admin.end_sessions,
        "结束全部会话 / end all sessions", bodies.Ended, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/users/{user}/sessions/{session}", admin.end_session,
        "结束一个会话 / end one session", bodies.Ended, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "GET", "/v1/dazi/users/{user}/keys", admin.keys_of, "某人的密钥 / somebody's keys",
        bodies.Keys, None, _ADMIN, entry="session",
    ),
    RouteSpec(
        "POST", "/v1/dazi/users/{user}/roles", admin.change_roles,
        "给、收回角色 / give or take roles", bodies.RoleOutcome, bodies.RolesChange, _ADMIN,
        entry="session",
    ),
    RouteSpec(
        "GET", "/v1/dazi/role-requests", admin.role_requests,
        "等待确认的角色申请 / roles that wait for a word", bodies.RoleRequests, None, _ADMIN,
        entry="session",
    ),
    RouteSpec(
        "POST", "/v1/dazi/role-requests/{request}", admin.decide_role_request,
        "确认或不同意 / confirm or decline", bodies.RoleRequestView, bodies.Confirmation, _ADMIN,
        entry="session",
    ),
    RouteSpec(
        "GET", "/v1/dazi/keys", admin.own_keys, "自己的密钥 / one's own keys", bodies.Keys, None,
        _ADMIN, entry="session",
    ),
    RouteSpec(
        "POST", "/v1/dazi/keys", admin.create_key, "做一个密钥 / make a key", bodies.KeyView,
        bodies.NewKey, _ADMIN, entry="session",
    ),
    RouteSpec(
        "DELETE", "/v1/dazi/keys/{key}", admin.revoke_key, "吊销密钥 / revoke a key", bodies.Done,
        None, _ADMIN, entry="session",
    ),
)  # fmt: skip
