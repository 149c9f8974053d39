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


def test_a_task_that_is_done_does_not_go_back() -> None:
    progress = JobProgress({"video-1": 1.0, "video-2": 1.0})
    progress.done("video-1")
    progress.reached("video-1", 0.3)
    assert progress.fraction == 0.5
    progress.reached("video-2", 0.6)
    progress.reached("video-2", 0.0)
    assert progress.fraction == 0.5


def test_the_sentence_counts_what_is_done_and_not_what_only_says_so() -> None:
    progress = JobProgress({"video-1": 1.0, "video-2": 1.0})
    progress.done("video-1")
    progress.reached("video-2", 1.0)
    assert progress.sentence == "Encoding: 1 of 2 parts done"
    progress.done("video-2")
    assert progress.sentence == "Writing the index"


def test_a_job_whose_tasks_are_not_known_yet_has_done_nothing() -> None:
    assert (JobProgress({}).fraction, JobProgress({}).sentence) == (0.0, "Looking at the original")
