"""The model hubs: where they are, and how a model there is named.

The host names of the public hubs stand here and nowhere else. Both are reached only by ``dazi model
add``, and only when a person types it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from dazi.core.errors import CallerError, ConfigError
from dazi.net import EgressForbidden, Origin, Rule

Dialect = Literal["huggingface", "modelscope"]
PUBLIC: dict[Dialect, str] = {
    "huggingface": "https://huggingface.co",
    "modelscope": "https://www.modelscope.cn",
}
LATEST: dict[Dialect, str] = {"huggingface": "main", "modelscope": "master"}
"""The revision that is meant where none is named."""
OFF = "off"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}", re.ASCII)
_FILES = (".gguf", ".safetensors", ".xml", ".bin", ".json")


@dataclass(frozen=True, slots=True)
class Hub:
    """``base``: its URL, without a slash at the end. ``files_at``: further origins in the house to
    which it may send for files. ``token``: for models that ask for one; it goes to ``base`` only."""

    dialect: Dialect
    base: str
    token: str = field(default="", repr=False)
    files_at: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        public = next((d for d, base in PUBLIC.items() if base == self.base), None)
        return {"huggingface": "Hugging Face", "modelscope": "ModelScope", None: self.base}[public]

    @property
    def origin(self) -> Origin:
        return Origin.of(self.base)


def hub_of(text: str, *, token: str = "", files_at: tuple[str, ...] = ()) -> Hub:
    """``huggingface``, ``modelscope``, or the URL of a mirror, which speaks as Hugging Face does
    unless ``modelscope:`` stands before it.

    Raises ``CallerError`` where hubs are switched off, and ``ConfigError`` for what is no hub, or
    where a token would be sent without encryption.
    """
    for place in files_at:
        try:
            Origin.of(place)
        except ValueError as e:
            raise ConfigError(
                "DAZI_HUB_FILES",
                None,
                f"{place} 不是 http(s) 网址",
                f"{place} is no http(s) URL",
            ) from e
    text = text.strip().rstrip("/")
    if text == OFF:
        raise CallerError(
            "hub_off",
            "这里不允许从模型站下载（DAZI_HUB=off）。请让管理员改这个设置，或把模型文件拷进来。",
            "Downloads from model hubs are switched off here (DAZI_HUB=off). Ask the operator to "
            "change that, or copy the model's files in.",
        )
    for dialect, base in PUBLIC.items():
        if text == dialect:
            return Hub(dialect, base, token, files_at)
    told = next((d for d in PUBLIC if text.startswith(f"{d}:")), None)
    base = text.removeprefix(f"{told}:") if told else text
    try:
        url = Rule().check_url(base)
    except EgressForbidden as e:
        raise ConfigError(
            "DAZI_HUB",
            None,
            f"{text} 不是模型站：写 huggingface、modelscope，或镜像的网址（{e.text.zh}）",
            f"{text} is no model hub: write huggingface, modelscope, or the URL of a mirror "
            f"({e.text.en})",
        ) from e
    if token and url.scheme != "https" and not Origin.of(url).local:
        raise ConfigError(
            "DAZI_HUB_TOKEN",
            None,
            f"不会把令牌不加密地发给 {base}；请用 https，或去掉令牌",
            f"the token is not sent to {base} without encryption; use https, or leave it out",
        )
    return Hub(told or "huggingface", base, token, files_at)


def repo_of(text: str) -> str | None:
    """The model's name at a hub, ``OWNER/NAME``, if ``text`` is one and not the name of a file."""
    named = _REPO.fullmatch(text) and not text.endswith((".", *_FILES)) and ".." not in text
    return text if named else None


def checked_revision(hub: Hub, revision: str) -> str:
    """``revision``, or the latest. Raises ``CallerError`` for what is no branch, tag or commit."""
    if not revision:
        return LATEST[hub.dialect]
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise CallerError(
            "hub_revision",
            f"{revision} 不是版本：请写分支、标签或提交的名字。",
            f"{revision} is no revision: write the name of a branch, a tag or a commit.",
        )
    return revision
