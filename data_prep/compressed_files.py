"""Decompressing streams, and refusing those that hold far too much."""

import bz2
import gzip
import io
import lzma
import os
import zlib

# Of a file that is larger, at most so many times its size is read.
FREE_BYTES = 64 << 20
MAX_RATIO = 200

ERRORS = (lzma.LZMAError, zlib.error)
_BUFFER_BYTES = 1 << 20
# One byte can become 32 KiB, so this bounds memory.
_ZSTD_CHUNK_BYTES = 1 << 10
_TAR_SUFFIXES = {
    ".tgz": ".tar.gz",
    ".tbz": ".tar.bz2",
    ".tbz2": ".tar.bz2",
    ".txz": ".tar.xz",
    ".tzst": ".tar.zst",
}


class TooLargeError(ValueError):
    """A file holds more than `Budget` allows."""


class Budget:
    """Counts what a file is decompressed to, with all that is inside of it.

    Args:
        name: The file's name, for the error.
        size: Its length in bytes, as it is compressed.
    """

    def __init__(self, name: str, size: int):
        self._name = name
        self._limit = FREE_BYTES + MAX_RATIO * size
        self._left = self._limit

    def spend(self, size: int) -> None:
        """Raises TooLargeError if the sum of all sizes is over the limit."""
        self._left -= size
        if self._left < 0:
            raise TooLargeError(
                f"{self._name} holds more than {self._limit} bytes, over "
                f"{MAX_RATIO} times its own size. No text does, so this may "
                f"be an attack; decompress it yourself if it is not."
            )


def split_suffix(name: str) -> tuple[str, str]:
    """`("a.txt", ".gz")` for "a.txt.gz"; the second is "" if not compressed."""
    base, suffix = os.path.splitext(name)
    suffix = suffix.lower()
    if suffix in _TAR_SUFFIXES:
        return split_suffix(base + _TAR_SUFFIXES[suffix])
    return (base, suffix) if suffix in _OPENERS else (name, "")


def check_suffix(name: str) -> None:
    """Raises ValueError if what would decompress a file is not installed."""
    if split_suffix(name)[1] == ".zst":
        _import_zstandard(name)


def decompress(
    stream, suffix: str, *, name: str, budget: Budget
) -> io.BufferedReader:
    """A stream of what a compressed stream holds; errors come as it is read.

    Args:
        stream: Has `read`.
        suffix: As `split_suffix` gives it.
        name: Of what the stream holds, for errors.
        budget: What is read is counted there.
    """
    opened = _OPENERS[suffix](stream, name)
    return io.BufferedReader(_CountedStream(opened, budget), _BUFFER_BYTES)


class _CountedStream(io.RawIOBase):
    """Reads from a stream and counts."""

    def __init__(self, stream, budget: Budget):
        self._stream = stream
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._stream.read(len(buffer))
        self._budget.spend(len(data))
        buffer[: len(data)] = data
        return len(data)


class _ZstdStream(io.RawIOBase):
    """Decompresses Zstandard frames, one after the other."""

    def __init__(self, stream, zstandard):
        self._stream = stream
        self._zstandard = zstandard
        self._frame = None
        self._input = self._output = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._output:
            data = self._input or self._stream.read(_ZSTD_CHUNK_BYTES)
            if not data and self._frame is None:
                return 0
            if not data:
                raise EOFError("the file ended before the end of a frame")
            self._decompress(data)
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _decompress(self, data: bytes) -> None:
        self._frame = (
            self._frame or self._zstandard.ZstdDecompressor().decompressobj()
        )
        try:
            self._output = self._frame.decompress(data)
        except self._zstandard.ZstdError as error:
            raise OSError(str(error)) from error
        self._input = b""
        if self._frame.eof:
            self._input = self._frame.unused_data
            self._frame = None


def _import_zstandard(name: str):
    # It is needed for such files only.
    try:
        import zstandard
    except ImportError as error:
        raise ValueError(
            f"{name} can be read if the package zstandard is installed: "
            f"pip install zstandard."
        ) from error
    return zstandard


def _open_zstd(stream, name: str) -> io.BufferedReader:
    return io.BufferedReader(_ZstdStream(stream, _import_zstandard(name)))


_OPENERS = {
    ".gz": lambda stream, name: gzip.GzipFile(fileobj=stream, mode="rb"),
    ".bz2": lambda stream, name: bz2.BZ2File(stream),
    ".xz": lambda stream, name: lzma.LZMAFile(stream),
    ".zst": _open_zstd,
}
