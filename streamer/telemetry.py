"""What the operator sees: JSON lines without secrets, and Prometheus metrics."""

import logging
import re
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from structlog.typing import EventDict, Processor

SECRET_KEYS = re.compile(r"(?i)password|secret|token|authorization|cookie")
SECRET_VALUES = re.compile(r"(URISigningPackage=)[^/\s\"']+|((?i:bearer )|(?<![\w-]))eyJ[\w-]+\.[\w-]+\.[\w-]*")
LATENCIES_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Take out what must not be logged, whoever logs it."""
    return {key: "***" if SECRET_KEYS.search(key) else _without_tokens(value) for key, value in event.items()}


def _without_tokens(value: Any) -> Any:
    return SECRET_VALUES.sub(r"\1\2***", value) if isinstance(value, str) else value


def configure_logs(level: str) -> None:
    """One JSON object a line on standard error, from our own log calls and the libraries'. For the command alone."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("aiohttp.access", "sqlalchemy", "botocore", "urllib3", "asyncio", "alembic", "distributed"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))


class Metrics:
    """All metrics of a process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "marquee_http_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "marquee_http_request_seconds",
            "Time from a request's header to the end of its answer.",
            ["route"],
            buckets=LATENCIES_S,
            registry=self.registry,
        )
        self.running = Gauge("marquee_http_requests_running", "Requests being answered.", registry=self.registry)
        self.media_bytes = Counter("marquee_media_bytes", "Bytes of media sent.", ["resource"], registry=self.registry)
        self.sign_ins = Counter("marquee_sign_ins", "Attempts to sign in.", ["outcome"], registry=self.registry)
        self.sessions_begun = Counter("marquee_playback_sessions_begun", "Sessions begun.", registry=self.registry)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
