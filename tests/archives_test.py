"""Tests of reading archives, good and evil ones."""

import gzip
import io
import json
import lzma
import os
import pathlib
import tarfile
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import zstandard

from data_prep import archives
from data_prep import compressed_files
from data_prep import corpora

_COMPRESS = {
    ".tar": lambda data: data,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".tar.xz": lzma.compress,
    ".txz": lzma.compress,
    ".xz": lzma.compress,
    ".tar.zst": zstandard.ZstdCompressor().compress,
}


def _tar(*members, **kwargs):
    """An archive of `(name, bytes)` pairs and of `TarInfo` objects."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **kwargs) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, data = member
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _member(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


class ArchivesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        pathlib.Path(path).write_bytes(data)
        return path

    def read(self, name, data, stats=None, unit_bytes=8 << 20, **options):
        """The lines of the documents of each unit."""
        options = corpora.CorpusOptions(**options)
        stats = corpora.CorpusStats() if stats is None else stats
        path = self.write(name, data)
        return [
            [d.lines for d in corpora.read_unit(unit, options, stats)]
            for unit in corpora.plan([path], options, unit_bytes=unit_bytes)
        ]

    @parameterized.parameters(*_COMPRESS)
    def test_each_file_is_a_document(self, suffix):
        folder = _member("data", tarfile.DIRTYPE)
        files = [("data/b.txt", b"One.\n\nTwo.\n"), ("./a", b"Three.\n")]
        data = _COMPRESS[suffix](_tar(folder, *files))
        stats = corpora.CorpusStats()
        self.assertEqual(
            self.read("a" + suffix, data, stats),
            [[["One.", "Two."], ["Three."]]],
        )
        self.assertEqual(
            stats,
            corpora.CorpusStats(
                files=1, documents=2, lines=3, bytes=18, empty_lines=1
            ),
        )

    def test_each_line_can_be_a_document(self):
        data = _tar(("a.txt", b"One.\n\nTwo.\n"))
        (found,) = self.read("a.tar", data, documents="line")
        self.assertEqual(found, [["One."], ["Two."]])

    def test_a_compressed_text_is_read_as_a_text_is(self):
        data = lzma.compress(b"One.\n\nTwo.\n")
        (found,) = self.read("a.xz", data)
        self.assertEqual(found, [["One."], ["Two."]])
        (found,) = self.read("a.xz", data, documents="file")
        self.assertEqual(found, [["One.", "Two."]])

    def test_files_may_be_compressed_or_json_lines(self):
        record = json.dumps({"text": "json\n\nlines"}).encode() + b"\n"
        data = _tar(
            ("1.txt.gz", gzip.compress(b"gz\n")),
            ("2.txt.xz", lzma.compress(b"xz\n")),
            ("3.jsonl", record + record),
            ("4.ndjson.gz", gzip.compress(record)),
            (".hidden", b"hidden\n"),
            ("a/.git/b", b"hidden\n"),
        )
        (found,) = self.read("a.tar", data)
        text = ["json", "lines"]
        self.assertEqual(found, [["gz"], ["xz"], text, text, text])

    def test_a_malformed_json_line_is_named(self):
        data = _tar(("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n{}\n')))
        with self.assertRaisesRegex(
            ValueError, "x.tar: a.jsonl.gz, line 2: .*no field 'text'"
        ):
            self.read("x.tar", data)

    def test_openwebtext_is_an_archive_of_archives(self):
        parts = [
            _tar(
                (f"{part}-1.txt", f"First {part}.\n\nSecond.\n".encode()),
                (f"{part}-2.txt", b""),
                (f"{part}-3.txt", b"Third.\n"),
            )
            for part in range(3)
        ]
        data = lzma.compress(
            _tar(
                _member("openwebtext", tarfile.DIRTYPE),
                *(
                    (
                        f"openwebtext/urlsf_subset{part:02}-1_data.xz",
                        lzma.compress(archive),
                    )
                    for part, archive in enumerate(parts)
                ),
            )
        )
        stats = corpora.CorpusStats()
        (found,) = self.read("openwebtext.tar.xz", data, stats)
        self.assertEqual(
            found,
            [
                lines
                for part in range(3)
                for lines in ([f"First {part}.", "Second."], ["Third."])
            ],
        )
        self.assertEqual(stats.empty_documents, 3)
        self.assertEqual(stats.files, 1)
        # The parts of the outer archive, for the folder that it unpacks to.
        (found,) = self.read(
            "urlsf_subset00-1_data.xz", lzma.compress(parts[0])
        )
        self.assertEqual(found, [["First 0.", "Second."], ["Third."]])

    @parameterized.parameters((64, 8), (200, 4), (640, 1))
    def test_large_archives_are_read_in_parts(self, unit_bytes, num_parts):
        # 17 members of two blocks and an end: 20,480 bytes.
        data = _tar(*((f"{i}.txt", b"%d\n" % i) for i in range(17)))
        self.assertLen(data, 20480)
        stats = corpora.CorpusStats()
        units = self.read("a.tar", data, stats, unit_bytes)
        self.assertLen(units, num_parts)
        for part, found in enumerate(units):
            numbers = range(part, 17, num_parts)
            self.assertEqual(found, [[str(number)] for number in numbers])
        self.assertEqual(
            stats,
            corpora.CorpusStats(
                files=1, documents=17, lines=17, bytes=10 * 2 + 7 * 3
            ),
        )

    def test_large_archives_are_told_from_large_compressed_texts(self):
        text = bytes(range(32, 127)) * 10
        self.assertLen(self.read("a.xz", lzma.compress(text), unit_bytes=1), 1)
        data = lzma.compress(_tar(("a.txt", text)))
        self.assertLen(self.read("a.xz", data, unit_bytes=1), 8)

    @parameterized.parameters(
        ("/etc/passwd", tarfile.REGTYPE, "has an absolute path"),
        ("a/../../b", tarfile.REGTYPE, "has a path with '..'"),
        ("../b", tarfile.DIRTYPE, "has a path with '..'"),
        ("a", tarfile.SYMTYPE, "is a symbolic link"),
        ("a", tarfile.LNKTYPE, "is a hard link"),
        ("a", tarfile.CHRTYPE, "is a device or pipe"),
        ("a", tarfile.BLKTYPE, "is a device or pipe"),
        ("a", tarfile.FIFOTYPE, "is a device or pipe"),
        ("a", b"Z", "is no file or folder"),
    )
    def test_evil_archives_are_refused(self, name, kind, reason):
        data = _tar(("good.txt", b"good\n"), _member(name, kind, "/etc/passwd"))
        with self.assertRaisesRegex(
            ValueError, f"x.tar is refused, because '{name}' in it {reason}"
        ):
            self.read("x.tar", data)
        # In an archive in it, too.
        with self.assertRaisesRegex(
            ValueError, f"x.tar: y.tar is refused, .* in it {reason}"
        ):
            self.read("x.tar", _tar(("y.tar", data)))

    def test_sparse_files_are_refused(self):
        info = _member("a", tarfile.GNUTYPE_SPARSE)
        # Says that the file has 8 GiB, of which none is in the archive.
        buffer = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        buffer[156:157] = tarfile.GNUTYPE_SPARSE
        buffer[386:482] = bytes(96)
        buffer[482:483] = b"\0"
        buffer[483:495] = b"77777777777\0"
        buffer[148:156] = b" " * 8
        buffer[148:156] = b"%06o\0 " % sum(buffer[:512])
        with self.assertRaisesRegex(ValueError, "in it is a sparse file"):
            self.read("x.tar", bytes(buffer) + bytes(1024))

    def test_archives_are_not_read_deeper_than_two(self):
        data = _tar(("a.txt", b"text\n"))
        inner = _tar(("c.tar", data))
        self.assertEqual(self.read("x.tar", inner), [[["text"]]])
        outer = _tar(("b.tgz", gzip.compress(inner)))
        with self.assertRaisesRegex(
            ValueError, "x.tar: b.tgz: c.tar is an archive in an archive in an"
        ):
            self.read("x.tar", outer)

    @parameterized.parameters(
        "a.txt.gz", "a.jsonl.gz", "a.tar.gz", "a.tar", "a.tar.xz"
    )
    def test_a_file_that_is_cut_off_is_named(self, name):
        numbers = range(999)
        data = b"".join(b'{"text": "%d"}\n' % (i * i) for i in numbers)
        if ".tar" in name:
            data = _tar(("a.txt", data))
        if name.endswith(".gz"):
            data = gzip.compress(data)
        if name.endswith(".xz"):
            data = lzma.compress(data)
        # The header of an archive has 512 bytes, its end is zeros.
        for size in (1024, 512, 100):
            if size < len(data):
                with self.assertRaisesRegex(ValueError, f"{name}.* cannot be"):
                    self.read(name, data[:size])

    def test_damage_is_not_taken_for_the_end(self):
        data = bytearray(_tar(("a", b"a\n"), ("b", b"b\n")))
        data[1024 + 5] ^= 1  # In the second header.
        with self.assertRaisesRegex(
            ValueError, "x.tar cannot be read.*damaged"
        ):
            self.read("x.tar", bytes(data))
        # Cut off between two members.
        with self.assertRaisesRegex(
            ValueError, "x.tar cannot be read.*cut off"
        ):
            self.read("x.tar", bytes(data[:1024]))

    def test_an_empty_file_is_no_archive(self):
        for name in ("a.tar", "a.gz", "a.tar.gz"):
            with self.assertRaisesRegex(
                ValueError, f"{name} cannot.*it is empty"
            ):
                self.read(name, b"")
        self.assertEqual(self.read("a.tar", _tar()), [[]])

    @mock.patch.object(archives, "MAX_HEADER_BYTES", 1000)
    def test_long_names_are_read_if_they_are_not_too_long(self):
        for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            data = _tar(("b" * 500, b"a\n"), format=tar_format)
            self.assertEqual(self.read("x.tar", data), [[["a"]]])
            data = _tar(("b" * 1500, b"a\n"), format=tar_format)
            with self.assertRaisesRegex(
                ValueError, "x.tar cannot be read: it has a header of 15.. byt"
            ):
                self.read("x.tar", data)

    @parameterized.parameters(
        ([b"1" * 30 + b" a=b\n"], "too large"),
        ([b""] * 3000, "recursion"),
        ([b"18 size=111111111\n"], "unexpected end"),
        ([b"14 size=-5000\n"], "backwards"),
    )
    def test_headers_that_were_made_to_do_harm_are_refused(self, texts, error):
        data = b""
        for text in texts:
            header = _member("a", tarfile.XHDTYPE)
            header.size = len(text)
            data += header.tobuf(tarfile.USTAR_FORMAT)
            data += text.ljust(512 if text else 0, b"\0")
        data += _member("b", tarfile.REGTYPE).tobuf()
        with self.assertRaisesRegex(ValueError, f"x.tar.* cannot.*{error}"):
            self.read("x.tar", data + bytes(1024))

    @mock.patch.object(compressed_files, "FREE_BYTES", 20_000)
    @mock.patch.object(compressed_files, "MAX_RATIO", 5)
    def test_bombs_are_refused(self):
        zeros = bytes(10**6)
        small = _tar(("a.txt", b"a\n"))
        self.assertEqual(self.read("x.tar.gz", gzip.compress(small)), [[["a"]]])
        bombs = {
            "x.gz": gzip.compress(zeros),
            "x.tar.xz": lzma.compress(_tar(("a.txt", zeros))),
            "x.tar": _tar(("a.txt.gz", gzip.compress(zeros))),
            "y.tar": _tar(("a.txz", lzma.compress(_tar(("a.txt", zeros))))),
            # Of many that are small enough.
            "z.tar": _tar(
                *(
                    (str(i) + ".gz", gzip.compress(zeros[:9000]))
                    for i in range(99)
                )
            ),
        }
        for name, data in bombs.items():
            with self.assertRaisesRegex(
                ValueError, f"{name} holds more than .*over 5 times its own"
            ):
                self.read(name, data)

    def test_names_that_are_not_utf8_can_be_shown(self):
        data = _tar(("caf\udce9.jsonl", b"{}\n"), format=tarfile.GNU_FORMAT)
        with self.assertRaisesRegex(ValueError, r"x.tar: caf\?.jsonl, line 1"):
            self.read("x.tar", data)


if __name__ == "__main__":
    absltest.main()
