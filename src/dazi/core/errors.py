"""Errors say who must act: the caller, the model, a person, or the operator.

Every error carries a stable ``code`` and its text in both languages; rooms raise them, and only
``gateway`` and ``console`` turn them into status codes.
"""

from __future__ import annotations

from pathlib import Path

from dazi.core.language import Language, Text


class DaziError(Exception):
    """Base of all errors of this project."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.text = Text(zh, en)

    def message(self, language: Language) -> str:
        return self.text(language)


class CallerError(DaziError):
    """The request is wrong; the caller can mend it."""


class AccessError(DaziError):
    """The caller is not known, or may not do this."""


class NotFound(DaziError):
    """The thing does not exist, or not for this caller (the two look the same on purpose)."""


class ModelError(DaziError):
    """The model proposed something unusable; the text goes back to the model.

    ``parameter`` names the one that is missing or wrong, if it is one.
    """

    def __init__(self, code: str, zh: str, en: str, parameter: str = "") -> None:
        super().__init__(code, zh, en)
        self.parameter = parameter


class OverloadError(DaziError):
    """Too much at once; try again after ``retry_after`` seconds."""

    def __init__(self, code: str, zh: str, en: str, retry_after: float = 1.0) -> None:
        super().__init__(code, zh, en)
        self.retry_after = retry_after


class OperatorError(DaziError):
    """The installation is broken (model, database, disk); an operator must act."""


class ConfigError(OperatorError):
    """A company folder or setting is wrong: where it is, and how to mend it."""

    def __init__(self, where: Path | str, line: int | None, zh: str, en: str) -> None:
        self.where = str(where)
        self.line = line
        place = f"{where}:{line}" if line else str(where)
        super().__init__("config", f"{place}: {zh}", f"{place}: {en}")


class ConnectorError(DaziError):
    """A company system did not do what was asked.

    ``code`` is one of ``timeout``, ``unavailable``, ``bad_response``, ``too_large``, ``refused``,
    ``not_found`` where there is more to say of it than that, and ``invalid`` for arguments that whoever
    proposed them can mend.
    ``effect_possible`` is true when the system may have acted although no answer came back.
    """

    def __init__(self, code: str, zh: str, en: str, *, effect_possible: bool = False) -> None:
        super().__init__(code, zh, en)
        self.effect_possible = effect_possible
