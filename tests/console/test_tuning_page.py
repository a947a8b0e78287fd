"""The page about trainings in a real browser: renewed while one looks, and a running one is stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dazi.ops.tuning_runs import note
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST


@pytest.fixture
def training(site: Site) -> Iterator[Path]:
    """A training that goes on until it is asked to stop."""
    runtime = site.runtime
    folder = runtime.settings.data_folder(runtime.company.folder) / "tuning" / "parcels-1"
    folder.mkdir(parents=True)
    recipe = folder / "recipe.yaml"
    recipe.write_text("name: parcels\n")
    known = {"base": "dazi-mini", "method": "lora", "file": str(recipe)}
    (folder / "recipe.json").write_text(json.dumps(known))
    told(folder, {"event": "begun", "steps": 200, "samples": 1696})
    told(folder, step(40, [1.5 * 0.95**i + 0.1 for i in range(40)]))
    told(folder, {"event": "validation", "step": 40, "loss": 0.2345, "best": 0.2345})
    code = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(75)); print(1, flush=True); time.sleep(120)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        note(folder, child.pid)
        yield folder
        child.kill()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def told(folder: Path, event: dict[str, object]) -> None:
    with (folder / "progress.jsonl").open("a") as file:
        file.write(json.dumps(event) + "\n")


def step(number: int, values: list[float]) -> dict[str, object]:
    return {"event": "step", "step": number, "of": 200, "losses": values, "tokens_s": 3120,
            "left_s": 245, "spent_s": 61.0}  # fmt: skip


def test_a_training_is_followed_stopped_and_goes_on(
    browser: Browser, site: Site, training: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import json, os, sys, time; print(json.dumps([*sys.argv[1:], os.environ['DAZI_DATA']]), flush=True); time.sleep(20)"
    monkeypatch.setattr("dazi.ops.tuning_runs.COMMAND", code)
    browser.sign_in("admin")
    browser.open("/tuning")
    until(lambda: browser.one(".dz-tuning-steps").text == "40 / 200")
    assert browser.one(".dz-tuning-held").text == "0.2345"
    assert browser.one(".dz-tuning-left").text == "4:05"
    browser.one(".dz-tuning-run canvas")
    browser.picture("tuning")
    told(training, step(50, [0.2] * 10))
    until(lambda: browser.one(".dz-tuning-steps").text == "50 / 200")
    assert browser.one(".dz-tuning-loss").text == "0.2000"
    browser.one(".dz-tuning-stop").click()
    told(training, {"event": "stopped", "step": 50})
    until(lambda: "停下" in browser.one(".dz-tuning-state").text)
    browser.one(".dz-tuning-resume").click()
    until(lambda: "进行中" in browser.one(".dz-tuning-state").text)
    until(lambda: not browser.all(".dz-tuning-resume")[0].is_displayed())
    started = (training / "trainer.log").read_text
    until(lambda: bool(started()))
    assert json.loads(started()) == [
        "tune", "run", str(training / "recipe.yaml"), str(training.parents[1]),
    ]  # fmt: skip
    browser.one(".dz-tuning-stop").click()
    until(lambda: "停下" in browser.one(".dz-tuning-state").text)
    browser.driver.set_window_size(*PHONE)
    assert browser.js(WIDEST) <= PHONE[0]


def test_without_a_training_it_says_so_and_others_are_refused(browser: Browser, site: Site) -> None:
    browser.sign_in("admin")
    browser.open("/tuning")
    assert "还没有" in browser.one(".dz-tuning-none").text
    browser.sign_in("customer")
    browser.open("/tuning")
    assert browser.one(".dz-tuning").text and not browser.all(".dz-tuning-runs")
