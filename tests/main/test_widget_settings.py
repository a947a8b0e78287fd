"""``[widget]`` in dazi.toml: what is wrong is named, with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dazi.core.company import Company
from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.main.widget_settings import widget_sites

GOOD: dict[str, Any] = {"origins": ["https://www.yunshan.example"], "anonymous": True}
SIGNED = {"algorithm": "HS256", "secret_env": "SHOP_SECRET"}
ROLES = {
    "customer": frozenset(("customer",)),
    "agent": frozenset(("agent", "employee")),
    "supervisor": frozenset(("supervisor",)),
}


def company(folder: Path, section: dict[str, Any], text: str = "", name: str = "shop") -> Company:
    (folder / "dazi.toml").write_text(text, "utf-8")
    settings = {"widget": {"sites": {name: section}}}
    words = {r: Text(r, r) for r in ROLES}
    return Company(folder, Text("云杉", "Yunshan"), {}, {}, ROLES, words, settings)


def test_what_a_site_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s" * 32)
    given = GOOD | SIGNED | {"role": "customer", "attributes": ["customer_id"], "hand_over": True}
    found = widget_sites(company(tmp_path, given), tmp_path, keys=True)["shop"]
    assert found.guests == frozenset() and found.roles == {"customer"}
    assert found.signing is not None and found.signing.key() == b"s" * 32
    assert found.title("zh") == "云杉" and found.hand_over
    without = {k: v for k, v in given.items() if k != "anonymous"}
    assert widget_sites(company(tmp_path, without), tmp_path)["shop"].guests is None


@pytest.mark.parametrize(
    "change, said",
    [
        ({"origins": []}, "origins"),
        ({"origins": ["https://a.example/"]}, "as a browser sends it"),
        ({"origins": ["https://*.a.example"]}, "as a browser sends it"),
        ({"origins": ["https://a.example:443"]}, "as a browser sends it"),
        ({"origins": ["https://云杉.example"]}, "as a browser sends it"),
        ({"origins": ["HTTPS://a.example"]}, "as a browser sends it"),
        ({"origins": ["http://127.0.0.1:0"]}, "as a browser sends it"),
        ({"origins": ["http://a.example"]}, "must be https"),
        ({"origins": ["null"]}, "as a browser sends it"),
        ({"anonymous": False}, "nobody can come in"),
        ({"anonymous_role": "boss"}, "not in roles.yaml; there are: customer"),
        ({"anonymous_role": "agent"}, "the desk's own"),
        ({"role": "customer"}, "needs algorithm"),
        ({"algorithm": "none"}, "HS256"),
        ({"algorithm": "HS256"}, "takes one of secret_env, secret_file"),
        ({"algorithm": "RS256", "secret_env": "X"}, "takes one of public_key_file"),
        ({"algorithm": "HS256", "secret_env": "X", "secret_file": "y"}, "takes one of"),
        ({"colour": "red"}, "no such setting"),
        ({"messages_per_minute": 0}, "greater than or equal to 1"),
        ({**SIGNED, "anonymous": False, "anonymous_role": "customer"}, "anonymous = true only"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as e:
        widget_sites(company(tmp_path, GOOD | change), tmp_path)
    assert said in e.value.message("en") and "widget.sites.shop" in e.value.message("zh")


def test_the_line_of_it(tmp_path: Path) -> None:
    text = 'demo = false\n[widget.sites.other]\nrole = "customer"\n[widget.sites.shop]\norigins = []\nrole = "boss"\n'
    with pytest.raises(ConfigError) as e:
        widget_sites(company(tmp_path, GOOD | SIGNED | {"role": "boss"}, text), tmp_path)
    assert e.value.line == 6


@pytest.mark.parametrize("secret", ["", "short"])
def test_a_secret_that_is_not_there_or_weak_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("SHOP_SECRET", secret)
    made = company(tmp_path, GOOD | SIGNED)
    with pytest.raises(ConfigError, match="SHOP_SECRET" if not secret else "too short"):
        widget_sites(made, tmp_path, keys=True)


def test_a_name_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="small letters"):
        widget_sites(company(tmp_path, GOOD, name="Shop:x"), tmp_path)
