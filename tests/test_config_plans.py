from pathlib import Path

import pytest

from config.errors import ConfigError
from config.plans import load_plans


def test_the_plans_that_come_with_the_installation_are_good() -> None:
    plans = load_plans()
    assert list(plans) == ["free", "standard", "premium", "music"]
    assert plans["music"].kinds == {"song", "album"}
    assert plans["free"].max_height == 540


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no plan"),
        ("[a", "is not TOML"),
        ('x = "y"', r"x: "),
        ('[a]\nname = "A"\nkinds = ["film"]', "a.max_height: Field required"),
        ('[a]\nname = "A"\nkinds = ["opera"]\nmax_height = 1', "a.kinds"),
        ('[a]\nname = "A"\nkinds = ["film"]\nmax_height = -1', "a.max_height"),
        ('[a]\nname = "A"\nkinds = ["film"]\nmax_height = 1\ncolour = 2', "a.colour"),
        ('["A B"]\nname = "A"\nkinds = ["film"]\nmax_height = 1', "A B.id"),
    ],
)
def test_a_bad_plans_file_is_refused_with_the_place(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as raised:
        load_plans(file)
    assert str(file) in str(raised.value)


def test_a_missing_plans_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read"):
        load_plans(tmp_path / "gone.toml")
