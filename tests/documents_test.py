"""Tests of gathering documents and of their place in a corpus."""

import dataclasses
import json
import statistics
from unittest import mock

from absl.testing import absltest

from data_prep import documents


class GroupTest(absltest.TestCase):
    def test_none_ends_a_document_and_so_does_the_end(self):
        stats = documents.CorpusStats()
        lines = [None, "a", "b", None, None, "c"]
        self.assertEqual(
            list(documents.group(lines, stats)),
            [documents.Document(["a", "b"]), documents.Document(["c"])],
        )
        self.assertEqual(stats, documents.CorpusStats(documents=2, lines=3))

    @mock.patch.object(documents, "PART_CHARACTERS", 4)
    def test_a_long_document_comes_in_parts(self):
        stats = documents.CorpusStats()
        lines = ["aa", "aa", "bbbbb", "c", None, "dddd", None, "ee"]
        self.assertEqual(
            list(documents.group(lines, stats)),
            [
                # A part is full when it has 4 characters.
                documents.Document(["aa", "aa"], starts=True, ends=False),
                documents.Document(["bbbbb"], starts=False, ends=False),
                documents.Document(["c"], starts=False, ends=True),
                documents.Document(["dddd"]),
                documents.Document(["ee"]),
            ],
        )
        self.assertEqual(stats, documents.CorpusStats(documents=3, lines=6))


class CorpusStatsTest(absltest.TestCase):
    def test_counts_add_up(self):
        fields = dataclasses.fields(documents.CorpusStats)
        ones = documents.CorpusStats(*range(1, len(fields) + 1))
        tens = documents.CorpusStats(*range(10, 10 * len(fields) + 1, 10))
        self.assertEqual(
            dataclasses.astuple(ones + tens),
            tuple(range(11, 11 * len(fields) + 1, 11)),
        )


class UnitTest(absltest.TestCase):
    def test_is_made_of_json(self):
        unit = documents.Unit(source=1, kind="text", path="a", start=3, end=9)
        fields = json.loads(json.dumps(dataclasses.asdict(unit)))
        self.assertEqual(documents.Unit(**fields), unit)


class CorpusOptionsTest(absltest.TestCase):
    def test_unknown_separators_are_refused(self):
        with self.assertRaisesRegex(
            ValueError, "documents must be one of 'blank_lines', 'line', 'file'"
        ):
            documents.CorpusOptions(documents="paragraph")


class HashPositionTest(absltest.TestCase):
    def test_is_uniform_and_depends_on_the_text_only(self):
        positions = [documents.hash_position([str(i)]) for i in range(2000)]
        self.assertEqual(positions[7], documents.hash_position(["7"]))
        self.assertBetween(min(positions), 0.0, 0.01)
        self.assertBetween(max(positions), 0.99, 1.0)
        # The mean's standard deviation is 1 / sqrt(12 * 2000) = 0.0065.
        self.assertAlmostEqual(statistics.fmean(positions), 0.5, delta=0.02)


if __name__ == "__main__":
    absltest.main()
