"""How many days records are kept, told without a database.

The floor of 184 days is six months at their longest, as the Cybersecurity Law of China (article 21)
asks for network logs.
"""

from __future__ import annotations

from dazi.core.errors import ConfigError

DEFAULT_DAYS = 365
FLOOR_DAYS = 184


def checked_days(days: int, where: str) -> int:
    """``days`` if they may be. Raises ``ConfigError``; ``where``: the option or setting."""
    if days < FLOOR_DAYS:
        raise ConfigError(
            where,
            None,
            f"审计至少保留 {FLOOR_DAYS} 天,{days} 不行;默认 {DEFAULT_DAYS}",
            f"audit records are kept for {FLOOR_DAYS} days at least, not {days}; "
            f"the default is {DEFAULT_DAYS}",
        )
    return days
