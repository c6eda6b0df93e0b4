"""Tests of the program that turns text into a data folder."""

import dataclasses
import os
import subprocess
import sys

from absl.testing import parameterized
import tensorflow as tf

from data_prep import dataset_building
from data_prep import segments
from electra_tf import records
from electra_tf import tokenization
from tests import testing

# A letter is a token of its own: 8 tokens in 2 lines, 30 tokens in 1 line.
_TEXT = "a b c d e\nf g h\n\n" + " ".join("abcdefghij" * 3) + "\n"


class BuildTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path
        self.vocab_file = testing.write_vocab(self.root)
        self.output_dir = os.path.join(self.root, "data")

    def write(self, text, name="text.txt"):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def build(self, text=_TEXT, *, overwrite=False, **fields):
        fields = {"max_seq_length": 16, "short_seq_prob": 0.0} | fields
        return dataset_building.build(
            [self.write(text)],
            vocab_file=self.vocab_file,
            output_dir=self.output_dir,
            build_config=dataset_building.BuildConfig(**fields),
            overwrite=overwrite,
        )

    def tokens(self, directory=None):
        """The tokens of each example, in the order of the files."""
        directory = directory or self.output_dir
        tokenizer = tokenization.Tokenizer.load(directory)
        num_examples = records.load_info(directory).num_examples
        (batch,) = records.eval_dataset(directory, batch_size=num_examples)
        lengths = tf.reduce_sum(batch["input_mask"], axis=1)
        return [
            " ".join(tokenizer.tokens(ids[:length]))
            for ids, length in zip(batch["input_ids"].numpy(), lengths)
        ]


class DataFolderTest(BuildTest):
    def test_documents_become_examples_without_a_loss(self):
        self.build(one_segment_prob=1.0)
        # 16 - 3 = 13 tokens an example: 8, and 30 as 13 + 13 + 4.
        self.assertEqual(
            self.tokens(),
            [
                "[CLS] a b c d e f g h [SEP]",
                "[CLS] a b c d e f g h i j a b c [SEP]",
                "[CLS] d e f g h i j a b c d e f [SEP]",
                "[CLS] g h i j [SEP]",
            ],
        )

    def test_the_original_way_drops_the_rest_of_a_long_line(self):
        summary = self.build(one_segment_prob=1.0, split_long_lines=False)
        self.assertEqual(
            self.tokens()[1], "[CLS] a b c d e f g h i j a b c d [SEP]"
        )
        self.assertIn("16 dropped", summary)  # 30 - (16 - 2).

    def test_the_description_says_what_is_there(self):
        self.build(_TEXT + "\u4e00\n", num_shards=3, seed=7)
        info = records.load_info(self.output_dir)
        tokenizer = tokenization.Tokenizer.load(self.output_dir)
        self.assertEqual(info.max_seq_length, 16)
        self.assertLen(info.shards, 3)
        self.assertEqual(info.vocab_sha256, tokenizer.vocab_sha256)
        self.assertEqual(info.seed, 7)
        # Of the second document, 31 = 13 + 13 + 5 tokens; [CLS] and [SEP]
        # make 8 more, and a second segment of the first example may one.
        self.assertEqual(
            info.counts | {"example_tokens": 0},
            {
                "documents": 2,
                "lines": 4,
                "lines_without_tokens": 0,
                "tokens": 39,
                "unknown_tokens": 1,
                "dropped_tokens": 0,
                "examples": 4,
                "example_tokens": 0,
            },
        )

    def test_the_same_command_gives_the_same_bytes(self):
        def contents():
            self.build(_TEXT * 9, num_shards=2, seed=1, overwrite=True)
            paths = [
                os.path.join(self.output_dir, name)
                for name in records.shard_names(2)
            ]
            return [open(path, "rb").read() for path in paths]

        first = contents()
        self.assertEqual(contents(), first)
        self.assertNotEmpty(first[1])

    def test_examples_are_spread_evenly_over_the_files(self):
        self.build("a b c\n\n" * 10, num_shards=4)  # One example each.
        info = records.load_info(self.output_dir)
        self.assertEqual(list(info.shards.values()), [3, 3, 2, 2])

    def test_held_out_documents_are_a_data_folder_of_their_own(self):
        letters = "abcdefghijklmnopqrst"
        self.build("\n\n".join(letters), eval_fraction=0.5)
        train = self.tokens()
        held_out = self.tokens(os.path.join(self.output_dir, "eval"))
        self.assertNotEmpty(train)
        self.assertNotEmpty(held_out)
        self.assertCountEqual(
            train + held_out, [f"[CLS] {letter} [SEP]" for letter in letters]
        )

    def test_examples_depend_on_seed_and_number_of_the_document_only(self):
        tokenizer = tokenization.Tokenizer.from_vocab_file(self.vocab_file)
        document = [f"{letter} a b c" for letter in "defghijkl"]
        self.build("x y z\n\n" + "\n".join(document), seed=3)
        ((_, sentences),) = segments.tokenize_documents([document], tokenizer)
        alone = segments.document_features(
            sentences,
            segments.SegmentOptions(max_seq_length=16, short_seq_prob=0.0),
            index=1,
            seed=3,
            cls_id=tokenizer.cls_id,
            sep_id=tokenizer.sep_id,
        )
        (batch,) = records.eval_dataset(self.output_dir, batch_size=4)
        self.assertAllEqual(
            batch["input_ids"][1:], [example["input_ids"] for example in alone]
        )


