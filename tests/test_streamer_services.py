from pathlib import Path

import pytest

from config.errors import ConfigError
from config.settings import DatabaseSettings, Settings, StoreSettings
from storage.errors import StoreUnavailable
from streamer.errors import CannotStart, DatabaseUnavailable
from streamer.services import open_services
from tests.streamer_helpers import open_house


async def test_a_first_start_makes_everything_below_the_data_folder_and_a_second_finds_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    async with open_services(settings) as services:
        title = await services.catalogue.create("film", "A film")
        kid = services.keys.current.kid
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"keys", "store", "marquee.db"}
    async with open_services(settings) as services:
        assert await services.catalogue.get(title.id) == title
        assert services.keys.current.kid == kid


async def test_what_was_ended_before_a_restart_stays_ended(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        headers, title_id = await house.sign_in(), await house.add_title()
        session = await house.play(headers, title_id)
        async with house.client.delete(f"/api/v1/playback/{session['session_id']}", headers=headers):
            pass
    async with open_house(tmp_path) as house:
        assert session["session_id"] in house.services.ended_sessions
        assert (await house.get(session["base"] + "dash/manifest.mpd"))[0].status == 403


async def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keys = tmp_path / "data/keys"
    keys.mkdir(parents=True)
    (keys / "a.pem").write_text("no key")
    (keys / "a.pem").chmod(0o600)
    away = DatabaseSettings(url="postgresql+asyncpg://x@127.0.0.1:1/none", timeout_s=1)
    for settings, error in (
        (Settings(data_dir=tmp_path, plans_file="gone.toml"), ConfigError),
        (Settings(data_dir=tmp_path, ladders_file="gone.toml"), ConfigError),
        (Settings(data_dir=tmp_path, store=StoreSettings(url="ftp://x")), ConfigError),
        (Settings(data_dir=tmp_path, store=StoreSettings(url=f"file://{tmp_path}/file/x")), StoreUnavailable),
        (Settings(data_dir=tmp_path, database=away), DatabaseUnavailable),
        (Settings(data_dir=tmp_path / "data"), CannotStart),
    ):
        with pytest.raises(error):
            async with open_services(settings):
                pass
