"""What a password must be like (GB/T 22239-2019, 8.1.4.1 a) and NIST SP 800-63B, 3.1.1.2)."""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
from dataclasses import dataclass

from dazi.core.errors import CallerError

LONGEST = 128
"""Characters. Hashing is paid for by whoever sends the password, up to here."""
FEWEST_DIFFERENT = 5

_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_LOOKS_LIKE = str.maketrans("@4013$57!", "aaoiessti")
_WORDS = """
password passwort passw passwd qwerty qwertyuiop asdfghjkl zxcvbnm qazwsx qazwsxedc admin
administrator root welcome letmein iloveyou woaini woaiwojia dragon monkey master sunshine princess
football baseball superman batman shadow michael changeme default guest login secret test testing
temp temporary user company dazi mima huanying abc abcd abcde abcdef abcdefg abcdefgh pass system
oracle mysql postgres server manager spring summer autumn winter january february march april june
july august september october november december monday tuesday wednesday thursday friday saturday
sunday beijing shanghai china zhongguo hello helloworld trustno whatever starwars computer internet
"""
_COMMON = frozenset(_WORDS.split())
_ALPHABETS = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=%")


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """``classes``: of lower case, upper case, digits and others, so many. ``max_age_days``: after
    that a new one is asked for (0: never). ``remembered``: so many earlier ones may not come back.
    ``initial_days``: how long a one-time password may wait for its first use."""

    min_length: int = 10
    classes: int = 3
    max_age_days: float = 90.0
    remembered: int = 5
    initial_days: float = 7.0


def normal(password: str) -> str:
    """The same characters from every keyboard (RFC 8265, 4.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, user: str, rules: PasswordRules) -> None:
    """Raises ``CallerError`` saying what is wrong with it."""
    if len(password) < rules.min_length:
        raise _weak(
            f"密码至少 {rules.min_length} 个字符",
            f"a password has at least {rules.min_length} characters",
        )
    if len(password) > LONGEST:
        raise _weak(f"密码最多 {LONGEST} 个字符", f"a password has at most {LONGEST} characters")
    if sum(_classes(password)) < rules.classes:
        raise _weak(
            f"密码要有小写字母、大写字母、数字、符号中的 {rules.classes} 种",
            f"a password has {rules.classes} of: lower case, upper case, digits, symbols",
        )
    folded, named = password.casefold(), user.casefold()
    # A name of two letters stands in any password by chance.
    if len(named) > 2 and (named in folded or folded in named):
        raise _weak("密码里不能有用户名", "a password may not hold the user name")
    if common(password) or len(set(folded)) < FEWEST_DIFFERENT:
        raise _weak("这个密码太常见,容易猜到", "this password is too common")


def common(password: str) -> bool:
    """A word that many people use, whatever stands around it or for its letters."""
    folded = password.casefold()
    plain = re.sub(r"[^a-z]", "", folded)
    read = folded.strip(string.digits + string.punctuation).translate(_LOOKS_LIKE)
    return plain in _COMMON or re.sub(r"[^a-z]", "", read) in _COMMON


def make_initial() -> str:
    """A random password of 16 characters from all classes, without those that look alike: 90
    bits."""
    while True:
        made = "".join(secrets.choice("".join(_ALPHABETS)) for _ in range(16))
        if all(any(c in alphabet for c in made) for alphabet in _ALPHABETS):
            return made


def _classes(password: str) -> tuple[bool, ...]:
    known = tuple(bool(c.search(password)) for c in _CLASSES)
    return (*known, any(not (c.isascii() and c.isalnum()) for c in password))


def _weak(zh: str, en: str) -> CallerError:
    return CallerError("weak_password", zh, en)
