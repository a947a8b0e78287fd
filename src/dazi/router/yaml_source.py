"""YAML that remembers its lines, so that a mistake can be shown where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dazi.core.errors import ConfigError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: the demo's tools take 20 ms instead of 400."""
_DEEPER = ("[", "{", "- ", "? ")
"""What can nest a level further without a line of its own."""
_DEEPEST = 5_000
"""Where there may be more levels than that, libyaml would end the process; Python's loader raises."""


class YamlSource:
    """A parsed YAML file: ``data`` plus ``line(path)`` for any key path into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
            self._node, self.data = _loaded(text)
        except FileNotFoundError:
            raise ConfigError(path, None, "文件不存在", "no such file") from None
        except UnicodeDecodeError as e:
            raise ConfigError(
                path, None, f"文件不是 UTF-8 编码({e.reason})", f"not UTF-8 text ({e.reason})"
            ) from None
        except yaml.MarkedYAMLError as e:
            mark = e.problem_mark or e.context_mark
            raise ConfigError(
                path,
                mark.line + 1 if mark else None,
                f"YAML 语法错误:{e.problem}。检查缩进、冒号和引号",
                f"not valid YAML: {e.problem}. Check indentation, colons and quotes",
            ) from None
        except yaml.YAMLError:
            raise ConfigError(
                path,
                None,
                "文件里有 YAML 不许有的控制字符",
                "control characters, which YAML forbids",
            ) from None
        except (ValueError, LookupError, AttributeError, RecursionError) as e:
            # PyYAML lets through what its own constructors meet in values such as 2025-13-45.
            said = (str(e).splitlines() or [""])[0]
            raise ConfigError(
                path,
                None,
                f"有读不懂的值:{said}。给日期和特殊的值加上引号",
                f"a value cannot be read: {said}. Put dates and odd values in quotes",
            ) from None

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line (from 1) of the deepest part of ``path`` that exists."""
        node = self._node
        line = node.start_mark.line + 1 if node is not None else None
        for step in path:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(step):
                        line, node = key.start_mark.line + 1, value
                        break
                else:
                    return line
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    return line
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                return line
        return line

    def error(self, path: Sequence[str | int], zh: str, en: str) -> ConfigError:
        return ConfigError(self.path, self.line(path), zh, en)


def _loaded(text: str) -> tuple[yaml.Node | None, Any]:
    deep = sum(map(text.count, _DEEPER)) > _DEEPEST
    loader = yaml.SafeLoader(text) if deep else LOADER(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()
