"""Settings: from defaults, then `marquee.toml` (or `--config FILE`), then `MARQUEE_*` variables.

They are read once, by the command, and passed down as the smallest part that serves.
"""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from config.errors import ConfigError
from config.plans import DEFAULT_PLANS


class Part(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)


class HttpSettings(Part):
    """Table `[http]`: where we listen and how we behave there."""

    host: str = "127.0.0.1"
    "Address to listen on."
    port: int = Field(default=8080, ge=0, le=65535)
    "Port to listen on; 0 lets the system choose."
    public_url: str = ""
    "How the outside reaches us, for example `https://watch.example.org`; empty: as the request names us."
    cors_origins: tuple[str, ...] = ()
    "Origins whose pages may call the API. Media routes allow any."
    request_timeout_s: float = 30.0
    "A handler that is not a transfer is given up after so long."
    idle_timeout_s: float = 75.0
    "A connection that sends nothing for so long is closed; also how long an upload or download may stand still."
    shutdown_grace_s: float = 10.0
    "How long running requests may go on when we are asked to stop."


class StoreSettings(Part):
    """Table `[store]`: where objects live."""

    url: str = ""
    "`file:///path` or `s3://bucket/prefix`; empty: a folder `store` in the data folder."
    timeout_s: float = 10.0
    "How long to wait for the store to begin or go on answering."
    s3_endpoint: str = ""
    "Address of an S3 server other than Amazon's, for example `https://s3.example.org`."
    s3_region: str = "us-east-1"
    "Region that requests are signed for."
    s3_access_key: SecretStr = SecretStr("")
    "Access key; empty: boto3's own search (environment, profile, instance role)."
    s3_secret_key: SecretStr = SecretStr("")
    "Secret key that belongs to the access key."
    s3_path_style: bool = False
    "Put the bucket into the path, as most servers other than Amazon's want it."
    part_bytes: int = Field(default=8 * 2**20, ge=5 * 2**20)
    "Size of one part of a multipart upload; S3 allows no less than 5 MiB."


class DatabaseSettings(Part):
    """Table `[database]`: where facts about members, titles and jobs live."""

    url: str = ""
    "SQLAlchemy address, for example `postgresql+asyncpg://user@host/marquee`; empty: SQLite in the data folder."
    timeout_s: float = 10.0
    "How long a statement may wait for a connection or a lock."


class AuthSettings(Part):
    """Table `[auth]`: sign-in."""

    access_token_s: int = 900
    "Life of an access token."
    refresh_token_s: int = 30 * 86400
    "Life of a refresh token; each use replaces it."
    login_attempts: int = 10
    "Failed sign-ins that one address or one account may make within `login_window_s`."
    login_window_s: int = 300
    "Window in which failed sign-ins are counted."


class PlaybackSettings(Part):
    """Table `[playback]`: sessions and their tokens."""

    issuer: str = "marquee"
    "`iss` of all tokens."
    audience: str = "marquee-media"
    "`aud` of playback tokens; a CDN that checks tokens is configured with the same word."
    grace_s: int = 6 * 3600
    "How much longer than the title a playback token lives: pauses count."
    longest_s: int = 86400
    "The longest life of any playback token."
    heartbeat_s: int = 30
    "How often a player says that it is still there."
    shared_cache: bool = False
    "Send media as `public`: only behind a CDN that checks the token itself and strips it from its cache key."


class UploadSettings(Part):
    """Table `[upload]`: originals on their way in."""

    max_bytes: int = 200 * 2**30
    "Largest original we take."
    expires_s: int = 7 * 86400
    "An unfinished upload is dropped after standing still for so long."
    idle_timeout_s: float = 60.0
    "A PATCH that brings no byte for so long is ended; what came is kept."


class IntakeSettings(Part):
    """Table `[intake]`: what foreign media may cost us."""

    ffmpeg: str = ""
    "Path of ffmpeg; empty: the one that came with the installation."
    ffprobe: str = ""
    "Path of ffprobe; empty: the one that came with the installation."
    insist: tuple[Literal["landlock", "namespaces", "bubblewrap"], ...] = ()
    "Means of confinement without which we refuse to start."
    max_pixels: int = 8192 * 4352
    "Largest picture, width times height."
    max_streams: int = 64
    "Most streams in one original."
    max_duration_s: float = 12 * 3600.0
    "Longest original."
    max_frame_rate: float = 120.0
    "Fastest pictures."
    probe_timeout_s: float = 120.0
    "How long looking at an original may take."
    probe_memory_bytes: int = 2 * 2**30
    "Address space for ffprobe; with 1080p it needs 512 MiB at least."
    encode_memory_bytes: int = 8 * 2**30
    "Address space for one ffmpeg; x264 at 1080p needs 1.5 GiB."
    max_output_bytes: int = 64 * 2**30
    "Largest file one ffmpeg may write."


