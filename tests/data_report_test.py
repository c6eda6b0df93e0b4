"""Tests of the report on a data set, as it is printed."""

import json

import tensorflow as tf

from data_prep import console as console_lib
from data_prep import data_folder
from data_prep import data_report
from data_prep import inspection
from tests import testing
from tests import tiny_data

_CONSOLE = console_lib.Console(width=72)


class DataReportTest(tf.test.TestCase):
    def load(self, **info):
        path = self.create_tempdir().full_path
        return data_folder.load(tiny_data.write(path, **info))

    def test_the_description_says_what_is_known(self):
        folder = self.load(length_counts={"1-4": 2, "5-8": 2})
        lines = data_report.description(folder, _CONSOLE).splitlines()
        sha256 = folder.info.vocab_sha256[:8]
        self.assertEqual(lines[0], "── Data set " + "─" * 60)
        self.assertIn(f"  folder                {folder.path[:40]}", lines[1])
        self.assertEqual(
            lines[-12:],
            [
                "  source                corpus.txt",
                "  command               build.py '--corpus=my text'",
                "  seed                  3",
                "  tokens an example     8",
                f"  vocabulary            {len(folder.vocab)} pieces, SHA-256 "
                f"{sha256}...",
                "  tokenizer             lower_case = True, strip_accents = "
                "True",
                "  files                 3, the smallest with 0 examples, the "
                "largest",
                "                        with 2",
                "  examples              4",
                "  documents             1,234",
                "  zero                  dropped tokens",
                "  lengths               1-4: 50.00%, 5-8: 50.00%",
            ],
        )

    def test_the_description_says_what_is_not_known(self):
        text = data_report.description(self.load(original=True), _CONSOLE)
        self.assertIn("command               not recorded", text)
        self.assertIn("vocabulary            not found: ids are shown", text)

    def test_the_statistics_of_all_examples(self):
        counted = inspection.count(self.load())
        text = data_report.statistics(counted, 4, _CONSOLE)
        num_unseen = len(testing.tiny_vocab()) - 11
        unseen = f"{num_unseen} ({num_unseen / (num_unseen + 11):.2%})"
        self.assertEqual(
            text.splitlines(),
            [
                "── Statistics of all 4 examples " + "─" * 40,
                "  tokens                23, 5.8 an example",
                "  padding               28.12% of all places",
                "  segments              50.00% one, 50.00% two; then the "
                "first has 4.5",
                "                        tokens on average, with [CLS] and "
                "[SEP]",
                "  duplicates            1 (25.00%) of the examples are equal "
                "to an",
                "                        earlier one",
                "  pieces                13 without special tokens; 10 words "
                "of 1.300",
                "                        pieces",
                "  ## pieces             3 (23.08%)",
                "  [UNK]                 1 (7.69%), in 1 (25.00%) of the "
                "examples",
                "  special tokens        [CLS] 4, [SEP] 6, [MASK] 0",
                "  different pieces      7",
                f"  never seen            {unseen} of the vocabulary",
                "",
                "  Examples by their tokens",
                "  1    0.00%  0",
                "  2    0.00%  0",
                "  3    0.00%  0",
                "  4   50.00%  2  " + "█" * 55,
                "  5    0.00%  0",
                "  6    0.00%  0",
                "  7   25.00%  1  " + "█" * 27 + "▌",
                "  8   25.00%  1  " + "█" * 27 + "▌",
                "",
                "  Most frequent pieces",
                # Shares of 13 pieces.
                "  1  the   5   38.46%   3  time  2   15.38%",
                "  2  ##s   2   15.38%   4  ##t   1    7.69%",
            ],
        )

    def test_no_line_is_wider_than_the_console(self):
        folder = self.load(command=["build.py", "--corpus=" + "a" * 200])
        counted = inspection.count(folder)
        for width in (40, 55, 80, 120):
            console = console_lib.Console(width=width)
            text = data_report.description(folder, console)
            text += data_report.statistics(counted, 20, console)
            for line in text.splitlines():
                self.assertLessEqual(console_lib.columns(line), width, line)

    def test_a_sample_is_named_and_so_are_ids(self):
        counted = inspection.count(self.load(original=True), sample_size=2)
        text = data_report.statistics(counted, 4, _CONSOLE)
        self.assertIn("Statistics of a sample: 2 of 4 examples", text)
        self.assertIn("earlier one of the sample", text)
        self.assertIn("unknown, for want of a vocabulary", text)
        self.assertIn("Most frequent ids", text)

    def test_json_holds_the_numbers(self):
        content = data_report.as_json(inspection.count(self.load()), 1)
        content = json.loads(json.dumps(content))
        self.assertEqual(content["num_tokens"], 23)
        self.assertEqual(content["padding_share"], 9 / 32)
        self.assertEqual(content["length_counts"], [0] * 4 + [2, 0, 0, 1, 1])
        self.assertEqual(content["num_continuations"], 3)
        self.assertEqual(
            content["most_frequent"],
            [
                {
                    "id": testing.tiny_vocab().index("the"),
                    "piece": "the",
                    "count": 5,
                }
            ],
        )


if __name__ == "__main__":
    tf.test.main()
