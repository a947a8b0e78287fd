"""Settings as they are in use, for people: where each came from, and nothing that is secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dazi.audit.days import checked_days
from dazi.console.system import SettingView, Source
from dazi.core.errors import DaziError
from dazi.core.language import Text
from dazi.main.setting_texts import TEXTS
from dazi.main.settings import Settings

SECRET = frozenset(
    {
        "database", "backup_passphrase", "api_key", "hub_token", "embedding_key", "rerank_key",
        "milvus_url", "milvus_token", "weights_key", "weights_key_command", "redis", "metrics_token", "otlp_headers",
    }
)  # fmt: skip
"""Passwords and keys, and addresses and commands that may hold them."""
UNTOLD = Text("", "")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


def views(settings: Settings, environment: Mapping[str, str]) -> Iterator[SettingView]:
    """In the order of their declaration. ``environment``: what the process was started with."""
    given = {name.upper() for name in environment}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        secret = name in SECRET
        source: Source = "default"
        if name in settings.model_fields_set:
            named = f"DAZI_{name.upper()}" in given
            source = "environment" if named and _same(settings, name, environment) else "option"
        yield SettingView(
            f"DAZI_{name.upper()}",
            "" if secret else shown(value),
            "" if secret else shown(field.get_default()),
            source,
            TEXTS.get(name, UNTOLD),
            secret,
            bool(value),
        )


def shown(value: object) -> str:
    """Without a password that an address may hold."""
    return "" if value is None else _CREDENTIALS.sub("…@", str(value))


def wrong(name: str, text: str) -> Text | None:
    """What the start would say if the variable ``name`` were ``text``."""
    field = name.removeprefix("DAZI_").lower()
    if field not in Settings.model_fields:
        return Text(f"没有设置 {name}", f"there is no setting {name}")
    try:
        value = getattr(Settings(**{field: _read(field, text)}), field)
        if field == "audit_days":
            checked_days(value, name)
    except ValidationError as e:
        said = e.errors()[0]["msg"]
        return Text(f"{name}: 设置不对:{said}", f"{name}: wrong setting: {said}")
    except DaziError as e:
        return e.text
    return None


def _same(settings: Settings, name: str, environment: Mapping[str, str]) -> bool:
    """Whether the variable is what is in use: an option of the command would have won."""
    text = next(v for k, v in environment.items() if k.upper() == f"DAZI_{name.upper()}")
    try:
        return bool(_read(name, text) == getattr(settings, name))
    except ValidationError:
        return False


def _read(name: str, text: str) -> Any:
    """As it is read from a variable. Raises ``ValidationError``."""
    field = Settings.model_fields[name]
    adapter: TypeAdapter[Any] = TypeAdapter(field.annotation or str)
    return adapter.validate_python(text)


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k.upper().startswith("DAZI_")}
