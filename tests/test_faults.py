"""Whatever happens in the middle of an encode: nothing lost, nothing done twice, nothing half published.

The server is a real one in processes of its own, reached through its API; the pictures are small and the encoder slow.
"""

import asyncio
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from streamer.client import ApiProblem
from tests.faults_helpers import Marquee, eventually, marquee, wait_for
from tests.intake_helpers import cut, make
from tests.needed import needed
from tests.postgres import postgres_server
from tests.small_disk import MOUNTS

pytestmark = pytest.mark.slow

ENDS_WITHIN_S = 15.0
"Server and engine together; some seconds where nothing else runs."


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 seconds in eight chunks."""
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=64")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=64")
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac")
    return make(tmp_path_factory.mktemp("media") / "film.mp4", *pictures, *sound, *coded)


@pytest.fixture(scope="module")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=3")
    return make(tmp_path_factory.mktemp("media") / "short.mp4", *pictures, "-c:v", "libx264")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marquee]:
    with marquee(tmp_path_factory.mktemp("marquee"), more="[database]\ntimeout_s = 2\n") as running:
        yield running


async def test_two_encodes_of_one_title_at_once_both_finish_and_the_newer_is_published(
    server: Marquee, film: Path, short_film: Path
) -> None:
    title_id = await server.upload(film)
    await server.in_the_middle(title_id)
    await server.upload(short_film, title_id)
    newer = await server.reaches(title_id, "published")
    assert newer["version"] == 2
    assert (await server.states(title_id))[1] == "encoding"
    await eventually(lambda: server.states(title_id), {1: "ready", 2: "published"})
    title = await server.ask("GET", f"/api/v1/titles/{title_id}")
    assert 2 < title["duration_s"] < 4


async def test_a_worker_killed_in_the_middle_costs_its_chunk_one_attempt_and_the_others_none(
    server: Marquee, film: Path
) -> None:
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    before = server.objects(title_id)
    os.kill(server.workers()[0], signal.SIGKILL)
    await server.reaches(title_id, "published")
    attempts = {name: failed for name, (_, failed) in server.tasks(title_id).items()}
    assert sum(attempts.values()) <= 1, attempts
    assert all(attempts[name] == 0 for name in done)
    after = server.objects(title_id)
    assert before == {key: after[key] for key in before}
    wait_for(lambda: len(server.workers()) == 2)


async def test_the_server_killed_in_the_middle_goes_on_by_itself(server: Marquee, film: Path) -> None:
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    before = server.objects(title_id)
    (pid,) = server.pids("streamer.server")
    os.kill(pid, signal.SIGKILL)
    await _finished_without_loss(server, title_id, done, before)


async def test_the_engine_killed_in_the_middle_goes_on_by_itself(server: Marquee, film: Path) -> None:
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    before = server.objects(title_id)
    (pid,) = server.pids("transcoder.engine_process")
    os.kill(pid, signal.SIGKILL)
    await _finished_without_loss(server, title_id, done, before)


async def test_everything_killed_in_the_middle_goes_on_after_a_new_start(server: Marquee, film: Path) -> None:
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    server.kill_all()
    wait_for(lambda: not server.ffmpegs() and not server.workers())
    before = server.objects(title_id)
    server.start()
    await _finished_without_loss(server, title_id, done, before)


async def test_a_cancel_leaves_no_process_and_no_object(server: Marquee, film: Path, short_film: Path) -> None:
    title_id = await server.upload(film)
    await server.in_the_middle(title_id)
    cancelled = await server.ask("DELETE", f"/api/v1/titles/{title_id}/job")
    assert cancelled["state"] == "cancelled"
    assert server.ffmpegs() == []
    assert server.objects(title_id) == {}
    with pytest.raises(ApiProblem) as refused:
        await server.ask("DELETE", f"/api/v1/titles/{title_id}/job")
    assert (refused.value.status, refused.value.code) == (409, "conflict")
    assert list((server.data / "work").glob("task-*")) == []
    # The workers are free again.
    await server.reaches(await server.upload(short_film, title_id), "published")
    assert server.objects(title_id, version=1) == {}


async def test_a_cancel_by_a_server_that_was_just_restarted_ends_what_its_forerunner_began(
    server: Marquee, film: Path
) -> None:
    title_id = await server.upload(film)
    await server.in_the_middle(title_id)
    (pid,) = server.pids("streamer.server")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: server.pids("streamer.server") not in ([], [pid]))
    await server.shows(title_id, lambda job: job["state"] == "encoding")
    assert (await server.ask("DELETE", f"/api/v1/titles/{title_id}/job"))["state"] == "cancelled"
    wait_for(lambda: not server.ffmpegs() and not server.objects(title_id))


@pytest.mark.parametrize(
    ("name", "code", "content"),
    [
        ("noise.mp4", "not-media", b"This is no film at all. " * 400),
        ("list.mp4", "playlist", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("cut.mp4", "truncated", b""),
    ],
)
async def test_a_refused_original_says_why_and_is_gone(
    server: Marquee, film: Path, tmp_path: Path, name: str, code: str, content: bytes
) -> None:
    bad = cut(film, tmp_path / name)
    if content:
        bad.write_bytes(content)
    title_id = await server.upload(bad)
    job = await server.reaches(title_id, "rejected")
    assert job["reason"]["code"] == code
    assert job["reason"]["sentence"] == job["stage"]
    assert job["reason"]["sentence"].endswith(".")
    assert server.objects(title_id) == {}


async def test_a_store_that_is_away_is_waited_for(server: Marquee, film: Path) -> None:
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    store, aside = server.data / "store", server.data / "store.aside"
    store.rename(aside)
    try:
        job = await server.shows(title_id, lambda job: job["stage"].startswith("Waiting"))
        assert job["stage"] == "Waiting: the object store does not answer"
        assert await retry_after(server, "/readyz") == (503, True)
    finally:
        aside.rename(store)
    before = server.objects(title_id)
    await _finished_without_loss(server, title_id, done, before)


async def test_a_locked_database_is_waited_for(server: Marquee, film: Path) -> None:
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    with closing(sqlite3.connect(server.data / "marquee.db", timeout=30, isolation_level=None)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        with pytest.raises(ApiProblem) as refused:
            await server.ask("POST", "/api/v1/titles", {"name": "x", "kind": "film"})
        assert (refused.value.status, refused.value.code) == (503, "database-unavailable")
        await asyncio.sleep(3)  # chunks are finished meanwhile, and cannot be written down
        locking.execute("ROLLBACK")
    await _finished_without_loss(server, title_id, done, server.objects(title_id))


async def test_ffmpeg_that_fails_three_times_ends_the_job_with_its_last_words(server: Marquee, film: Path) -> None:
    server.end()
    server.write_config(preset="no-such-preset")
    server.start()
    title_id = await server.upload(film)
    job = await server.reaches(title_id, "failed")
    assert job["reason"]["code"] == "encode-failed"
    assert re.match(r"video-\d failed 3 times: .*no-such-preset", job["reason"]["sentence"], re.DOTALL)
    assert str(server.data) not in job["reason"]["sentence"]
    wait_for(lambda: not server.ffmpegs() and not server.objects(title_id))
    assert max(failed for _, failed in server.tasks(title_id).values()) == 3


async def test_a_server_that_is_asked_to_end_in_the_middle_does_and_goes_on_later(server: Marquee, film: Path) -> None:
    server.end()
    server.write_config()
    server.start()
    title_id = await server.upload(film)
    done = await server.in_the_middle(title_id)
    assert server.end() < ENDS_WITHIN_S
    assert server.ffmpegs() == [] and server.workers() == []
    before = server.objects(title_id)
    server.start()
    await _finished_without_loss(server, title_id, done, before)
    assert server.end() < ENDS_WITHIN_S
    server.start()


async def test_a_full_store_is_waited_for(tmp_path: Path, film: Path) -> None:
    needed(MOUNTS)
    store = tmp_path / "data/store"
    store.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size=64m tmpfs {store} && exec "$@"'
    with marquee(tmp_path, before=("unshare", "-rm", "sh", "-c", mount, "sh")) as server:
        (pid,) = server.pids("streamer.server")
        seen = Path(f"/proc/{pid}/root{store}")
        title_id = await server.upload(film)
        await server.shows(title_id, lambda job: job["state"] == "encoding")
        filler = seen / "filler"
        with filler.open("wb") as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(2**16))
                file.flush()
        await server.shows(title_id, lambda job: job["stage"] == "Waiting: the object store is full")
        filler.unlink()
        await server.reaches(title_id, "published")
        assert {failed for _, failed in server.tasks(title_id).values()} == {0}


async def test_a_postgresql_that_is_away_is_waited_for(tmp_path: Path, film: Path) -> None:
    with postgres_server() as postgres:
        more = f'[database]\nurl = "{postgres.create_database()}"\ntimeout_s = 2'
        with marquee(tmp_path, more=more) as server:
            title_id = await server.upload(film)
            await server.shows(title_id, lambda job: job["progress"] > 0.1)
            await asyncio.to_thread(postgres.stop)
            assert await retry_after(server, "/readyz") == (503, True)
            assert await retry_after(server, f"/api/v1/titles/{title_id}/job") == (503, True)
            await asyncio.sleep(3)  # chunks are finished meanwhile, and cannot be written down
            await asyncio.to_thread(postgres.start)
            await server.reaches(title_id, "published")


async def retry_after(server: Marquee, path: str) -> tuple[int, bool]:
    """The status of an answer, and whether it says when to come again."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {server.token}"}) as session:
        async with session.get(server.address + path) as answered:
            return answered.status, "Retry-After" in answered.headers


async def _finished_without_loss(server: Marquee, title_id: str, done: set[str], before: dict[str, int]) -> None:
    """What was done before is done no second time, and no attempt is counted against anybody."""
    await server.reaches(title_id, "published")
    assert {failed for _, failed in server.tasks(title_id).values()} == {0}
    assert done <= server.done(title_id)
    after = server.objects(title_id)
    assert before == {key: after[key] for key in before}
