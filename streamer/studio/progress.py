"""How far a job is: a number and a sentence, from what its tasks report."""

from collections.abc import Mapping


class JobProgress:
    """The fractions of one job's tasks, each weighed by what it costs. Without any, they are not known yet."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self._fractions = dict.fromkeys(weights, 0.0)
        self._done: set[str] = set()

    def reached(self, task: str, fraction: float) -> None:
        """A task got so far. One that begins again starts from nothing.

        Passed over is what is not of this job, and what comes late: reports and results travel on different ways.
        """
        if task in self._fractions and task not in self._done:
            self._fractions[task] = min(max(fraction, 0.0), 1.0)

    def done(self, task: str) -> None:
        """A task of the job is done."""
        self.reached(task, 1.0)
        self._done.add(task)

    @property
    def fraction(self) -> float:
        whole = sum(self._weights.values())
        done = sum(self._weights[task] * fraction for task, fraction in self._fractions.items())
        return round(done / whole, 4) if whole else 0.0

    @property
    def sentence(self) -> str:
        if not self._fractions:
            return "Looking at the original"
        if len(self._done) == len(self._fractions):
            return "Writing the index"
        return f"Encoding: {len(self._done)} of {len(self._fractions)} parts done"