class EncodeSettings(Part):
    """Table `[encode]`: the farm and what it makes."""

    workers: int = Field(default=0, ge=0)
    "Workers of our own engine, one encode each; 0: one per core."
    preset: str = "veryfast"
    "x264's trade of time for size."
    segment_s: float = Field(default=4.0, ge=1.0, le=10.0)
    "Aim for the length of a segment; it becomes a whole number of frames."
    chunk_s: float = Field(default=60.0, ge=8.0)
    "Longest chunk; short titles are cut finer so that every worker has some."
    attempts: int = Field(default=3, ge=1)
    "How often a chunk is tried before its job fails."
    stall_s: float = 120.0
    "An ffmpeg that reports no progress for so long is ended and its chunk tried again."
    originals_bytes: int = 100 * 2**30
    "Room for originals that a worker host has fetched; the longest unused go first."
    parallel_titles: int = Field(default=2, ge=1)
    "Titles whose chunks are with the engine at once; the others wait their turn."


class Settings(BaseSettings):
    """All settings. Frozen: a change of settings is a restart."""

    model_config = SettingsConfigDict(
        env_prefix="MARQUEE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Path.home() / ".local/share/marquee"
    "Folder for everything that a setting does not put elsewhere."
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    "Least important line that is logged."
    engine: str = ""
    "Address of a Dask scheduler (`tls://host:8786`); empty: one of our own, on this machine."
    plans_file: str = ""
    "Membership plans; empty: those that came with the installation."
    ladders_file: str = ""
    "Encoding ladders; empty: those that came with the installation."
    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    database: DatabaseSettings = DatabaseSettings()
    auth: AuthSettings = AuthSettings()
    playback: PlaybackSettings = PlaybackSettings()
    upload: UploadSettings = UploadSettings()
    intake: IntakeSettings = IntakeSettings()
    encode: EncodeSettings = EncodeSettings()

    @field_validator("store", "database", mode="before")
    @classmethod
    def _address_alone(cls, value: object) -> object:
        """`store = "s3://bucket"` says the same as `[store] url = "s3://bucket"`."""
        return {"url": value} if isinstance(value, str) else value

    @property
    def plans_path(self) -> Path:
        return Path(self.plans_file) if self.plans_file else DEFAULT_PLANS

    @property
    def store_url(self) -> str:
        return self.store.url or (self.data_dir.absolute() / "store").as_uri()

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'marquee.db'}"


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings.

    file: the TOML file; without one, `marquee.toml` in the working folder where it exists.
    overrides: what the command line says, for example `http={"port": 8081}`; it has the last word.

    Raises ConfigError that names the setting and what is wrong with it.
    """
    if file is not None and not file.is_file():
        raise ConfigError(f"settings file {file} does not exist")
    toml_file = file or Path("marquee.toml")

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file))

    try:
        return FromFile(**overrides)
    except ValidationError as error:
        raise ConfigError("; ".join(_complaint(one["loc"], one["msg"]) for one in error.errors())) from None
    except SettingsError as error:
        raise ConfigError(str(error)) from error
    except ValueError as error:
        raise ConfigError(f"settings file {toml_file} is not TOML: {error}") from error


def _complaint(place: tuple[str | int, ...], message: str) -> str:
    setting = ".".join(map(str, place))
    return f"setting {setting} (MARQUEE_{'__'.join(map(str, place)).upper()}): {message}"


def shown_settings(settings: Settings) -> dict[str, Any]:
    """All settings as plain values, with what is secret replaced by `***`."""
    shown: dict[str, Any] = settings.model_dump(mode="json")
    for part in ("database", "store"):
        shown[part]["url"] = re.sub(r"(?<=:)[^:@/]+(?=@)|(?<=password=)[^&]+", "***", shown[part]["url"])
    for name in ("s3_access_key", "s3_secret_key"):
        shown["store"][name] = "***" if shown["store"][name] else ""
    return shown
