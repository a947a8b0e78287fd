"""The benchmark of a GPU where there is none: it says so, and its limits are counted by hand. What it runs is
tried on a tiny model where torch and transformers are installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bench.gpu import __main__ as command
from bench.gpu import first_token, report, same
from bench.gpu.limits import Ceilings, decode_limit, first_token_limit, limits_of
from bench.gpu.shape import REAL, TINY, prompts
from dazi.ops.plan.accelerators import ACCELERATORS, accelerator_of, detected

ROOT = Path(__file__).resolve().parent.parent
H200 = ("NVIDIA H200", 143_771 << 20)
RUNS = all(find_spec(name) for name in command.NEEDED)


def test_without_a_gpu_it_says_so_and_ends_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.gpu", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env={"PATH": "", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.startswith("bench/gpu: skipped: ")
    assert len(done.stdout.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "gib", "known"),
    [
        ("NVIDIA H200", 139.8, "H200"),
        ("NVIDIA H100 80GB HBM3", 79.1, "H100"),
        ("NVIDIA A100-SXM4-80GB", 79.2, "A100-80GB"),
        ("NVIDIA A100-SXM4-40GB", 39.4, "A100-40GB"),
        ("NVIDIA A800-SXM4-80GB", 79.2, "A800-80GB"),
        ("NVIDIA L40S", 44.4, "L40S"),
        ("NVIDIA GeForce RTX 4090", 23.6, "RTX-4090"),
        ("NVIDIA GeForce RTX 4090 D", 23.6, ""),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 15.6, ""),
        ("NVIDIA H100 PCIe", 79.1, ""),
        ("NVIDIA H200 NVL", 139.8, ""),
        ("NVIDIA A10G", 22.0, ""),
        ("CPU", 0, ""),
    ],
)
def test_a_device_is_known_by_its_drivers_name(name: str, gib: float, known: str) -> None:
    found = detected(name, gib * 2**30)
    assert (found.name if found else "") == known


def test_every_data_sheet_finds_itself() -> None:
    assert all(detected(a.name, a.memory * 1e9) == a for a in ACCELERATORS.values())


def test_decoding_is_bounded_by_reading_weights_and_cache() -> None:
    """13.2 billion weights in the layers and 0.78 in the output layer, two bytes each; 163,840 bytes a token."""
    read = 2 * (REAL.linear + REAL.vocabulary * REAL.hidden)
    sheet = limits_of(*H200, None).sheet
    assert sheet is accelerator_of("H200")
    for batch in (1, 8, 32):
        seconds = (read + batch * 576 * 163_840) / 4.8e12
        assert decode_limit(REAL, sheet, 576, batch) == pytest.approx(batch / seconds)
    measured = limits_of(*H200, Ceilings(2400.0, 500.0)).measured
    assert decode_limit(REAL, measured, 576, 1) == pytest.approx(
        (decode_limit(REAL, sheet, 576, 1) or 0) / 2
    )


def test_reading_a_prompt_is_bounded_by_arithmetic() -> None:
    sheet = accelerator_of("H200")
    layers = 2 * 40 * (5120 * 128 * (2 * 40 + 2 * 8) + 3 * 5120 * 17_408)
    for tokens in (1024, 28_672):
        # Each token looks at half of them on average: queries by keys, and the weights by values.
        attention = 40 * 2 * 2 * (tokens**2 / 2) * 40 * 128
        operations = layers * tokens + attention + 2 * 151_936 * 5120
        found = first_token_limit(REAL, sheet, tokens)
        assert found == pytest.approx(operations / 989e12)
    one = first_token_limit(REAL, sheet, 1)
    assert one == pytest.approx(2 * (layers / 2 + 151_936 * 5120) / 4.8e12)  # then it is the memory


def test_an_unknown_device_has_the_limits_that_were_measured() -> None:
    assert limits_of("Abacus 9000", 1 << 34, None) == limits_of("Abacus 9000", 1 << 34, None)
    limits = limits_of("Abacus 9000", 1 << 34, Ceilings(100.0, 10.0))
    assert limits.sheet is None
    assert decode_limit(REAL, limits.sheet, 512, 1) is None
    assert decode_limit(REAL, limits.measured, 512, 1) == pytest.approx(3.57, rel=0.01)


def results(**steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: {"cases": {"one": {"rows": rows}}} for name, rows in steps.items()}


def test_the_tables_give_shares_of_the_limits() -> None:
    limit = decode_limit(REAL, accelerator_of("H200"), 576, 8)
    first = first_token_limit(REAL, accelerator_of("H200"), 1024)
    assert limit and first
    found = results(
        ceilings=[{"bandwidth": 4320.0, "bf16": 791.2}],
        decode=[{"side": "plain loop", "batch": 8, "context": 576, "tokens_per_second": limit / 2}],
        first_token=[{"side": "plain loop", "tokens": 1024, "seconds": 4 * first}],
        same=[
            {"side": "plain loop", "row": 0, "same": 32, "of": 32},
            {"side": "plain loop", "row": 1, "same": 4, "of": 32, "apart": 0.01, "noise": 0.02},
            {"side": "plain loop", "row": 2, "same": 4, "of": 32, "apart": 0.90, "noise": 0.02},
        ],
    )
    ceilings, decode, read, alike = report.tables(found, REAL, *H200)
    assert [row[3] for row in ceilings.rows] == pytest.approx([0.9, 0.8])
    assert decode.rows[0][4:] == pytest.approx((0.5, 0.5 / 0.9), rel=1e-3)
    assert read.rows[0][3:] == pytest.approx((0.25, 0.25 / 0.8), rel=1e-3)
    assert alike.rows == [("plain loop", 3, 1, 1, 1)]
    assert all(table.text() for table in report.tables({}, REAL, *H200))


def test_rows_part_at_the_first_other_token() -> None:
    assert same.parting([1, 2, 3], [1, 2, 3]) == 3
    assert same.parting([1, 2, 3], [1, 9, 3]) == 1


def test_prompts_are_the_same_ones_each_time() -> None:
    assert prompts(TINY, 2, 5) == prompts(TINY, 8, 5)[:2]
    assert max(max(p) for p in prompts(TINY, 8, 50)) < TINY.vocabulary


@pytest.mark.skipif(not RUNS, reason="torch and transformers are not installed here")
def test_a_tiny_model_runs_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--device", "cpu", "--tiny", "--out", str(tmp_path), "--step", "first_token"]
    assert command.main([*given, "--minutes", "0"]) == 0
    assert (
        "left for another call: first_token (continuous batching, 1024)" in capsys.readouterr().out
    )
    monkeypatch.setitem(first_token._SIDES, "plain loop", lambda *_: 1 / 0)
    assert command.main(given) == 1  # one side fails, the other is kept
    assert "first_token: plain loop, 28672: failed" in capsys.readouterr().out
    monkeypatch.undo()
    assert command.main(given) == 0
    said = capsys.readouterr().out
    assert "first_token: plain loop, 28672: " in said
    assert "first_token: continuous batching, 1024: " not in said
    assert command.main(given) == 0
    assert "first_token: " not in capsys.readouterr().out  # all is known


@pytest.mark.skipif(not RUNS, reason="torch and transformers are not installed here")
def test_both_sides_say_what_the_library_says_itself() -> None:
    import torch

    from bench.gpu.shape import build
    from bench.gpu.sides import SIDES

    model = build(TINY, "cpu")
    given = prompts(TINY, 4, 20)
    model.set_attn_implementation("eager")
    asked = torch.tensor(given)
    own = model.generate(
        asked, attention_mask=torch.ones_like(asked), max_new_tokens=10, do_sample=False
    )
    model.set_attn_implementation("dazi_grouped")
    for side in SIDES.values():
        assert side(model, given, 10).tokens == own[:, 20:].tolist()
