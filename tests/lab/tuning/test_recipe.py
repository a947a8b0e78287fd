from __future__ import annotations

from pathlib import Path

import pytest

from dazi.core.errors import ConfigError
from dazi.lab.tuning.recipe import read_recipe


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


def test_paths_are_from_the_recipes_folder(tmp_path: Path) -> None:
    text = "name: orders\ndata: {train: [a.jsonl]}\ngate: {better: [new.jsonl], gain: 0.4}\n"
    recipe = read_recipe(written(tmp_path, text))
    assert recipe.data.train == [tmp_path / "a.jsonl"]  # type: ignore[union-attr]
    assert recipe.gate.better == [tmp_path / "new.jsonl"] and recipe.gate.gain == 0.4
    assert recipe.scale == 32 and recipe.datasets == ()


def test_what_makes_another_training_makes_another_digest(tmp_path: Path) -> None:
    digests = {
        read_recipe(written(tmp_path, f"name: a\ndata: x@1\n{more}")).digest()
        for more in ("", "minutes: 3\n", "rate: 0.01\n", "seed: 2\n", "epochs: 9\n")
    }
    assert len(digests) == 4  # the minutes allowed do not


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("name: a\ndata: x\nrank: 0\n", 3, "rank"),
        ("name: a\ndata: x\nmethod: magic\n", 3, "method"),
        ("name: a\ndata: x\nmethod: qlora\n", 1, "qlora needs a GPU"),
        ("name: a\ndata: x\ndevices: 4\n", 1, "several devices"),
        ("name: A B\ndata: x\n", 1, "name"),
        ("name: a\ndata: x@1,y@1\nsamples: 5\n", 1, "of one dataset"),
        ("name: a\ndata: x\nrat: 1\n", 3, "rat"),
    ],
)
def test_a_wrong_recipe_names_line_and_mend(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read_recipe(written(tmp_path, text))
    assert f"recipe.yaml:{line}" in refused.value.message("en")
    assert told in refused.value.message("en")
