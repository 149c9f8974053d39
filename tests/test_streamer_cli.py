import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.errors import ConfigError
from config.settings import load_settings
from storage.open import open_store
from streamer.cli import app
from streamer.commands.common import opened_database
from streamer.errors import EmailTaken
from tests.titles import make_index, store_title


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "marquee.toml"
    file.write_text(f'data_dir = "{tmp_path / "data"}"\n[store]\ns3_secret_key = "hush"\n')
    return file


def run(config: Path, *words: str, said: str = "") -> str:
    result = CliRunner().invoke(app, [*words, "--config", str(config)], input=said, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


async def _add_title(config: Path) -> str:
    settings = load_settings(config)
    async with opened_database(settings) as opened, open_store(settings.store, settings.store_url) as store:
        title = await opened.catalogue.create("film", "A film")
        for number in (1, 2):
            await store_title(store, make_index(title.id, f"v{number}"))
            await opened.catalogue.add_version(
                title_id=title.id, number=number, original_id="x", duration_s=12, height=1080, poster=""
            )
    return title.id


def test_a_member_is_added_with_a_password_from_standard_input_or_one_made_up(config: Path) -> None:
    said = run(config, "members", "add", "anna@example.org", "--plan", "free", "--json", said="long enough 1\n")
    member = json.loads(said)
    assert (member["email"], member["plan"], member["role"]) == ("anna@example.org", "free", "viewer")
    assert "long enough" not in said
    made = json.loads(run(config, "members", "add", "b@example.org", "--plan", "free", "--generate", "--json"))
    assert len(made["password"]) >= 16
    with pytest.raises(EmailTaken):
        run(config, "members", "add", "anna@example.org", "--plan", "free", "--generate")
    with pytest.raises(ConfigError, match="there is no plan gold; there are free"):
        run(config, "members", "add", "c@example.org", "--plan", "gold", "--generate")


def test_no_password_is_taken_as_an_argument(config: Path) -> None:
    words = ["members", "add", "a@example.org", "--plan", "free", "--password", "hush-hush-hush"]
    assert CliRunner().invoke(app, words).exit_code == 2


def test_titles_are_published_unpublished_and_their_versions_listed(config: Path) -> None:
    title_id = asyncio.run(_add_title(config))
    run(config, "title", "publish", title_id)
    run(config, "title", "publish", title_id, "--version", "1")
    versions = json.loads(run(config, "title", "versions", title_id, "--json"))
    assert [(row["version"], row["published"]) for row in versions] == [(2, False), (1, True)]
    run(config, "title", "unpublish", title_id)
    assert "True" not in run(config, "title", "versions", title_id)


def test_jobs_are_listed(config: Path) -> None:
    assert json.loads(run(config, "jobs", "--json")) == []
    assert "There are none" in run(config, "jobs")


def test_settings_are_shown_without_secrets_and_checked(config: Path) -> None:
    assert "hush" not in run(config, "config", "show")
    shown = json.loads(run(config, "config", "show", "--json"))
    assert (shown["store"]["s3_secret_key"], shown["http"]["port"]) == ("***", 8080)
    assert "good" in run(config, "config", "check")
    config.write_text('plans_file = "gone.toml"')
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        run(config, "config", "check")


def test_the_database_is_upgraded_as_often_as_one_likes(config: Path) -> None:
    for _ in range(2):
        assert "up to date" in run(config, "db", "upgrade")


@pytest.mark.parametrize("words", [("serve", "--role", "edge"), ("serve", "--workers", "2")])
def test_what_is_not_in_this_version_is_said_to_be_so(config: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="not in this version"):
        run(config, *words)


def test_every_command_has_help() -> None:
    for words in ([], ["serve"], ["ingest"], ["members", "add"], ["title", "versions"], ["jobs"], ["db", "upgrade"]):
        result = CliRunner().invoke(app, [*words, "--help"])
        assert result.exit_code == 0
        assert "Usage" in result.output


def test_what_is_wrong_on_purpose_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[http]\nport = 'x'\n")
    for words, status, sentence in (
        (["config", "check", "--config", "bad.toml"], 78, "setting http.port"),
        (["config", "check", "--config", "gone.toml"], 78, "does not exist"),
        (["title", "publish", "A" * 22, "--config", "good.toml"], 1, "there is no such title"),
    ):
        (tmp_path / "good.toml").write_text(f'data_dir = "{tmp_path}"')
        command = [sys.executable, "-m", "streamer.cli", *words]
        environment = {"PYTHONPATH": str(Path.cwd()), "PATH": "", "COLUMNS": "200"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith("marquee: ")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
