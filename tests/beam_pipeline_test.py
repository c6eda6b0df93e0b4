"""Tests of builds by Apache Beam: the records of a local build."""

import importlib.util
import os
from unittest import mock

from absl.testing import parameterized
import tensorflow as tf

from data_prep import build_config
from data_prep import build_plan
from data_prep import dataset_building
from electra_tf import dataset_info
from tests import testing


def _contents(directory):
    """The bytes of all files but the description, by name."""
    contents = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            if name != dataset_info.INFO_FILE:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    contents[os.path.relpath(path, directory)] = file.read()
    return contents


class BeamTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        if importlib.util.find_spec("apache_beam") is None:
            self.skipTest("Needs apache-beam.")
        self.root = self.create_tempdir().full_path

    def build(self, corpus, vocab_file, beam_options=None, **fields):
        name = "local" if beam_options is None else "beam"
        output_dir = os.path.join(self.root, name)
        dataset_building.build(
            [corpus],
            vocab_file=vocab_file,
            output_dir=output_dir,
            config=build_config.BuildConfig(**fields),
            beam_options=beam_options,
        )
        return output_dir

    @parameterized.parameters(
        ([],),
        (["--direct_num_workers=2", "--direct_running_mode=multi_threading"],),
    )
    def test_records_and_description_are_those_of_a_local_build(self, options):
        corpus = self.create_tempfile(
            content="\n\n".join(
                f"{c} {i} {c * i}\n{i} {c}"
                for c in "abcdefg"
                for i in range(30)
            )
        ).full_path
        vocab_file = testing.write_vocab(self.root)
        settings = dict(max_seq_length=16, num_shards=3, eval_fraction=0.3)
        with mock.patch.object(build_plan, "UNIT_BYTES", 500):
            local = self.build(corpus, vocab_file, **settings)
            beam = self.build(corpus, vocab_file, options, **settings)
        self.assertLen(_contents(local), 3 + 1 + 2 * 2)
        self.assertEqual(_contents(beam), _contents(local))
        for folder in ("", "eval"):
            ours, theirs = (
                dataset_info.load(os.path.join(directory, folder))
                for directory in (beam, local)
            )
            self.assertEqual(ours, theirs)

    def test_a_file_without_examples_is_written(self):
        corpus = self.create_tempfile(content="a\n").full_path
        vocab_file = testing.write_vocab(self.root)
        directory = self.build(corpus, vocab_file, [], num_shards=2)
        info = dataset_info.load(directory)
        self.assertCountEqual(info.shards.values(), [0, 1])

    def test_an_unknown_option_is_refused(self):
        corpus = self.create_tempfile(content="a\n").full_path
        vocab_file = testing.write_vocab(self.root)
        with self.assertRaisesRegex(ValueError, "no option .*no_such"):
            self.build(corpus, vocab_file, ["--no_such=1"])
        self.assertFalse(os.path.exists(os.path.join(self.root, "beam")))

    def test_real_text_gives_the_same_examples(self):
        corpus = testing.real_data("corpus", "speeches")
        vocab_file = testing.real_data("vocab", "vocab.txt")
        local = self.build(corpus, vocab_file)
        beam = self.build(corpus, vocab_file, [])
        self.assertEqual(_contents(beam), _contents(local))


if __name__ == "__main__":
    tf.test.main()
