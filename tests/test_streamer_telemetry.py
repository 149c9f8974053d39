import json
import subprocess
import sys

from streamer.telemetry import Metrics, redact

JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


def test_secrets_are_taken_out_by_name_and_by_shape() -> None:
    line = redact(
        None,
        "info",
        {
            "event": f"GET /m/URISigningPackage={JWT}/t/v1-p1/x and Authorization: Bearer {JWT}",
            "password": "hush",
            "refresh_token": "hush",
            "s3_secret_key": "hush",
            "Authorization": "hush",
            "error": f"token {JWT} is odd",
            "size": 5,
        },
    )
    text = json.dumps(line)
    assert "hush" not in text
    assert "eyJ" not in text
    assert "URISigningPackage=***/t/v1-p1/x" in text
    assert line["size"] == 5


def test_the_log_is_one_json_object_a_line_also_from_libraries_and_for_defects() -> None:
    program = """
import logging, structlog
from streamer.telemetry import configure_logs
configure_logs("info")
structlog.get_logger().info("ours", number=1)
structlog.get_logger().debug("not this")
logging.getLogger("library").warning("theirs %s", 2)
logging.getLogger("aiohttp.access").info("not this")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("defect")
    logging.getLogger("library").exception("theirs too")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["ours", "theirs 2", "defect", "theirs too"]
    assert all(line["timestamp"].endswith("Z") and line["level"] for line in lines)
    assert "ZeroDivisionError" in lines[2]["exception"]
    assert "ZeroDivisionError" in lines[3]["exception"]


def test_each_process_has_metrics_of_its_own() -> None:
    first, second = Metrics(), Metrics()
    first.sign_ins.labels("accepted").inc()
    assert b'marquee_sign_ins_total{outcome="accepted"} 1.0' in first.exposition()
    assert b"accepted" not in second.exposition()
