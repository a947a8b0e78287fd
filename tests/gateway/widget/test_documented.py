"""What the documents tell sites to sign with makes tokens that open."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dazi.access.sites import Signing, Site
from dazi.access.visitor_tokens import vouched
from dazi.core.language import Text

SECRET = "a secret of a test, long enough to be one"
DOCS = Path(__file__).parents[3] / "docs"
SITE = Site(
    "shop", frozenset(), Text("店", "shop"), Text("您好", "hello"),
    signing=Signing("HS256", SECRET.encode), attributes=frozenset(("customer_id",)),
)  # fmt: skip


def snippet(language: str, kind: str) -> str:
    page = (DOCS / language / "widget.md").read_text("utf-8")
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", ["python", "js", "php"])
def test_a_token_as_documented_opens(language: str, kind: str) -> None:
    program = {"python": sys.executable, "js": shutil.which("node"), "php": shutil.which("php")}[
        kind
    ]
    if program is None:
        if kind == "js" and os.environ.get("CI") == "true":
            pytest.fail("no node here: install nodejs")
        pytest.skip(f"no program here that runs {kind}")
    flags = {"python": ["-c"], "js": ["-e"], "php": ["-r"]}[kind]
    code = snippet(language, kind).removeprefix("<?php\n")
    environment = os.environ | {"SHOP_SECRET": SECRET}
    done = subprocess.run(
        [program, *flags, code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    found = vouched(done.stdout.strip(), SITE, time.time())
    assert found.subject == "10001" and found.name in ("林先生", "Mr Lin")
    assert dict(found.attributes) == {"customer_id": "C10001"}
