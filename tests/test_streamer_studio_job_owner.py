"""Every job comes to its end, whatever happens on the way, and what came to nothing leaves nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from storage.errors import StoreUnavailable
from streamer.errors import Conflict, NotFound
from tests.streamer_helpers import NOW
from tests.studio_helpers import TASKS, Studio, open_studio, small_film, until
from transcoder.errors import Cancelled, EngineLost, FfmpegFailed, Reason, Refused


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_film(tmp_path_factory.mktemp("media"))


@pytest.fixture
async def studio(tmp_path: Path, film: Path) -> AsyncIterator[Studio]:
    async with open_studio(tmp_path, film) as opened:
        yield opened


async def test_an_original_becomes_a_published_version(studio: Studio) -> None:
    job = await studio.add_job()
    async with studio.owner():
        row = await studio.becomes(job, "published")
    assert (row.progress, row.reason_code) == (1.0, "")
    title = await studio.catalogue.get(job.title_id)
    assert title.published_version == 1
    assert sorted(studio.engine.ran) == sorted([*TASKS, "probe"])
    assert f"titles/{job.title_id}/v1/index.json" in await studio.objects(job)


async def test_a_woken_owner_does_not_wait_to_look(studio: Studio) -> None:
    async with studio.owner() as owner:
        await asyncio.sleep(0.1)  # it has looked, and looks again in two seconds
        job = await studio.add_job()
        owner.wake()
        async with asyncio.timeout(1.5):
            await until(lambda: asyncio.sleep(0, studio.engine.ran))
        await studio.becomes(job, "published")


async def test_a_manual_job_waits_for_a_person_and_a_time_for_its_time(studio: Studio) -> None:
    manual = await studio.add_job(publish="manual")
    later = await studio.add_job(publish=(NOW + timedelta(hours=1)).isoformat())
    async with studio.owner() as owner:
        await studio.becomes(manual, "ready")
        await studio.becomes(later, "ready")
        studio.clock.pass_s(3600)
        owner.wake()
        await studio.becomes(later, "published")
    assert (await studio.ledger.job(manual.id)).state == "ready"


async def test_an_older_version_that_is_finished_later_does_not_replace_a_newer_one(studio: Studio) -> None:
    title_id = await studio.add_title()
    older, newer = await studio.add_job(title_id), await studio.add_job(title_id)
    gate = studio.engine.gates[f"{older.id} poster"] = asyncio.Event()
    async with studio.owner():
        await studio.becomes(newer, "published")
        gate.set()
        await until(lambda: _published_by_hand_only(studio, older.id))
    assert (await studio.catalogue.get(title_id)).published_version == 2
    assert (await studio.ledger.job(older.id)).state == "ready"


async def _published_by_hand_only(studio: Studio, job_id: str) -> bool:
    return (await studio.ledger.job(job_id)).publish == "manual"


async def test_a_refused_original_says_why_and_leaves_nothing(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["probe"] = [Refused(Reason.PLAYLIST, "The file is a playlist.")]
    async with studio.owner():
        row = await studio.becomes(job, "rejected")
        await studio.is_cleared(job)
    assert (row.reason_code, row.reason_sentence) == ("playlist", "The file is a playlist.")


@pytest.mark.parametrize("task", ["probe", "video-2"])
async def test_what_fails_three_times_ends_the_job_with_its_last_words(studio: Studio, task: str) -> None:
    job = await studio.add_job()
    studio.engine.gates["audio-a1-und-96"] = asyncio.Event()  # a sibling that would run for ever
    studio.engine.troubles[task] = [FfmpegFailed(f"words {n}", 1) for n in (1, 2, 3)]
    async with studio.owner():
        row = await studio.becomes(job, "failed")
        await studio.is_cleared(job)
    assert (row.reason_code, row.reason_sentence) == ("encode-failed", f"{task} failed 3 times: words 3")
    assert studio.engine.ran.count(task) == (await studio.attempts(job))[task] == 3
    assert {state.state for state in await studio.ledger.tasks(job.id)} == {"dropped"}


async def test_what_fails_twice_is_not_given_up(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["video-1"] = [FfmpegFailed("once", 1), FfmpegFailed("twice", 1)]
    async with studio.owner():
        await studio.becomes(job, "published")
    assert (await studio.attempts(job))["video-1"] == 2


async def test_an_original_that_is_not_there_fails_instead_of_waiting_for_ever(studio: Studio) -> None:
    job = await studio.add_job(stored=False)
    async with studio.owner():
        row = await studio.becomes(job, "failed")
    assert "there is no object originals/" in row.reason_sentence


async def test_a_defect_ends_one_job_and_not_the_owner(studio: Studio) -> None:
    broken, sound = await studio.add_job(), await studio.add_job()
    studio.engine.troubles["video-1"] = [ZeroDivisionError("x")]
    async with studio.owner(parallel_titles=1):
        row = await studio.becomes(broken, "failed")
        await studio.becomes(sound, "published")
    assert (row.reason_code, row.reason_sentence) == (
        "internal-error",
        "A defect stopped the encode: ZeroDivisionError.",
    )


async def test_a_new_owner_goes_on_and_does_nothing_twice(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["video-2"] = asyncio.Event()
    async with studio.owner():

        async def others_are_done() -> bool:
            tasks = await studio.ledger.tasks(job.id)
            return {task.name for task in tasks if task.state == "done"} == TASKS - {"video-2"} | {"probe"}

        await until(others_are_done)
    studio.engine.gates.clear()
    studio.engine.ran.clear()
    async with studio.owner():
        await studio.becomes(job, "published")
    assert studio.engine.ran == ["video-2"]


async def test_jobs_beyond_the_limit_say_how_many_are_ahead(studio: Studio) -> None:
    first, second, third = [await studio.add_job() for _ in range(3)]
    gate = studio.engine.gates["probe"] = asyncio.Event()
    async with studio.owner(parallel_titles=1):
        await studio.shows(second, lambda row: row.stage == "Waiting: 1 job ahead")
        await studio.shows(third, lambda row: row.stage == "Waiting: 2 jobs ahead")
        gate.set()
        for job in (first, second, third):
            await studio.becomes(job, "published")


async def test_a_cancelled_job_leaves_nothing_and_is_not_cancelled_again(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["video-2"] = asyncio.Event()
    async with studio.owner() as owner:
        await until(lambda: studio.objects(job))
        row = await owner.cancel(job.title_id)
        assert (row.state, row.stage, row.reason_code) == ("cancelled", "Cancelled", "")
        assert await studio.objects(job) == []
        await studio.is_cleared(job)
        with pytest.raises(Conflict, match="the job is cancelled; there is nothing to cancel"):
            await owner.cancel(job.title_id)
        with pytest.raises(NotFound):
            await owner.cancel("x" * 22)


@pytest.mark.parametrize("moment", ["probe", "poster"])
async def test_a_job_cancelled_at_any_moment_stays_cancelled(studio: Studio, moment: str) -> None:
    job = await studio.add_job()
    gate = studio.engine.gates[moment] = asyncio.Event()
    async with studio.owner() as owner:
        await until(lambda: asyncio.sleep(0, moment in studio.engine.ran))
        # As another process does it: this owner learns of it from the ledger.
        await studio.ledger.end(job.id, "cancelled", stage="Cancelled")
        gate.set()
        owner.wake()
        await studio.is_cleared(job)
    assert (await studio.ledger.job(job.id)).state == "cancelled"
    assert (await studio.catalogue.versions(job.title_id)) == ()


async def test_the_newest_job_with_work_left_is_the_one_that_is_cancelled(studio: Studio) -> None:
    title_id = await studio.add_title()
    older, newer = await studio.add_job(title_id), await studio.add_job(title_id)
    await studio.ledger.end(newer.id, "rejected")
    async with studio.owner() as owner:
        assert (await owner.cancel(title_id)).id == older.id


async def test_what_could_not_be_cleared_away_is_later(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["video-2"] = asyncio.Event()
    studio.engine.troubles["stop"] = [EngineLost("away"), StoreUnavailable("away")]
    async with studio.owner() as owner:
        await until(lambda: studio.objects(job))
        assert (await owner.cancel(job.title_id)).state == "cancelled"
        assert studio.engine.stopped == []
        await studio.is_cleared(job)


async def test_a_crash_in_the_middle_of_a_cancel_is_made_good(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["video-2"] = asyncio.Event()
    async with studio.owner():
        await until(lambda: studio.objects(job))
    await studio.ledger.end(job.id, "cancelled", stage="Cancelled")
    async with studio.owner():
        await studio.is_cleared(job)


async def test_a_job_that_a_worker_took_for_cancelled_ends(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["poster"] = [Cancelled("stopped")]
    async with studio.owner():
        await studio.becomes(job, "cancelled")
        await studio.is_cleared(job)
    assert studio.engine.ran.count("poster") == 1
