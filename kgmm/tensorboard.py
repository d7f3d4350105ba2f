"""Figures as TensorBoard's event files, without TensorBoard: scalars in protocol buffers in checksummed records.

The record format is TFRecord's (length, its checksum, data, its checksum; CRC-32C, rotated and shifted); an event holds
a time, a step and a summary of named values (tensorflow/core/util/event.proto, framework/summary.proto).
"""

from __future__ import annotations

import struct
import time
from pathlib import Path


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, data: bytes) -> bytes:
    """Return a length-delimited field: a string or a message."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + _masked(length) + event + _masked(event)


class EventFile:
    """A file of scalars that TensorBoard reads; each call of :meth:`write` is one step.

    Args:
        folder: where the file is made; a run that goes on makes a further one.

    Example:
        >>> EventFile("run/tensorboard").write(1, {"top1": 0.79})                       # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        now = time.time()
        self.path = Path(folder) / f"events.out.tfevents.{int(now):010d}.{time.perf_counter_ns()}.kgmm"
        start = struct.pack("<Bd", 1 << 3 | 1, now) + _field(3, b"brain.Event:2")
        self.path.write_bytes(_record(start))

    def write(self, step: int, figures: dict[str, float]) -> None:
        """Append one step's figures."""
        values = b"".join(
            _field(1, _field(1, name.encode()) + struct.pack("<Bf", 2 << 3 | 5, value))
            for name, value in figures.items()
        )
        head = struct.pack("<Bd", 1 << 3 | 1, time.time()) + _varint(2 << 3) + _varint(step)
        with self.path.open("ab") as file:
            file.write(_record(head + _field(5, values)))
