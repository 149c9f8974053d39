"""What the local store does for its files: several processes, crashes, full disks."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from config.settings import StoreSettings
from storage.errors import ObjectExists, ObjectNotFound, StoreUnavailable
from storage.local import LocalStore
from storage.open import open_store
from tests.small_disk import run_on_small_disk

KEY = "originals/film"

# Run in processes of their own: they fill their disk, or are killed. `blocks` gives bytes for ever, and says so.
PROLOGUE = """
import asyncio, sys
from pathlib import Path
from storage.errors import *
from storage.local import LocalStore

store = LocalStore(Path(sys.argv[1]))

async def blocks(count=None):
    number = 0
    while count is None or number < count:
        yield b"x" * 2**20
        number += 1
        print(number, flush=True)
        await asyncio.sleep(0.01)

async def main():
"""
EPILOGUE = """
asyncio.run(main())
"""


def script(body: str) -> str:
    return PROLOGUE + "".join(f"    {line}\n" for line in body.strip().splitlines()) + EPILOGUE


def begin(body: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script(body), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_after_lines(process: subprocess.Popen[str], lines: int) -> None:
    assert process.stdout
    with process, process.stdout:
        for _ in range(lines):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


async def test_one_of_many_puts_at_the_same_time_wins(tmp_path: Path) -> None:
    stores = [LocalStore(tmp_path) for _ in range(3)]
    puts = [store.put(KEY, bytes([number]) * 100_000) for number in range(5) for store in stores]
    done = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(each is None for each in done) == 1
    assert sum(isinstance(each, ObjectExists) for each in done) == len(puts) - 1
    assert len(set(await stores[0].get(KEY))) == 1
    assert files_below(tmp_path) == {KEY}


async def test_putting_and_deleting_neighbours_at_the_same_time_loses_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)

    async def come_and_go(number: int) -> None:
        for _ in range(20):
            await store.put(f"a/b/c/{number}", b"x")
            await store.delete(f"a/b/c/{number}")
        await store.put(f"a/b/c/{number}", b"x")

    await asyncio.gather(*(come_and_go(number) for number in range(4)))
    assert [info.key async for info in store.list("")] == [f"a/b/c/{number}" for number in range(4)]


def test_what_a_crashed_process_left_is_cleaned_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    waits = "from contextlib import ExitStack; from storage.files import new_temporary; held = ExitStack()\n"
    waits += "print(new_temporary(Path(sys.argv[1]) / '.tmp', held)[1], flush=True); await asyncio.sleep(60)"
    dead, living = begin(waits, tmp_path), begin(waits, tmp_path)
    assert dead.stdout and living.stdout
    left, held = Path(dead.stdout.readline().strip()), Path(living.stdout.readline().strip())
    kill_after_lines(dead, 0)
    assert left.exists()
    LocalStore(tmp_path)
    assert not left.exists()
    assert held.exists()
    kill_after_lines(living, 0)


async def test_what_came_before_a_kill_is_kept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    upload_id = await store.begin_upload(KEY)
    writes = f"await store.append({KEY!r}, {upload_id!r}, 0, blocks(), whole=False)"
    kill_after_lines(await asyncio.to_thread(begin, writes, tmp_path), 8)
    size = await store.upload_size(KEY, upload_id)
    assert size >= 7 * 2**20
    await store.append(KEY, upload_id, size, _blocks(b"end"), whole=False)
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == b"x" * size + b"end"


async def test_what_was_not_whole_when_its_process_was_killed_does_not_count(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    upload_id = await store.begin_upload(KEY)
    await store.append(KEY, upload_id, 0, _blocks(b"kept"), whole=True)
    writes = f"await store.append({KEY!r}, {upload_id!r}, 4, blocks(), whole=True)"
    kill_after_lines(await asyncio.to_thread(begin, writes, tmp_path), 8)
    assert (tmp_path / ".uploads" / upload_id).stat().st_size > 4
    assert await store.upload_size(KEY, upload_id) == 4
    await store.append(KEY, upload_id, 4, _blocks(b" and whole"), whole=True)
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == b"kept and whole"
    assert files_below(tmp_path) == {KEY}


async def test_an_upload_is_finished_again_after_a_crash_in_the_middle_of_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    upload_id = await store.begin_upload(KEY)
    await store.append(KEY, upload_id, 0, _blocks(b"film"), whole=False)
    (tmp_path / "originals").mkdir()
    os.link(tmp_path / ".uploads" / upload_id, tmp_path / KEY)  # As far as the process came.
    await store.finish_upload(KEY, upload_id)
    assert await store.get(KEY) == b"film"
    assert files_below(tmp_path) == {KEY}


FILL = """
try:
    await store.put("a/large", bytes(8 * 2**20))
except StoreFull as error:
    print("full:", error, flush=True)
