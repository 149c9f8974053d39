"""A load generator: `python -m bench.load PORT TARGETS CONNECTIONS SECONDS`, a program of its own on a core of its own.

Every connection asks for the next target as soon as it has the whole of the last. Bodies are discarded by the kernel
(MSG_TRUNC, tcp(7)), so that it costs the client little to take them; how busy it was all the same it says itself.
"""

import json
import resource
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

HEAD_BYTES = 2048
"Longest header we take. What of the body comes with it is copied, a little of each segment."
DISCARDED = bytearray(4 << 20)
"Recv wants room for what it discards, and does not touch it."

PATIENCE_S = 30.0


@dataclass(slots=True)
class Outcome:
    """What came."""

    requests: int = 0
    errors: int = 0
    received_bytes: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Connection:
    """One keep-alive connection."""

    peer: socket.socket
    targets: Iterator[str]
    outcome: Outcome
    head: bytes = b""
    missing_bytes: int = 0
    "Of the body, once the header is there."
    asked_s: float = 0.0

    def ask(self) -> None:
        self.asked_s, self.head = time.perf_counter(), b""
        self.peer.sendall(f"GET {next(self.targets)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def take(self) -> bool:
        """Read what is there; gives whether the answer is whole. Raises ConnectionError."""
        if not self.missing_bytes and not self._take_head():
            return False
        while self.missing_bytes:
            try:
                count = self.peer.recv_into(DISCARDED, min(self.missing_bytes, len(DISCARDED)), socket.MSG_TRUNC)
            except BlockingIOError:
                return False
            if not count:
                raise ConnectionError("closed in the middle of a body")
            self.missing_bytes -= count
            self.outcome.received_bytes += count
        self.outcome.requests += 1
        self.outcome.latencies_s.append(time.perf_counter() - self.asked_s)
        return True

    def _take_head(self) -> bool:
        try:
            data = self.peer.recv(HEAD_BYTES - len(self.head))
        except BlockingIOError:
            return False
        if not data:
            raise ConnectionError("closed before an answer")
        self.head += data
        head, end, body = self.head.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"answered {head[:100]!r}")
        _, _, after = head.lower().partition(b"\r\ncontent-length:")
        self.missing_bytes = int(after.partition(b"\r\n")[0]) - len(body)
        self.outcome.received_bytes += len(body)
        return True


def load(port: int, targets: list[str], connections: int, seconds: float) -> Outcome:
    """Ask and take for so long, and until there is an answer: a machine may be too busy for one."""
    outcome, poll = Outcome(), select.epoll()
    step = max(1, len(targets) // connections)
    opened: dict[int, Connection] = {}
    for number in range(connections):
        peer = socket.create_connection(("127.0.0.1", port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        first = number * step % len(targets)
        opened[peer.fileno()] = Connection(peer, cycle(targets[first:] + targets[:first]), outcome)
        poll.register(peer, select.EPOLLIN)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    started_s = time.perf_counter()
    for connection in opened.values():
        connection.ask()
    while opened and (elapsed_s := time.perf_counter() - started_s) < PATIENCE_S:
        if elapsed_s >= seconds and outcome.requests:
            break
        for number, _ in poll.poll(0.1):
            _serve(opened, number, poll)
    outcome.wall_s = time.perf_counter() - started_s
    end = resource.getrusage(resource.RUSAGE_SELF)
    outcome.cpu_s = end.ru_utime + end.ru_stime - usage.ru_utime - usage.ru_stime
    return outcome


def _serve(opened: dict[int, Connection], number: int, poll: select.epoll) -> None:
    connection = opened[number]
    try:
        if connection.take():
            connection.ask()
    except OSError as error:
        sys.stderr.write(f"load: {error}\n")
        connection.outcome.errors += 1
        poll.unregister(connection.peer)
        opened.pop(number).peer.close()


def main(port: str, targets: str, connections: str, seconds: str) -> None:
    outcome = load(int(port), Path(targets).read_text().split(), int(connections), float(seconds))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(*sys.argv[1:])
