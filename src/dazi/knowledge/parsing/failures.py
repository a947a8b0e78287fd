"""The errors of files that are not read, worded for whoever brought the file."""

from __future__ import annotations

from dazi.core.errors import CallerError, DaziError, OperatorError
from dazi.core.language import Text
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.refusals import Reason

UNREADABLE = "document_unreadable"
ENCRYPTED = "document_encrypted"
TOO_LARGE = "document_too_large"
TOO_SLOW = "document_too_slow"
UNSUPPORTED = "document_unsupported"
CODES = frozenset({UNREADABLE, ENCRYPTED, TOO_LARGE, TOO_SLOW, UNSUPPORTED})

_FORMATS = Text(
    "能读 PDF、Word（.docx）、Excel（.xlsx）、HTML、Markdown 和纯文本",
    "PDF, Word (.docx), Excel (.xlsx), HTML, Markdown and plain text can be read",
)
_REASONS: dict[Reason, tuple[str, Text]] = {
    "not_a_file": (
        UNREADABLE,
        Text(
            "不是普通文件（可能是链接、文件夹或设备，或已不在），请给出文件本身",
            "this is no ordinary file (a link, a folder, a device, or gone); give the file itself",
        ),
    ),
    "empty": (
        UNREADABLE,
        Text("文件是空的，请重新上传", "the file is empty; upload it again"),
    ),
    "damaged": (
        UNREADABLE,
        Text(
            "文件已损坏或不完整，请用原来的程序打开后另存一份再上传",
            "the file is damaged or incomplete; open it in its program, save a copy, upload that",
        ),
    ),
    "crashed": (
        UNREADABLE,
        Text(
            "读取中途中断：文件已损坏，或所需内存超过 {memory} MiB；请另存一份或拆开后再上传",
            "reading broke off: the file is damaged or needs more than {memory} MiB of memory; "
            "save a fresh copy or split it",
        ),
    ),
    "entities": (
        UNREADABLE,
        Text(
            "文件里的 XML 声明了实体，正常的 Office 文件不会这样，没有读取；请另存一份再上传",
            "its XML declares entities, which Office files never do, so it was not read; "
            "save a fresh copy",
        ),
    ),
    "nested": (
        UNREADABLE,
        Text(
            "文件嵌套得太深，没有读取；请另存一份再上传",
            "it is nested too deeply and was not read; save a fresh copy",
        ),
    ),
    "encrypted": (
        ENCRYPTED,
        Text(
            "文件有密码，请去掉密码后再上传",
            "the file has a password; remove it, then upload the file again",
        ),
    ),
    "file_size": (
        TOO_LARGE,
        Text(
            "文件超过 {file} MB，请拆成几份",
            "the file is larger than {file} MB; split it",
        ),
    ),
    "unpacked_size": (
        TOO_LARGE,
        Text(
            "文件解压后太大，没有读取；请拆成几份，或另存一份再上传",
            "it unpacks to far more than its size and was not read; split it or save a fresh copy",
        ),
    ),
    "unsafe_archive": (
        UNREADABLE,
        Text(
            "压缩包里有不正常的条目（重名、链接或指向外面的路径），没有读取；请另存一份再上传",
            "it holds entries that no Office program writes (doubled names, links, paths that lead "
            "outside) and was not read; save a fresh copy",
        ),
    ),
    "memory": (
        TOO_LARGE,
        Text(
            "读取所需内存超过 {memory} MiB，请拆成几份",
            "reading it needs more than {memory} MiB of memory; split it",
        ),
    ),
    "characters": (
        TOO_LARGE,
        Text(
            "文字超过 {characters} 个字符，请拆成几份",
            "it holds more than {characters} characters; split it",
        ),
    ),
    "blocks": (
        TOO_LARGE,
        Text(
            "段落和表格行太多（超过 {blocks} 块），请拆成几份",
            "it has too many paragraphs or rows (more than {blocks} blocks); split it",
        ),
    ),
    "dense": (
        TOO_LARGE,
        Text(
            "有一页的文字太多，不像正常的页面；请重新导出 PDF",
            "one of its pages holds more text than a page can; export the PDF again",
        ),
    ),
    "pages": (
        TOO_LARGE,
        Text("超过 {pages} 页，请拆成几份", "it has more than {pages} pages; split it"),
    ),
    "slow": (
        TOO_SLOW,
        Text(
            "在 {seconds} 秒内没有读完，请拆成几份，或另存一份再上传",
            "it could not be read within {seconds} seconds; split it or save a fresh copy",
        ),
    ),
    "unknown": (UNSUPPORTED, Text(f"认不出是什么文件；{_FORMATS.zh}", f"unknown; {_FORMATS.en}")),
    "legacy": (
        UNSUPPORTED,
        Text(
            "这是旧版 Office 格式（.doc、.xls、.ppt），请另存为 .docx 或 .xlsx",
            "this is an old Office format (.doc, .xls, .ppt); save it as .docx or .xlsx",
        ),
    ),
    "not_pdf": (
        UNSUPPORTED,
        Text(
            "内容不是 PDF，请用正确的扩展名上传，或重新导出",
            "its content is no PDF; give it its proper extension, or export it again",
        ),
    ),
    "not_word": (
        UNSUPPORTED,
        Text(
            "内容不是 Word 文档（.docx），请用正确的扩展名上传，或另存为 .docx",
            "its content is no Word document (.docx); give it its proper extension, or save it as "
            ".docx",
        ),
    ),
    "not_excel": (
        UNSUPPORTED,
        Text(
            "内容不是 Excel 工作簿（.xlsx），请用正确的扩展名上传，或另存为 .xlsx",
            "its content is no Excel workbook (.xlsx); give it its proper extension, or save it as "
            ".xlsx",
        ),
    ),
    "not_text": (
        UNSUPPORTED,
        Text(
            "内容不是文字（UTF-8、UTF-16 或 GB18030），请用正确的扩展名上传，或另存为 UTF-8",
            "its content is no text in UTF-8, UTF-16 or GB18030; give it its proper extension, or "
            "save it as UTF-8",
        ),
    ),
    "not_image": (
        UNSUPPORTED,
        Text(
            "不是能认的图片；能认 PNG、JPEG、WebP 和 BMP",
            "it is no image that can be read; PNG, JPEG, WebP and BMP can",
        ),
    ),
    "pixels": (
        TOO_LARGE,
        Text(
            "图片超过 {pixels} 像素，请缩小后再发",
            "the image has more than {pixels} pixels; make it smaller",
        ),
    ),
}
_NO_OCR = Text(
    "识别扫描件需要可选的 ocr 依赖（pip install 'dazi[ocr]'），现在没有或不能用",
    "reading scans needs the optional ocr packages (pip install 'dazi[ocr]'); they are missing or "
    "do not work",
)


def not_read(name: str, reason: Reason, limits: ParseLimits, *, ocr: bool = False) -> DaziError:
    """The error for the file called ``name``: a ``CallerError`` with one of ``CODES``, or an
    ``OperatorError`` where OCR is asked for and not installed."""
    if reason == "no_ocr":
        return OperatorError("no_ocr", f"{name}：{_NO_OCR.zh}", f"{name}: {_NO_OCR.en}")
    code, text = _REASONS[reason]
    figures = {
        "memory": (limits.ocr_memory_bytes if ocr else limits.memory_bytes) >> 20,
        "file": limits.file_bytes // 1_000_000,
        "characters": limits.characters,
        "blocks": limits.blocks,
        "pages": limits.pages,
        "pixels": f"{limits.pixels:,}",
        "seconds": f"{limits.seconds:g}",
    }
    zh, en = text.zh.format(**figures), text.en.format(**figures)
    return CallerError(code, f"{name}：{zh}", f"{name}: {en}")


def no_worker() -> OperatorError:
    """The process that reads files does not start."""
    return OperatorError(
        "no_parser",
        "读取文件的进程没有启动，请运行 dazi doctor 检查安装",
        "The process that reads files does not start; check the installation with dazi doctor",
    )
