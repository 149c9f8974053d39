"""One job: what it waits for and says meanwhile, and how its progress moves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.errors import StoreFull, StoreUnavailable
from streamer.errors import DatabaseUnavailable
from streamer.studio.job_driver import WAITS, JobDriver, JobFailed
from tests.studio_helpers import TASKS, Studio, open_studio, small_film, until
from transcoder.errors import EngineLost, FfmpegFailed, OutOfRoom, Reason, Refused, WorkerDied, WrongEncoder


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_film(tmp_path_factory.mktemp("media"))


@pytest.fixture
async def studio(tmp_path: Path, film: Path) -> AsyncIterator[Studio]:
    async with open_studio(tmp_path, film) as opened:
        yield opened


async def test_whatever_is_away_is_waited_for_and_costs_no_attempt(studio: Studio) -> None:
    job = await studio.add_job()
    away = [StoreUnavailable("x"), StoreFull("x"), EngineLost("x"), OutOfRoom("x"), DatabaseUnavailable("x")]
    assert {type(error) for error in away} == set(WAITS)
    for task, error in zip(["probe", *sorted(TASKS)], away, strict=True):
        studio.engine.troubles[task] = [error]
    await JobDriver(job, studio.workplace()).drive()
    assert (await studio.ledger.job(job.id)).state == "ready"
    assert set((await studio.attempts(job)).values()) == {0}


@pytest.mark.parametrize("task", ["probe", "video-1"])
async def test_a_job_says_what_it_waits_for_until_it_goes_on(studio: Studio, task: str) -> None:
    job = await studio.add_job()
    studio.engine.troubles[task] = [StoreFull("the disk of /secret is full")] * 2
    driving = asyncio.create_task(JobDriver(job, studio.workplace()).drive())
    waiting = await studio.shows(job, lambda row: row.stage == "Waiting: the object store is full")
    assert waiting.progress < 1
    async with asyncio.timeout(60):
        while not driving.done():  # between the two tries it says nothing else
            row = await studio.ledger.job(job.id)
            assert studio.engine.troubles[task] == [] or row.stage == waiting.stage
            await asyncio.sleep(0.05)
    await driving
    assert (await studio.ledger.job(job.id)).stage == "Ready to be published"


async def test_news_of_a_task_end_its_wait(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["video-1"] = [EngineLost("away")]
    driver = JobDriver(job, studio.workplace())
    driving = asyncio.create_task(driver.drive())
    await studio.shows(job, lambda row: row.stage == WAITS[EngineLost])
    studio.engine.gates["video-1"] = asyncio.Event()
    await until(lambda: asyncio.sleep(0, studio.engine.ran.count("video-1") == 2))
    driver.progressed("video-1", 0.5)
    await studio.shows(job, lambda row: row.stage == "Encoding: 3 of 4 parts done")
    studio.engine.gates["video-1"].set()
    await driving


async def test_late_reports_of_a_task_that_is_done_change_nothing(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["video-1"] = asyncio.Event()
    driver = JobDriver(job, studio.workplace())
    driving = asyncio.create_task(driver.drive())
    before = await studio.shows(job, lambda row: row.stage == "Encoding: 3 of 4 parts done")
    driver.progressed("video-2", 0.1)
    driver.progressed("poster", 0.1)
    driver.progressed("video-1", 0.5)
    after = await studio.shows(job, lambda row: row.progress != before.progress)
    assert before.progress < after.progress < 1
    assert after.stage == before.stage
    studio.engine.gates["video-1"].set()
    await driving


async def test_a_worker_that_dies_costs_an_attempt(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["video-1"] = [WorkerDied("killed")]
    await JobDriver(job, studio.workplace()).drive()
    assert (await studio.attempts(job))["video-1"] == 1


async def test_attempts_count_over_restarts(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["video-1"] = [FfmpegFailed("one", 1), FfmpegFailed("two", 1), EngineLost("x")]
    driving = asyncio.create_task(JobDriver(job, studio.workplace()).drive())
    await studio.shows(job, lambda row: row.stage == WAITS[EngineLost])
    driving.cancel()
    await asyncio.wait({driving})
    studio.engine.troubles["video-1"] = [FfmpegFailed("three", 1)]
    with pytest.raises(JobFailed, match="video-1 failed 3 times: three"):
        await JobDriver(job, studio.workplace()).drive()


async def test_an_encoder_that_changed_ends_the_job_at_once(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["video-2"] = [WrongEncoder("another x264; upload again")]
    with pytest.raises(JobFailed) as failed:
        await JobDriver(job, studio.workplace()).drive()
    assert (failed.value.code, failed.value.sentence) == ("encoder-changed", "another x264; upload again")


async def test_of_tasks_that_fail_together_the_refusal_is_told_and_the_others_end(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["video-1"] = studio.engine.gates["poster"] = asyncio.Event()
    studio.engine.troubles["video-2"] = [Refused(Reason.DAMAGED, "It is damaged.")]
    async with asyncio.timeout(60):
        with pytest.raises(Refused):
            await JobDriver(job, studio.workplace()).drive()


async def test_the_plan_of_a_job_stays_as_it_was_fixed(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.troubles["video-1"] = [FfmpegFailed("x", 1)]
    with pytest.raises(JobFailed):
        await JobDriver(job, studio.workplace(attempts=1)).drive()
    fixed = (await studio.ledger.job(job.id)).plan
    await JobDriver(job, studio.workplace(segment_s=2.0, preset="slow")).drive()
    assert (await studio.ledger.job(job.id)).plan == fixed
    assert studio.engine.ran.count("probe") == 1


async def test_a_restart_after_the_index_was_stored_finishes_the_job(studio: Studio) -> None:
    job = await studio.add_job()
    studio.engine.gates["poster"] = asyncio.Event()
    driving = asyncio.create_task(JobDriver(job, studio.workplace()).drive())
    await studio.shows(job, lambda row: row.stage == "Encoding: 3 of 4 parts done")
    driving.cancel()
    await asyncio.wait({driving})
    studio.engine.gates.clear()
    await studio.store.put(f"titles/{job.title_id}/v1/index.json", b"{}")
    await JobDriver(job, studio.workplace()).drive()
    assert (await studio.ledger.job(job.id)).state == "ready"
