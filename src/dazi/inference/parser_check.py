"""Does a server's parser of tool calls fit its model? Its answers tell.

A parser that does not fit fails without a word: ``qwen3_coder`` and ``qwen3_xml`` expect XML and
find no call in Qwen3's JSON. Some servers then leave the call in the text, where it is read all
the same; vLLM 0.32 hands on nothing at all, and the answer is lost.
"""

from __future__ import annotations

import logging
from typing import Literal

from dazi.core.errors import OperatorError
from dazi.core.language import Text
from dazi.inference.wire import ChunkReader

Parsing = Literal["server", "text", "lost", ""]
"""Who read an answer's calls: the server, or Dazi in the text; or the server's parser took the
answer and gave nothing back. Empty where there was no call."""

MEND = Text(
    "Qwen3 请用 --enable-auto-tool-choice --tool-call-parser hermes 启动 vLLM"
    "(SGLang:--tool-call-parser qwen25);qwen3_coder 和 qwen3_xml 只认 XML,找不到这种模型的调用",
    "for Qwen3 start vLLM with --enable-auto-tool-choice --tool-call-parser hermes (SGLang: "
    "--tool-call-parser qwen25); qwen3_coder and qwen3_xml expect XML and find nothing for this "
    "model",
)
_WARNINGS: dict[Parsing, str] = {
    "text": "%s: the server's tool parser did not recognise calls; Dazi parses them itself; %s",
    "lost": "%s: an answer of %d tokens came to nothing: the server's tool parser took it for a "
    "call and found none; %s",
}
log = logging.getLogger("dazi.inference")


class ParserCheck:
    """Watches the answers of one server, and warns once of each thing that is wrong."""

    def __init__(self, server: str) -> None:
        self.last: Parsing = ""
        self._works = False
        self._server = server
        self._warned: set[Parsing] = set()

    def note(self, reader: ChunkReader) -> None:
        """To be told of every answer that has ended. Raises ``OperatorError`` where it was lost to a
        parser that has never found a call: the answer that was given is not the one that is there."""
        self.last = "lost" if reader.lost else reader.calls_from
        self._works = self._works or self.last == "server"
        if self.last in _WARNINGS and self.last not in self._warned:
            self._warned.add(self.last)
            told = (reader.usage.completion,) if self.last == "lost" else ()
            log.warning(_WARNINGS[self.last], self._server, *told, MEND.en)
        if self.last == "lost" and not self._works:
            raise OperatorError(
                "model_parser",
                f"模型服务的工具解析器不合适,回答丢了:{MEND.zh}",
                f"the model server's tool parser does not fit, and the answer is lost: {MEND.en}",
            )
