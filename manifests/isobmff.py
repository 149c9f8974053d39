"""Any box: a cursor that knows where its box ends, and a frame that fills in a box's length (ISO/IEC 14496-12, 4.2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from manifests.errors import MediaError, Truncated


class Box(NamedTuple):
    """One box as found among others."""

    type: bytes
    offset_bytes: int
    "Where it begins, header included, counted from the start of the reader that found it."
    size_bytes: int
    "With its header."
    body: "Reader"


class Reader:
    """A cursor over the bytes of one box (or of a file); nothing is copied until it is pulled."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(data)
        self._position = 0

    @property
    def position(self) -> int:
        return self._position

    @property
    def remaining(self) -> int:
        return len(self._view) - self._position

    def pull_view(self, size: int) -> memoryview:
        end = self._position + size
        if end > len(self._view):
            raise Truncated(f"box ends {end - len(self._view)} bytes early")
        view = self._view[self._position : end]
        self._position = end
        return view

    def pull_bytes(self, size: int) -> bytes:
        return bytes(self.pull_view(size))

    def pull_uint(self, size: int) -> int:
        return int.from_bytes(self.pull_view(size), "big")

    def pull_int(self, size: int) -> int:
        return int.from_bytes(self.pull_view(size), "big", signed=True)

    def pull_version(self) -> tuple[int, int]:
        """Version and flags: the head of a full box."""
        return self.pull_uint(1), self.pull_uint(3)

    def boxes(self) -> Iterator[Box]:
        """The boxes from here to the end, in order. Raises Truncated if the last is not whole."""
        while self.remaining:
            yield self._pull_box()

    def _pull_box(self) -> Box:
        offset = self._position
        size, box_type = self.pull_uint(4), self.pull_bytes(4)
        if size == 1:
            size = self.pull_uint(8)
        elif size == 0:  # the last box of a file may leave its size open
            size = len(self._view) - offset
        if size < self._position - offset:
            raise MediaError(f"box {printable(box_type)} claims a size of {size} bytes, less than its own header")
        return Box(box_type, offset, size, Reader(self.pull_view(size - (self._position - offset))))

    def find(self, *path: bytes) -> "Reader | None":
        """The body of the first box of this type; of several types, that of nested boxes. The cursor stays."""
        body = self
        for box_type in path:
            boxes = Reader(body._view[body._position :]).boxes()
            found = next((box.body for box in boxes if box.type == box_type), None)
            if found is None:
                return None
            body = found
        return body

    def child(self, *path: bytes) -> "Reader":
        """As `find`, but raises MediaError where there is no such box."""
        body = self.find(*path)
        if body is None:
            raise MediaError(f"box {' > '.join(map(printable, path))} is missing")
        return body


@contextmanager
def push_box(out: bytearray, box_type: bytes) -> Iterator[None]:
    """Write a box around whatever is added to `out` inside the block."""
    start = len(out)
    out += bytes(4) + box_type
    yield
    size = len(out) - start
    if size >= 1 << 32:
        raise MediaError(f"box {printable(box_type)} would be {size} bytes; 32 bits must hold its size")
    out[start : start + 4] = size.to_bytes(4, "big")


@contextmanager
def push_full_box(out: bytearray, box_type: bytes, version: int = 0, flags: int = 0) -> Iterator[None]:
    with push_box(out, box_type):
        out += bytes([version]) + flags.to_bytes(3, "big")
        yield


def printable(box_type: bytes) -> str:
    """A box type as it may stand in a message, whatever its bytes are."""
    return ascii(box_type.decode("latin-1"))