files = [path for path in Path(sys.argv[1]).rglob("*") if path.is_file()]
assert not files, files
await store.put("a/small", b"small")
upload_id = await store.begin_upload("film")
try:
    await store.append("film", upload_id, 0, blocks(8), whole=True)
except StoreFull as error:
    print("full:", error, flush=True)
assert await store.upload_size("film", upload_id) == 0
try:
    await store.append("film", upload_id, 0, blocks(8), whole=False)
except StoreFull as error:
    print("full:", error, flush=True)
kept = await store.upload_size("film", upload_id)
assert 0 < kept < 8 * 2**20, kept
assert await store.get("a/small") == b"small"
await store.abort_upload("film", upload_id)
await store.put("a/after", b"room again")
print("done", flush=True)
"""


def test_a_full_disk_is_said_to_be_full_and_nothing_half_is_left(tmp_path: Path) -> None:
    said = run_on_small_disk(script(FILL), tmp_path, 4 * 2**20)
    assert said.count("full: ") == 3
    assert "No space left on device" in said


def test_a_file_larger_than_the_process_may_write_is_no_room_either(tmp_path: Path) -> None:
    command = ["prlimit", f"--fsize={4 * 2**20}", sys.executable, "-c", script(FILL), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("full: ") == 3


async def test_a_disk_that_is_not_mounted_is_an_outage_and_nothing_is_written_in_its_place(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    await store.put(KEY, b"film")
    (tmp_path / "store").rename(tmp_path / "away")
    (tmp_path / "store").mkdir()  # the mount point
    for asked in (store.get(KEY), store.delete(KEY), store.put("other", b"x")):
        with pytest.raises(StoreUnavailable):
            await asked
    with pytest.raises(StoreUnavailable):
        async with open_store(StoreSettings(), (tmp_path / "store").as_uri(), make=False):
            raise AssertionError("a store was made")
    assert list((tmp_path / "store").iterdir()) == []
    (tmp_path / "store").rmdir()
    (tmp_path / "away").rename(tmp_path / "store")
    async with open_store(StoreSettings(), (tmp_path / "store").as_uri(), make=False) as again:
        assert await again.get(KEY) == b"film"


async def test_a_folder_that_went_away_is_an_outage_and_not_missing_objects(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    await store.put(KEY, b"film")
    upload_id = await store.begin_upload(KEY)
    (tmp_path / "store").rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable):
        await store.get(KEY)
    with pytest.raises(StoreUnavailable):
        await store.put("other", b"x")
    with pytest.raises(StoreUnavailable):
        await store.check()
    with pytest.raises(StoreUnavailable):
        assert [info async for info in store.list("")]
    with pytest.raises(StoreUnavailable):
        await store.delete(KEY)
    with pytest.raises(StoreUnavailable):
        await store.upload_size(KEY, upload_id)
    assert not (tmp_path / "store").exists()
    (tmp_path / "away").rename(tmp_path / "store")
    assert await store.get(KEY) == b"film"


async def test_a_file_from_the_store_is_the_object_itself_where_that_is_possible(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    await store.put(KEY, b"film")
    await store.get_file(KEY, tmp_path / "copy")
    assert (tmp_path / "copy").samefile(tmp_path / "store" / KEY)
    assert not (tmp_path / "copy").stat().st_mode & 0o222


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one file system only")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


async def test_a_file_from_a_store_on_another_disk_is_a_copy(tmp_path: Path, other_disk: Path) -> None:
    store = LocalStore(tmp_path)
    await store.put(KEY, b"film")
    await store.get_file(KEY, other_disk / "copy")
    assert (other_disk / "copy").read_bytes() == b"film"
    assert files_below(other_disk) == {"copy"}


async def test_a_cancelled_copy_leaves_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(512 * 2**20)
    task = asyncio.create_task(store.put_file(KEY, source))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_below(tmp_path / "store") == set()


async def test_a_path_that_cannot_be_a_folder_is_said_at_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"folder .*file/store cannot be used"):
        LocalStore(tmp_path / "file" / "store")


@pytest.mark.parametrize("url", ["", "/tmp/x", "ftp://x/y", "file://host/path", "file:relative", "s3:///prefix"])
async def test_an_address_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="file:///path or s3://bucket/prefix"):
        async with open_store(StoreSettings(), url):
            pass


async def test_spaces_in_an_address_are_spaces_in_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "with space and 100%"
    async with open_store(StoreSettings(), folder.as_uri()) as store:
        await store.put(KEY, b"x")
    assert (folder / KEY).read_bytes() == b"x"
    with pytest.raises(ObjectNotFound):
        await LocalStore(tmp_path / "other").get(KEY)


async def _blocks(data: bytes) -> AsyncIterator[bytes]:
    yield data
