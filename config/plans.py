"""Membership plans: what each opens, as operators write it in `plans.toml`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from config.errors import ConfigError

TitleKind = Literal["film", "episode", "song", "album"]
TITLE_KINDS: tuple[TitleKind, ...] = get_args(TitleKind)
DEFAULT_PLANS = Path(__file__).with_name("plans.toml")


class Plan(BaseModel):
    """One membership plan; table `[{id}]` of the plans file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    "The name of its table; members are stored with it."
    name: str = Field(min_length=1)
    "What people read."
    kinds: frozenset[TitleKind]
    "Kinds of titles that it opens."
    max_height: int = Field(ge=0)
    "The best picture it gives, in rows of a 16:9 frame; 0: none."


_PLANS = TypeAdapter(dict[str, Plan])


def load_plans(file: Path = DEFAULT_PLANS) -> Mapping[str, Plan]:
    """Read the plans by id, in the file's order.

    Raises ConfigError that names the file, the plan and its field.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"plans file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"plans file {file} is not TOML: {error}") from error
    try:
        plans = _PLANS.validate_python(
            {key: {**table, "id": key} if isinstance(table, dict) else table for key, table in tables.items()}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"plans file {file}, {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not plans:
        raise ConfigError(f"plans file {file} holds no plan")
    return plans
