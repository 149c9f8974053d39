import pytest

from streamer.errors import TooManyAttempts
from streamer.members import attempts
from streamer.members.attempts import FailedAttempts


def test_as_many_failures_as_are_allowed_close_a_key_until_the_window_has_passed() -> None:
    failed = FailedAttempts(allowed=3, window_s=60)
    for now_s in (0.0, 10.0, 20.0):
        failed.check("a", now_s)
        failed.failed("a", now_s)
    with pytest.raises(TooManyAttempts) as raised:
        failed.check("a", 25.0)
    assert raised.value.retry_after_s == 35
    failed.check("b", 25.0)
    failed.check("a", 60.0)


def test_a_success_forgets_the_failures() -> None:
    failed = FailedAttempts(allowed=1, window_s=60)
    failed.failed("a", 0.0)
    failed.forget("a")
    failed.check("a", 1.0)


def test_an_attempt_that_is_withdrawn_leaves_those_before_it() -> None:
    failed = FailedAttempts(allowed=2, window_s=60)
    failed.withdraw("a")
    failed.failed("a", 0.0)
    failed.failed("a", 1.0)
    failed.withdraw("a")
    failed.check("a", 2.0)
    failed.failed("a", 2.0)
    with pytest.raises(TooManyAttempts):
        failed.check("a", 2.0)


def test_memory_is_bounded() -> None:
    failed = FailedAttempts(allowed=1, window_s=60)
    for number in range(attempts.KEYS_KEPT + 10):
        failed.failed(str(number), 0.0)
    failed.check("0", 0.0)
    with pytest.raises(TooManyAttempts):
        failed.check(str(attempts.KEYS_KEPT), 0.0)
