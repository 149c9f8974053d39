from transcoder.progress import Progress, ProgressReports

REPORT = """\
frame=125
fps=0.00
stream_0_0_q=-1.0
bitrate= 174.7kbits/s
total_size=108357
out_time_us=4960000
out_time_ms=4960000
out_time=00:00:04.960000
dup_frames=0
drop_frames=0
speed=3.83x
progress=continue
"""


def hear(reports: ProgressReports, text: str) -> list[bool | None]:
    return [reports.hear(line) for line in text.splitlines()]


def test_a_report_becomes_one_value() -> None:
    seen: list[Progress] = []
    heard = hear(ProgressReports(seen.append), REPORT)
    assert seen == [Progress(out_time_us=4960000, frame=125, speed=3.83, total_size=108357)]
    assert heard == [False] * 11 + [True]


def test_the_same_report_again_is_no_news() -> None:
    seen: list[Progress] = []
    reports = ProgressReports(seen.append)
    hear(reports, REPORT)
    assert hear(reports, REPORT.replace("3.83x", "3.60x"))[-1] is False
    assert len(seen) == 1
    assert reports.latest.speed == 3.6


def test_what_is_not_known_yet_counts_as_nothing() -> None:
    reports = ProgressReports(lambda progress: None)
    hear(reports, "frame=0\nout_time_us=N/A\nspeed=N/A\ntotal_size=N/A\nprogress=continue")
    assert reports.latest == Progress()


def test_time_before_the_start_counts_as_nothing() -> None:
    reports = ProgressReports(lambda progress: None)
    hear(reports, "frame=1\nout_time_us=-9223372036854775807\nspeed=nanx\nprogress=continue")
    assert reports.latest == Progress(frame=1)


def test_other_lines_are_words() -> None:
    reports = ProgressReports(lambda progress: None)
    assert hear(reports, "Conversion failed!\n[h264] error=3\nframe 1\n") == [None, None, None]
