"""Files of a company's ``evals/`` folder that are YAML: read into structs, with the file in what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import yaml

from dazi.core.errors import CallerError, ConfigError
from dazi.core.language import language_of
from dazi.lab.evals.suite import Item

S = TypeVar("S")


class Task(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def group(self) -> str: ...


T = TypeVar("T", bound=Task)


def read_yaml(path: Path, kind: type[S]) -> S:
    """Raises ``ConfigError``."""
    try:
        data: Any = yaml.safe_load(path.read_text("utf-8"))
        return msgspec.convert(data, kind)
    except OSError as e:
        raise ConfigError(path, None, f"读不了:{e}", f"cannot be read: {e}") from None
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else None
        raise ConfigError(
            path, line, f"不是 YAML:{e.problem}", f"is no YAML: {e.problem}"
        ) from None
    except (msgspec.ValidationError, UnicodeDecodeError) as e:
        raise ConfigError(path, None, f"写法不对:{e}", f"is written wrongly: {e}") from None


def items_of(files: Mapping[Path, Sequence[T]], first: Callable[[T], str]) -> tuple[Item, ...]:
    """``first``: what is said first in a task, which tells its language. Raises ``CallerError`` for a
    task that stands there twice."""
    items: dict[str, Item] = {}
    for path, tasks in files.items():
        for task in tasks:
            if task.id in items:
                raise CallerError(
                    "task_id",
                    f"{path}:任务 {task.id} 写了两次",
                    f"{path}: the task {task.id} stands there twice",
                )
            items[task.id] = Item(task.id, task.group or "tasks", language_of(first(task)), task)
    return tuple(items.values())
