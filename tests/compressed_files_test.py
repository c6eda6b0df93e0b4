"""Tests of decompression."""

import bz2
import gzip
import io
import lzma
import sys
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import zstandard

from data_prep import compressed_files

_TEXT = b"".join(b"line %d\n" % number for number in range(20_000))
_COMPRESSORS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def _decompress(data, suffix):
    return compressed_files.decompress(
        io.BytesIO(data),
        suffix,
        name="a" + suffix,
        budget=compressed_files.Budget("a" + suffix, len(data)),
    )


class CompressedFilesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("a.txt", "a.txt", ""),
        ("a.txt.gz", "a.txt", ".gz"),
        ("b/a.TXT.XZ", "b/a.TXT", ".xz"),
        ("a.tar.zst", "a.tar", ".zst"),
        ("a.tgz", "a.tar", ".gz"),
        ("a.tbz2", "a.tar", ".bz2"),
        ("a.gz/b", "a.gz/b", ""),
    )
    def test_the_suffix_says_how_a_file_is_compressed(self, name, base, suffix):
        split = compressed_files.split_suffix(name)
        self.assertEqual(split, (base, suffix))

    @parameterized.parameters(*_COMPRESSORS)
    def test_all_is_read(self, suffix):
        data = _COMPRESSORS[suffix](_TEXT)
        self.assertEqual(_decompress(data, suffix).read(), _TEXT)
        stream = _decompress(data, suffix)
        read = b"".join(iter(lambda: stream.read(777), b""))
        self.assertEqual(read, _TEXT)

    @parameterized.parameters(*_COMPRESSORS)
    def test_several_streams_are_one_file(self, suffix):
        compress = _COMPRESSORS[suffix]
        data = compress(_TEXT) + compress(b"") + compress(b"end")
        self.assertEqual(_decompress(data, suffix).read(), _TEXT + b"end")

    @parameterized.parameters(*_COMPRESSORS)
    def test_what_is_cut_off_is_an_error(self, suffix):
        data = _COMPRESSORS[suffix](_TEXT)
        for size in (len(data) - 1, len(data) // 2, 5):
            with self.assertRaises(EOFError):
                _decompress(data[:size], suffix).read()

    @parameterized.parameters(*_COMPRESSORS)
    def test_what_is_not_compressed_is_an_error(self, suffix):
        with self.assertRaises((OSError, *compressed_files.ERRORS)):
            _decompress(_TEXT, suffix).read()

    @parameterized.parameters(*_COMPRESSORS)
    @mock.patch.object(compressed_files, "FREE_BYTES", 1000)
    @mock.patch.object(compressed_files, "MAX_RATIO", 10)
    def test_what_becomes_far_too_large_is_refused(self, suffix):
        data = _COMPRESSORS[suffix](bytes(10**6))
        stream = _decompress(data, suffix)
        with self.assertRaisesRegex(
            ValueError, f"^a{suffix} holds more than .*over 10 times"
        ):
            stream.read()

    def test_zstandard_is_asked_for_when_it_is_missing(self):
        with mock.patch.dict(sys.modules, {"zstandard": None}):
            compressed_files.check_suffix("a.xz")
            with self.assertRaisesRegex(
                ValueError, "a.txt.zst can be read if .*pip install zstandard"
            ):
                compressed_files.check_suffix("a.txt.zst")


if __name__ == "__main__":
    absltest.main()
