"""A report as a file. None is made of a report that says a number nobody bound."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from dazi.apps.reports import words
from dazi.apps.reports.result import Run, as_json
from dazi.apps.reports.verifying import verify
from dazi.core.errors import CallerError
from dazi.packs.layers import layers_of

FileFormat = Literal["html", "docx", "pdf", "xlsx", "json"]
FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
TYPES: dict[FileFormat, str] = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
TEMPLATE = Path("templates") / "report.docx"
"""In a company's folder."""


@dataclass(frozen=True, slots=True)
class File:
    name: str
    type: str
    data: bytes


def format_of(text: str) -> FileFormat:
    """Raises ``CallerError`` for none of ours."""
    if text not in FORMATS:
        known = ", ".join(FORMATS)
        raise CallerError("format", f"没有格式 {text},可用:{known}", f"no format {text}: {known}")
    return text


def rendered(run: Run, format: FileFormat, company: Path | None = None) -> File:
    """``company``: its folder, with the template for Word if it has one. Raises ``OperatorError`` for
    a number that is not bound."""
    verify(run)
    return File(file_name(run, format), TYPES[format], _data(run, format, company))


def _data(run: Run, format: FileFormat, company: Path | None) -> bytes:
    # Each writer's library is loaded when it is wanted: the others' time is nobody's.
    match format:
        case "html":
            from dazi.apps.reports.html import html

            return html(run).encode()
        case "docx":
            from dazi.apps.reports.word import word

            template = layers_of(company).find(TEMPLATE) if company is not None else None
            return word(run, template if template is not None and template.is_file() else None)
        case "pdf":
            from dazi.apps.reports.pdf import pdf

            return pdf(run)
        case "xlsx":
            from dazi.apps.reports.excel import excel

            return excel(run)
        case "json":
            return as_json(run)


def file_name(run: Run, format: FileFormat) -> str:
    said = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]+', " ", words.title(run).replace(" · ", " "))
    return f"{' '.join(said.split())[:80]}.{format}"
