import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.errors import ConfigError
from config.settings import DatabaseSettings, Settings, StoreSettings, load_settings, shown_settings


def _file(folder: Path, text: str) -> Path:
    file = folder / "marquee.toml"
    file.write_text(text)
    return file


def test_the_file_comes_before_the_defaults_and_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _file(tmp_path, '[http]\nhost = "0.0.0.0"\nport = 1111\n')
    monkeypatch.setenv("MARQUEE_HTTP__PORT", "2222")
    settings = load_settings(file)
    assert (settings.http.host, settings.http.port, settings.http.request_timeout_s) == ("0.0.0.0", 2222, 30.0)


def test_the_command_line_has_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_HTTP__PORT", "2222")
    settings = load_settings(_file(tmp_path, '[http]\nhost = "0.0.0.0"'), http={"port": 3333})
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 3333)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[http]\nport = 70000", r"setting http\.port \(MARQUEE_HTTP__PORT\): .*65535"),
        ("[http]\nprot = 1", r"setting http\.prot .*: Extra inputs"),
        ("[http]\nhost = 1", r"setting http\.host"),
        ('log_level = "loud"', r"setting log_level \(MARQUEE_LOG_LEVEL\)"),
        ("[http", "is not TOML"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_settings(_file(tmp_path, text))


def test_a_bad_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_HTTP__CORS_ORIGINS", "not json")
    with pytest.raises(ConfigError, match=r"http|HTTP"):
        load_settings(_file(tmp_path, ""))


def test_a_complaint_does_not_repeat_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(_file(tmp_path, '[store]\ns3_secret_key = ["hush-hush"]'))
    assert "hush" not in str(raised.value)


def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(tmp_path / "gone.toml")


def test_shown_settings_hide_what_is_secret() -> None:
    settings = Settings(
        store=StoreSettings(s3_access_key=SecretStr("hush-1"), s3_secret_key=SecretStr("hush-2")),
        database=DatabaseSettings(url="postgresql+asyncpg://anna:hush-3@host/marquee?password=hush-4&ssl=on"),
    )
    shown = json.dumps(shown_settings(settings))
    assert "hush" not in shown
    assert "postgresql+asyncpg://anna:***@host/marquee?password=***&ssl=on" in shown
    assert "hush" not in repr(settings.store)


def test_everything_lives_in_the_data_folder_unless_a_setting_says_otherwise(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert settings.store_url == (tmp_path / "store").as_uri()
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/marquee.db"
