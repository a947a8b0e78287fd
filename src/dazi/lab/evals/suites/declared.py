"""Files of a company's ``evals/`` folder that are YAML: read into structs, with the file in what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from dazi.core.errors import ConfigError

S = TypeVar("S")


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