class OutputTest(BuildTest):
    def test_a_folder_that_is_not_empty_is_refused(self):
        os.makedirs(self.output_dir)
        note = os.path.join(self.output_dir, "note.txt")
        with open(note, "w") as file:
            file.write("mine")
        with self.assertRaisesRegex(ValueError, "is not empty.*--overwrite"):
            self.build()
        self.assertEqual(os.listdir(self.output_dir), ["note.txt"])

    def test_overwriting_replaces_the_data_set_and_nothing_else(self):
        self.build("a\n\nb\n\nc\n\nd\n\ne", num_shards=5, eval_fraction=0.5)
        note = os.path.join(self.output_dir, "note.txt")
        with open(note, "w") as file:
            file.write("mine")
        self.build(num_shards=1, overwrite=True)
        self.assertCountEqual(
            os.listdir(self.output_dir),
            [
                "dataset_info.json",
                "eval",
                "note.txt",
                "pretrain_data.tfrecord-00000-of-00001",
                "tokenizer.json",
                "vocab.txt",
            ],
        )
        with self.assertRaisesRegex(ValueError, "holds no data set"):
            records.load_info(os.path.join(self.output_dir, "eval"))

    def test_what_a_killed_run_left_does_not_get_into_the_data(self):
        staging = self.output_dir + ".train.partial"
        os.makedirs(staging)
        for name in (records.shard_names(9)[8], "vocab.txt"):
            with open(os.path.join(staging, name), "w") as file:
                file.write("left")
        self.build(num_shards=1)
        self.assertLen(os.listdir(self.output_dir), 4)
        self.assertCountEqual(
            os.listdir(self.root), ["data", "text.txt", "vocab.txt"]
        )

    @parameterized.named_parameters(
        ("empty_corpus", dict(text="\n\n"), "no text"),
        ("nothing_to_hold_out", dict(eval_fraction=1e-9), "for the eval data"),
    )
    def test_wrong_input_leaves_nothing_behind(self, arguments, message):
        with self.assertRaisesRegex(ValueError, message):
            self.build(**arguments)
        self.assertCountEqual(os.listdir(self.root), ["text.txt", "vocab.txt"])

    def test_an_output_that_cannot_be_written_is_an_error(self):
        self.output_dir = os.path.join(self.write("", "file"), "data")
        with self.assertRaisesRegex(ValueError, "Cannot write to .*file/data"):
            self.build()

    @parameterized.parameters(
        (dict(max_seq_length=4), "max_seq_length must be at least 5, got 4"),
        (dict(one_segment_prob=1.5), "one_segment_prob must be in"),
        (dict(num_shards=0), "num_shards must be at least 1, got 0"),
        (dict(eval_fraction=1.0), "eval_fraction must be in"),
        (dict(seed=-1), "seed must be at least 0, got -1"),
    )
    def test_settings_that_make_no_sense_are_refused(self, fields, message):
        with self.assertRaisesRegex(ValueError, message):
            dataset_building.BuildConfig(**fields)

    def test_options_have_the_same_defaults_as_the_library(self):
        self.assertEqual(
            dataset_building.BuildConfig().segment_options,
            segments.SegmentOptions(),
        )
        names = {f.name for f in dataclasses.fields(segments.SegmentOptions)}
        self.assertLessEqual(
            names,
            {
                field.name
                for field in dataclasses.fields(dataset_building.BuildConfig)
            },
        )


class ProgramTest(BuildTest):
    def test_a_bad_vocabulary_ends_it_with_an_error(self):
        vocab_file = self.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", "bad.txt")
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "data_prep.build_pretraining_data",
                f"--corpus={self.write(_TEXT)}",
                f"--vocab_file={vocab_file}",
                f"--output_dir={self.output_dir}",
            ],
            capture_output=True,
            text=True,
        )
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"Error: .*bad\.txt.*\[MASK\]")
        self.assertFalse(os.path.exists(self.output_dir))


if __name__ == "__main__":
    tf.test.main()
