"""The machine: GPUs by NVML where there is one, the room on a disk, how long a certificate stands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography import x509

from dazi.observe.instruments import Labels, Registry

Read = Iterator[tuple[Labels, float]]


def watch_disk(registry: Registry, folder: Path) -> None:
    def free() -> Read:
        with suppress(OSError):
            yield ("data",), float(shutil.disk_usage(folder).free)

    def size() -> Read:
        with suppress(OSError):
            yield ("data",), float(shutil.disk_usage(folder).total)

    registry.gauge("dazi_disk_free_bytes", "Room left where the data is", free, "place")
    registry.gauge("dazi_disk_bytes", "Size of the disk that the data is on", size, "place")


def watch_certificate(registry: Registry, path: Path) -> None:
    """The end of a certificate's time, in seconds since the epoch."""

    def until() -> Read:
        with suppress(OSError, ValueError):
            found = x509.load_pem_x509_certificate(path.read_bytes())
            yield (), found.not_valid_after_utc.timestamp()

    registry.gauge(
        "dazi_certificate_expires_seconds", "Until when the server's certificate stands", until
    )


class Gpus:
    """NVIDIA's GPUs, by ``nvidia-ml-py`` where it and a driver are installed."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[Any] = []
        with suppress(Exception):  # no package, no driver, no device: there is nothing to watch
            nvml = import_module("pynvml")
            nvml.nvmlInit()
            self._nvml = nvml
            count = nvml.nvmlDeviceGetCount()
            self._handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]

    def __bool__(self) -> bool:
        return bool(self._handles)

    def watch(self, registry: Registry) -> None:
        if not self:
            return
        for name, help, read in (
            ("dazi_gpu_busy", "Share of the time in which the GPU worked", self.busy),
            ("dazi_gpu_memory_used_bytes", "Memory of the GPU in use", self.used),
            ("dazi_gpu_memory_bytes", "Memory of the GPU", self.memory),
            ("dazi_gpu_celsius", "Temperature of the GPU", self.temperature),
            ("dazi_gpu_watts", "Power that the GPU draws", self.power),
        ):
            registry.gauge(name, help, read, "gpu")

    def busy(self) -> Read:
        return self._each(lambda n, h: n.nvmlDeviceGetUtilizationRates(h).gpu / 100)

    def used(self) -> Read:
        return self._each(lambda n, h: n.nvmlDeviceGetMemoryInfo(h).used)

    def memory(self) -> Read:
        return self._each(lambda n, h: n.nvmlDeviceGetMemoryInfo(h).total)

    def temperature(self) -> Read:
        return self._each(lambda n, h: n.nvmlDeviceGetTemperature(h, n.NVML_TEMPERATURE_GPU))

    def power(self) -> Read:
        return self._each(lambda n, h: n.nvmlDeviceGetPowerUsage(h) / 1000)

    def _each(self, read: Any) -> Read:
        for index, handle in enumerate(self._handles):
            with suppress(Exception):  # a GPU that fell off the bus must not stop the others
                yield (str(index),), float(read(self._nvml, handle))
