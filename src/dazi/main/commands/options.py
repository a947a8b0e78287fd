"""Options that many commands share, and what they make of them."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from dazi.core.errors import ConfigError
from dazi.core.language import Language
from dazi.main.settings import Settings

Company = Annotated[
    Path | None, typer.Option("--company", help="公司目录,默认当前目录或演示公司。Company folder.")
]
Today = Annotated[
    datetime | None,
    typer.Option("--today", formats=["%Y-%m-%d"], help="固定日期。Freeze the date."),
]
Model = Annotated[
    str, typer.Option("--model", help="模型名、目录、GGUF 或 URL。Name, folder, GGUF or URL.")
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")]
User = Annotated[
    str,
    typer.Option(
        "--as", help="以哪个用户的身份,默认第一个。As which user; the first one if not given."
    ),
]
ShowContext = Annotated[
    bool,
    typer.Option("--show-context", help="回答后列出给了模型什么。List what the model was given."),
]


def language() -> Language:
    """The language of messages: ``DAZI_LANG``, else the locale, else Chinese."""
    tag = os.environ.get("DAZI_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "en" if tag.lower().startswith("en") else "zh"


def settings(
    company: Path | None = None, today: datetime | None = None, model: str = "", **more: Any
) -> Settings:
    given: dict[str, Any] = {k: v for k, v in more.items() if v is not None}
    if company is not None:
        given["company"] = company
    if today is not None:
        given["today"] = today.date()
    if model:
        given["model"] = model
    try:
        return Settings(**given)
    except ValidationError as e:
        first = e.errors()[0]
        name = "DAZI_" + "_".join(map(str, first["loc"])).upper()
        raise ConfigError(
            name, None, f"设置不对:{first['msg']}", f"wrong setting: {first['msg']}"
        ) from None
