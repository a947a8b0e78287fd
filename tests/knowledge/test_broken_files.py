"""Files that were cut, bent or mixed: they are read, or refused by name."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dazi.core.errors import CallerError
from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing.failures import CODES
from dazi.knowledge.parsing.limits import ParseLimits
from tests.fuzz.inputs import EXAMPLES
from tests.knowledge import samples
from tests.knowledge.reading import items

LIMITS = ParseLimits(seconds=20)
broken = settings(
    max_examples=max(8, EXAMPLES // 5),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@cache
def sample(suffix: str) -> bytes:
    return samples.SAMPLES[suffix]()


@st.composite
def bent(draw: st.DrawFn, suffix: str) -> bytes:
    """Cut off somewhere, some of its bits turned over, or a piece of it somewhere else."""
    whole = bytearray(sample(suffix))
    place = st.integers(0, len(whole) - 1)
    match draw(st.sampled_from(["cut", "flip", "flip", "move"])):
        case "cut":
            del whole[draw(place) :]
        case "flip":
            for at in draw(st.lists(place, min_size=1, max_size=40)):
                whole[at] ^= draw(st.integers(1, 255))
        case "move":
            at, to, length = draw(place), draw(place), draw(st.integers(1, 2000))
            whole[to : to + length] = whole[at : at + length]
    return bytes(whole)


def only_named_errors(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        found = asyncio.run(items(path, LIMITS))
    except CallerError as error:
        assert error.code in CODES and error.text.zh and error.text.en
        return
    assert all(b.text == b.text.strip() and b.text for b in found if isinstance(b, Block))


@pytest.mark.parametrize("suffix", list(samples.SAMPLES))
@broken
@given(data=st.data())
def test_broken_files(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    only_named_errors(tmp_path / f"x{suffix}", data.draw(bent(suffix)))


@pytest.mark.parametrize("suffix", list(samples.SAMPLES))
def test_files_of_one_format_with_the_name_of_another(tmp_path: Path, suffix: str) -> None:
    for other in samples.SAMPLES:
        only_named_errors(tmp_path / f"x{suffix}", sample(other))
