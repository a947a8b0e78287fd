"""A system's token: read when it is used, from the environment or a file, and never told."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from dazi.connectors.credentials import Credential, NoCredential
from dazi.core.errors import ConfigError
from dazi.core.principal import Principal


def of(folder: Path, **config: Any) -> Credential:
    return Credential.of(config, folder)


def test_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credential = of(tmp_path, token_env="ERP_TOKEN")
    monkeypatch.setenv("ERP_TOKEN", " t0ken\n")
    assert credential.token() == "t0ken"
    monkeypatch.setenv("ERP_TOKEN", "t1ken")
    assert credential.token() == "t1ken"


def test_from_a_file_that_is_replaced_while_we_run(tmp_path: Path) -> None:
    credential = of(tmp_path, token_file="token")
    (tmp_path / "token").write_text("t0ken\n")
    assert credential.token() == "t0ken"
    (tmp_path / "token").write_text("t1ken\n")
    assert credential.token() == "t1ken"


def test_none_is_no_token(tmp_path: Path) -> None:
    assert of(tmp_path).token() == ""


@pytest.mark.parametrize("content", [None, "", "two\nlines", "t\x00ken", "令牌"])
def test_a_token_that_is_not_there_or_cannot_be_sent(
    tmp_path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A header of two lines would be two headers."""
    credential = of(tmp_path, token_file="token")
    if content is not None:
        (tmp_path / "token").write_text(content, encoding="utf-8")
    with caplog.at_level(logging.ERROR), pytest.raises(NoCredential):
        credential.token()
    assert "token" in caplog.text and (not content or content not in caplog.text)


@pytest.mark.parametrize(
    "config", [{"token_env": "A", "token_file": "b"}, {"token_env": ""}, {"token_env": 5}]
)
def test_wrong_entries_stop_the_start(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        of(tmp_path, **config)


def test_everybody_s_own(tmp_path: Path) -> None:
    """Each user's token in a file of its own; a name never leads out of the folder."""
    credential = of(tmp_path, token_file="tokens/{user}")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "li").write_text("li-token")
    (tmp_path / "tokens" / "wang%40x%2Eexample").write_text("wang-token")
    (tmp_path / "secret").write_text("not-theirs")
    assert credential.of_each_user
    assert credential.token(Principal("li", frozenset())) == "li-token"
    assert credential.token(Principal("wang@x.example", frozenset())) == "wang-token"
    for stranger in ("zhao", "../secret", "..", "", "li/../../secret"):
        with pytest.raises(NoCredential):
            credential.token(Principal(stranger, frozenset()))
    with pytest.raises(NoCredential):
        credential.token()
