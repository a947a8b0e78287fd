"""What is posted over HTTP: to one URL, checked, and answered in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from dazi.core.language import Text
from dazi.net import Egress, EgressForbidden, Rule
from dazi.ops.alerts.notify import NotSent

ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    status: int
    body: bytes

    def json(self) -> Mapping[str, object]:
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return found if isinstance(found, dict) else {}


async def post(url: str, body: bytes, headers: Mapping[str, str], *, to: str = "") -> Posted:
    """``to``: the configured address, where ``url`` carries a secret besides. Raises ``NotSent``, which
    never repeats the URL."""
    try:
        egress = Egress(Rule.to(to or url))
    except ValueError:
        raise NotSent(Text("网址不对", "not a URL"), again=False) from None
    try:
        async with egress.request("POST", url, data=body, headers=dict(headers)) as response:
            read = await response.content.read(ANSWER_BYTES)
            found = Posted(response.status, read)
    except EgressForbidden as e:
        raise NotSent(e.text, again=False) from None
    except aiohttp.ClientConnectorError as e:
        if isinstance(e.os_error, EgressForbidden):
            raise NotSent(e.os_error.text, again=False) from None
        raise NotSent(Text("连不上", "cannot be reached")) from None
    except (aiohttp.ClientError, OSError, ValueError) as e:
        name = type(e).__name__
        raise NotSent(Text(f"连不上({name})", f"cannot be reached ({name})")) from None
    finally:
        await egress.close()
    if not 200 <= found.status < 300:
        again = found.status >= 500 or found.status in (408, 429)
        said = Text(f"回了 {found.status}", f"answered {found.status}")
        raise NotSent(said, again=again)
    return found
