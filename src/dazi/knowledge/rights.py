"""Who may read a document: labels on the document, and labels that a person has.

``all`` is everybody of the tenant; ``role:R`` whoever has the role, by inclusion too;
``department:D`` whose account says so; ``user:U`` one person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dazi.core.errors import CallerError
from dazi.core.principal import Principal

ALL = "all"
EVERYBODY = frozenset({ALL})
KINDS = ("role", "department", "user")
MOST = 200
"""Labels of one document."""
LONGEST = 200
"""Characters of a label."""


def labels_of(principal: Principal) -> frozenset[str]:
    """All labels that ``principal`` has."""
    department = principal.attributes.get("department", "")
    named = {f"department:{department}"} if department else set()
    roles = {f"role:{role}" for role in principal.roles}
    return frozenset({ALL, f"user:{principal.user}"} | roles | named)


def readers_of(labels: Iterable[str], roles: Collection[str]) -> frozenset[str]:
    """Labels as somebody wrote them down, checked. ``roles``: those that the company has.

    Raises ``CallerError`` for what is no label, for a role that does not exist, and for none at all.
    """
    found = frozenset(label.strip() for label in labels if label.strip())
    if not found:
        raise _wrong(
            "没有写谁可以看;所有人都可以看就写 all",
            "nobody is named who may read it; write all for everybody",
        )
    if len(found) > MOST or any(len(label) > LONGEST for label in found):
        raise _wrong(
            f"最多写 {MOST} 个,每个最多 {LONGEST} 个字符",
            f"at most {MOST} labels of at most {LONGEST} characters",
        )
    for label in sorted(found - EVERYBODY):
        kind, colon, name = label.partition(":")
        if kind not in KINDS or not colon or not name.strip():
            raise _wrong(
                f"看不懂 “{label}”;写 all、role:角色、department:部门 或 user:用户名",
                f"“{label}” is not understood; write all, role:ROLE, department:NAME or user:NAME",
            )
        if kind == "role" and name not in roles:
            known = ", ".join(sorted(roles))
            raise _wrong(
                f"没有角色 “{name}”;可用:{known}", f"there is no role “{name}”; known: {known}"
            )
    return found


def _wrong(zh: str, en: str) -> CallerError:
    return CallerError("readers", zh, en)
