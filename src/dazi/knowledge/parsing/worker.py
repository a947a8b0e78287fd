"""Reads the file that is its standard input and says what it finds on its standard output.

The file is somebody else's. So before the first byte of it is looked at, the libraries are loaded
and the process gives up what it will not need: once no descriptor can be opened, no file, socket or
pipe can be, by whatever code a file may bring to run.
"""

from __future__ import annotations

import codecs
import importlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from dazi.knowledge.parsing import image
from dazi.knowledge.parsing.kinds import Kind, settled
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.messages import Done, Failed, Order, Piece, Ready
from dazi.knowledge.parsing.outgoing import Outgoing
from dazi.knowledge.parsing.refusals import Reason, Refused
from dazi.knowledge.parsing.request import Item, Reader, Request

_READERS: dict[Kind, str] = {
    "pdf": "dazi.knowledge.parsing.pdf",
    "word": "dazi.knowledge.parsing.word",
    "excel": "dazi.knowledge.parsing.excel",
    "html": "dazi.knowledge.parsing.html",
    "markdown": "dazi.knowledge.parsing.markdown",
    "text": "dazi.knowledge.parsing.plain",
}
_CODECS = ("gb18030", "big5", "cp437", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig")


def main(order: str) -> int:
    given = msgspec.json.decode(order, type=Order)
    descriptor = os.dup(1)
    outgoing = Outgoing(descriptor, given.limits)
    os.dup2(2, 1)  # what a library prints is no message
    if given.image:
        os.environ[image.PIXELS_VARIABLE] = str(given.limits.pixels)
    else:
        load(given.kind)
    recogniser = None
    refused: Reason | None = None
    if given.ocr:
        from dazi.knowledge.parsing import ocr

        recogniser = ocr.load()
        refused = None if recogniser else "no_ocr"
    _confine(given.limits, descriptor, ocr=given.ocr)
    outgoing.say(Ready())
    if refused is None:
        refused = _read(given, outgoing, Request(given.limits, given.pages, recogniser))
    outgoing.end(Failed(refused) if refused else Done())
    return 0


def _read(given: Order, outgoing: Outgoing, request: Request) -> Reason | None:
    """Why reading ended early, if it did. Parsers raise anything on a bad file."""
    try:
        if given.drawing is not None:
            from dazi.knowledge.parsing import drawing

            for piece in drawing.png(_file(given)[0], given.drawing):
                outgoing.say(Piece(piece))
            return None
        if given.highlights is not None:
            from dazi.knowledge.parsing import highlighting

            for piece in highlighting.highlighted(_file(given)[0], given.highlights):
                outgoing.say(Piece(piece))
            return None
        for item in _items(given, request):
            outgoing.add(item)
    except Refused as refused:
        return refused.reason
    except MemoryError:
        return "memory"
    except RecursionError:
        return "nested"
    except BrokenPipeError:
        raise
    except Exception as error:
        return "entities" if _declares_entities(error) else "damaged"
    return None


def _items(given: Order, request: Request) -> Iterator[Item]:
    if given.image:
        assert request.recogniser is not None
        yield from image.read(_sized(given), request.recogniser)
        return
    file, kind = _file(given)
    reader: Reader = importlib.import_module(_READERS[kind]).read
    yield from reader(file, request)


def _sized(given: Order) -> BinaryIO:
    file = os.fdopen(0, "rb")
    if os.fstat(0).st_size > given.limits.file_bytes:
        raise Refused("file_size")
    return file


def _file(given: Order) -> tuple[BinaryIO, Kind]:
    file = _sized(given)
    kind = settled(file, given.kind)
    file.seek(0)
    return file, kind


def _declares_entities(error: Exception) -> bool:
    from defusedxml.common import DefusedXmlException

    return isinstance(error, DefusedXmlException)


def load(kind: Kind | None) -> None:
    """Everything that will be imported: later on no file can be opened."""
    sys.modules["numpy"] = None  # type: ignore[assignment]  # for openpyxl: 100 MiB of addresses
    os.environ["OPENPYXL_LXML"] = "False"  # so that it parses all XML with defusedxml
    for codec in _CODECS:
        codecs.lookup(codec)
    importlib.import_module("defusedxml.common")
    for module in _READERS.values() if kind is None else (_READERS[kind],):
        importlib.import_module(module)
    if kind in (None, "pdf"):
        importlib.import_module("dazi.knowledge.parsing.drawing")
        importlib.import_module("dazi.knowledge.parsing.highlighting")
    del sys.modules["numpy"]


def _confine(limits: ParseLimits, descriptor: int, *, ocr: bool) -> None:
    """``descriptor``: the highest that will be used."""
    memory = limits.ocr_memory_bytes if ocr else limits.memory_bytes
    seconds = max(1, round(limits.seconds_in_all))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor + 1, descriptor + 1))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody listens any more


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stdout.flush()
    os._exit(code)  # what is left is not worth taking apart
