from pathlib import Path

import pytest

from config.errors import ConfigError
from config.ladders import load_ladder


def test_the_ladder_that_comes_with_the_installation_is_good() -> None:
    assert {step.height for step in load_ladder().video} >= {360, 720, 1080}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[video", "is not TOML"),
        ("", "video: Field required"),
        ("video = []\naudio = {film_kbps = [128], song_kbps = [256]}", "video: "),
        ("video = [{width = 1}]\naudio = {film_kbps = [128], song_kbps = [256]}", r"video\.0\."),
    ],
)
def test_a_bad_ladder_is_refused_with_the_place(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "ladders.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as raised:
        load_ladder(str(file))
    assert str(file) in str(raised.value)


def test_a_missing_ladder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read"):
        load_ladder(str(tmp_path / "gone.toml"))
