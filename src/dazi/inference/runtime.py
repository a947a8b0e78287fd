"""The OpenVINO libraries, loaded so that nothing leaves the machine.

``import openvino`` reports to an analytics service in a background thread and writes an id into the
home directory (seen with openvino-telemetry 2025.2.0: no environment variable stops it outside CI).
Python's own way to make a module unavailable, ``None`` in ``sys.modules``, makes OpenVINO use the
empty stand-in that it brings for installations without that package. Import OpenVINO only through
this module.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from typing import Any

from dazi.core.errors import OperatorError


def silence_telemetry() -> None:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def load_genai() -> Any:
    """The ``openvino_genai`` module. Raises ``OperatorError`` when it is not installed."""
    return _load("openvino_genai")


def load_openvino() -> Any:
    """The ``openvino`` module."""
    return _load("openvino")


def load_opset() -> Any:
    """What graphs are built of."""
    _load("openvino")
    return _load("openvino.opset13")


def load_tensor() -> Any:
    """The class ``openvino.Tensor``."""
    return _load("openvino").Tensor


@cache
def _load(name: str) -> Any:
    silence_telemetry()
    try:
        return importlib.import_module(name)
    except ImportError as e:
        raise OperatorError(
            "engine_missing",
            f"内置推理引擎 openvino-genai 无法载入（{e}）。请重新安装依赖，或改用远程模型服务。",
            f"The built-in engine openvino-genai cannot be loaded ({e}). "
            "Install the dependencies again, or use a model server by URL.",
        ) from e
