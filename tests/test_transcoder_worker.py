"""How the one order of a worker is stopped: from another thread, at any moment."""

import asyncio
import errno
import pickle
from concurrent.futures import Future

import pytest

from transcoder.errors import OutOfRoom, TranscodeError
from transcoder.worker import Bench, Outcome, trouble_of


async def hold(bench: Bench, begun: "Future[None]") -> str:
    with bench.held("job") as stop:
        begun.set_result(None)
        async with asyncio.timeout(20):
            await stop.wait()
    return "stopped"


@pytest.mark.parametrize("job_id", ["job", None])
async def test_a_running_order_is_stopped_and_its_end_is_told(job_id: str | None) -> None:
    bench, begun = Bench(), Future[None]()
    running = asyncio.create_task(asyncio.to_thread(asyncio.run, hold(bench, begun)))
    await asyncio.wrap_future(begun)
    ended = bench.stop(job_id)
    assert ended is not None
    async with asyncio.timeout(20):
        await asyncio.wrap_future(ended)
        assert await running == "stopped"
    assert bench.stop(job_id) is None


async def test_an_order_of_another_job_goes_on() -> None:
    bench = Bench()
    with bench.held("job") as stop:
        assert bench.stop("another") is None
        await asyncio.sleep(0)
        assert not stop.is_set()


async def test_an_order_that_comes_after_its_job_was_stopped_does_not_begin() -> None:
    bench = Bench()
    assert bench.stop("job") is None
    with bench.held("job") as stop:
        assert stop.is_set()
    assert bench.has_stopped("job")


async def test_stopping_everything_is_held_against_no_job() -> None:
    bench = Bench()
    bench.stop(None)
    with bench.held("job") as stop:
        assert not stop.is_set()
    assert not bench.has_stopped("job")


async def test_nobody_who_waits_for_an_end_can_take_it_from_the_others() -> None:
    bench = Bench()
    with bench.held("job"):
        first, second = (bench.stop("job") for _ in range(2))
        assert first is not None and second is not None
        waiting = asyncio.create_task(_wait(first))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
    assert second.done() and not second.cancelled()


async def _wait(ended: "Future[None]") -> None:
    await asyncio.wrap_future(ended)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_of_the_worker_passes(number: int) -> None:
    assert type(trouble_of(OSError(number, "full", "/secret/path"))) is OutOfRoom


def test_other_trouble_with_the_disk_is_told_without_a_path() -> None:
    trouble = trouble_of(OSError(errno.EIO, "Input/output error", "/secret/path"))
    assert type(trouble) is TranscodeError
    assert "Input/output error" in str(trouble) and "secret" not in str(trouble)


def test_an_outcome_survives_its_way_between_processes() -> None:
    outcome = pickle.loads(pickle.dumps(Outcome({"a": 1}, OutOfRoom("full", 1))))
    assert outcome.made == {"a": 1}
    assert str(outcome.error) == "full"
