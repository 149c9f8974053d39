"""The ladder an operator chooses: boxes for pictures, rates for sound."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import ConfigError


class VideoStep(BaseModel):
    """One box that pictures are fitted into."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(ge=16, le=16384)
    height: int = Field(ge=16, le=16384)
    crf: float = Field(ge=0, le=51)
    max_kbps: int = Field(ge=50)


class AudioRates(BaseModel):
    """Rates of the AAC tracks, the first for the best."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    film_kbps: tuple[Annotated[int, Field(ge=16, le=512)], ...] = Field(min_length=1)
    song_kbps: tuple[Annotated[int, Field(ge=16, le=512)], ...] = Field(min_length=1)


class LadderPolicy(BaseModel):
    """The whole file; steps in any order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: tuple[VideoStep, ...] = Field(min_length=1)
    audio: AudioRates


def load_ladder(file: str = "") -> LadderPolicy:
    """file: path of a TOML file; empty: the ladder that came with the installation.

    Raises ConfigError that names the file, the field and what is wrong with it.
    """
    named = file or "of the installation"
    try:
        text = Path(file).read_text() if file else resources.files("config").joinpath("ladders.toml").read_text()
        return LadderPolicy.model_validate(tomllib.loads(text))
    except OSError as error:
        raise ConfigError(f"ladders file {named} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"ladders file {named}, {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except ValueError as error:
        raise ConfigError(f"ladders file {named} is not TOML: {error}") from error
