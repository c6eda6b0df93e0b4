"""Tests of the examples as they are printed."""

import os

import numpy as np
import tensorflow as tf

from data_prep import console as console_lib
from data_prep import corruptions
from data_prep import data_folder
from data_prep import example_report
from tests import testing
from tests import tiny_data

_CONSOLE = console_lib.Console(width=72)


class ExampleReportTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        path = self.create_tempdir().full_path
        self.folder = data_folder.load(tiny_data.write(path))

    def sections(self, numbers, corrupter=None, console=_CONSOLE):
        report = example_report.ExampleReport(
            self.folder, console, corrupter=corrupter
        )
        return list(report.sections(np.array(numbers, np.int64)))

    def model(self, **fields):
        path = os.path.join(self.create_tempdir().full_path, "model")
        run_config = testing.tiny_config(
            max_seq_length=tiny_data.LENGTH, **fields
        )
        testing.write_model_folder(path, run_config)
        return corruptions.prepare(self.folder, model_path=path)[1]

    def test_examples_as_they_are(self):
        self.assertEqual(
            self.sections([1, 2]),
            [
                "── Example 1 of 2: record 1 of "
                "pretrain_data.tfrecord-00000-of-00003 ───\n"
                "  [CLS] the ofs [SEP] the [SEP] [PAD]×1\n",
                "── Example 2 of 2: record 0 of "
                "pretrain_data.tfrecord-00002-of-00003 ───\n"
                "  [CLS] the time [SEP] [PAD]×4\n",
            ],
        )
        self.assertEmpty(self.sections([]))

    def test_masks_have_a_legend_and_totals(self):
        _, corrupter = corruptions.prepare(self.folder, preset="large")
        introduction, *examples, totals = self.sections([0, 1, 3], corrupter)
        self.assertEqual(
            introduction.splitlines()[1:],
            [
                "  masks                 mask_prob 0.25, without_replacement",
                "  [a] masked",
            ],
        )
        self.assertLen(examples, 3)
        # As computed in corruptions_test.
        for example, masked in zip(examples, (1, 2, 2)):
            self.assertEndsWith(example, f"\n\n  masked {masked}\n")
        self.assertEqual(totals.splitlines()[1:], ["  masked 5"])

    def test_a_model_has_totals_of_its_verdicts(self):
        sections = self.sections([0, 1, 2, 3], self.model())
        self.assertRegex(
            sections[-1],
            r"masked 4, replaced \d, found \d of \d, false alarms \d+\n$",
        )
        self.assertEndsWith(sections[0], "a!75% a false alarm\n")

    def test_guesses_are_counted_as_such(self):
        sections = self.sections([0, 3], self.model(objective="mlm"))
        self.assertRegex(sections[-1], r"masked 2, guessed right \d\n$")

    def test_no_line_is_wider_than_the_console(self):
        corrupter = self.model()
        for width in (40, 55, 80):
            console = console_lib.Console(width=width)
            text = "\n".join(self.sections([0, 1, 2, 3], corrupter, console))
            for line in text.splitlines():
                self.assertLessEqual(console_lib.columns(line), width, line)


if __name__ == "__main__":
    tf.test.main()
