"""How far a job is."""

from streamer.studio.progress import JobProgress


def test_a_task_counts_by_what_it_costs() -> None:
    progress = JobProgress({"video-1": 9.0, "poster": 1.0})
    progress.reached("video-1", 0.5)
    assert progress.fraction == 0.45


def test_fractions_out_of_bounds_are_brought_in() -> None:
    progress = JobProgress({"video-1": 1.0})
    progress.reached("video-1", 7.0)
    assert progress.fraction == 1.0
    progress.reached("video-1", -3.0)
    assert progress.fraction == 0.0


def test_what_is_not_of_the_job_changes_nothing() -> None:
    progress = JobProgress({"video-1": 1.0})
    progress.reached("video-2", 1.0)
    assert progress.fraction == 0.0


def test_the_sentence_counts_finished_parts() -> None:
    progress = JobProgress({"video-1": 1.0, "video-2": 1.0})
    progress.reached("video-1", 1.0)
    assert progress.sentence == "Encoding: 1 of 2 parts done"


def test_a_job_without_tasks_is_done() -> None:
    assert JobProgress({}).fraction == 1.0
