"""How often one address or one account may fail to sign in."""

from collections import OrderedDict, deque

from streamer.errors import TooManyAttempts

KEYS_KEPT = 100_000


class FailedAttempts:
    """Times of failures by key, in memory. The least recently failed keys are forgotten beyond KEYS_KEPT."""

    def __init__(self, allowed: int, window_s: int) -> None:
        self._allowed = allowed
        self._window_s = window_s
        self._times_s: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str, now_s: float) -> None:
        """Raises TooManyAttempts while as many failures as are allowed lie within the window."""
        times_s = self._times_s.get(key)
        while times_s and times_s[0] <= now_s - self._window_s:
            times_s.popleft()
        if times_s and len(times_s) >= self._allowed:
            wait_s = max(1, round(times_s[0] + self._window_s - now_s))
            raise TooManyAttempts(f"too many failed sign-ins; try again in {wait_s} seconds", wait_s)

    def failed(self, key: str, now_s: float) -> None:
        times_s = self._times_s.setdefault(key, deque(maxlen=self._allowed))
        times_s.append(now_s)
        self._times_s.move_to_end(key)
        if len(self._times_s) > KEYS_KEPT:
            self._times_s.popitem(last=False)

    def withdraw(self, key: str) -> None:
        """The last attempt was none that failed; those before it stay counted."""
        if times_s := self._times_s.get(key):
            times_s.pop()

    def forget(self, key: str) -> None:
        self._times_s.pop(key, None)
