"""The object store that a deployment chose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from config.errors import ConfigError
from config.settings import StoreSettings
from storage.blocking import off_loop
from storage.local import LocalStore
from storage.store import ObjectStore


@asynccontextmanager
async def open_store(settings: StoreSettings, url: str, *, make: bool = True) -> AsyncIterator[ObjectStore]:
    """Open the store at an address.

    url: `file:///path` or `s3://bucket/prefix`, as `Settings.store_url` gives it.
    make: whether to make a folder that is not there; False: the store is away then.

    Raises ConfigError for any other, StoreUnavailable where the folder or the credentials are not there.
    """
    address = urlsplit(url)
    if address.scheme == "file" and not address.netloc and address.path.startswith("/"):
        yield await off_loop(LocalStore, Path(unquote(address.path)), make=make)
    elif address.scheme == "s3" and address.netloc:
        from storage.s3 import open_s3  # boto3 takes a second to import, in each of several processes

        async with open_s3(settings, address.netloc, address.path.strip("/")) as store:
            yield store
    else:
        raise ConfigError(f"store.url is {url!r}; it must be file:///path or s3://bucket/prefix")
