"""Many whole numbers in little room: variable-length integers, base64 around them.

Written in JSON digits, the sizes alone of a long title's segments would fill most of its index.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable

from manifests.errors import MediaError


def pack_numbers(numbers: Iterable[int]) -> str:
    """numbers: none negative. Seven bits a byte, least significant first; the top bit says that more follow."""
    out = bytearray()
    for number in numbers:
        while number >= 0x80:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return b64encode(out).decode()


def unpack_numbers(packed: str) -> list[int]:
    """Raises MediaError if these are not whole numbers."""
    try:
        data = b64decode(packed, validate=True)
    except ValueError as problem:
        raise MediaError("packed numbers are not base64") from problem
    numbers, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
        elif shift > 63:
            raise MediaError("packed number has more than 63 bits")
    if shift:
        raise MediaError("packed numbers end inside a number")
    return numbers
