"""Tests of the program that turns text into a data folder."""

import gzip
import io
import json
import lzma
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from unittest import mock

from absl.testing import parameterized
import tensorflow as tf

from data_prep import build_config
from data_prep import build_plan
from data_prep import build_tasks
from data_prep import dataset_building
from data_prep import work_folder
from electra_tf import dataset_info
from electra_tf import input_pipeline
from electra_tf import records
from electra_tf import tokenization
from tests import forked
from tests import testing

_ROOT = pathlib.Path(__file__).parent.parent
# A letter is a token of its own: 8 tokens in 2 lines, 30 tokens in 1 line.
_TEXT = "a b c d e\nf g h\n\n" + " ".join("abcdefghij" * 3) + "\n"


def contents(directory):
    """The bytes of all files in a folder, by name; without descriptions."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(pathlib.Path(directory).rglob("*"))
        if path.is_file() and path.name != dataset_info.INFO_FILE
    }


def _names(num_files, *others):
    """What is in a data folder."""
    return [
        *records.shard_names(num_files),
        *("dataset_info.json", "vocab.txt", "tokenizer.json"),
        *others,
    ]


class BuildTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path
        self.vocab_file = testing.write_vocab(self.root)
        self.output_dir = os.path.join(self.root, "data")

    def write(self, text, name="text.txt"):
        path = pathlib.Path(self.root, name)
        # The time of its last change says whether it is the same text.
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        return str(path)

    def build(self, text=_TEXT, *, name="data", arguments=None, **fields):
        self.output_dir = os.path.join(self.root, name)
        fields = {"max_seq_length": 16, "short_seq_prob": 0.0} | fields
        return dataset_building.build(
            [self.write(text)],
            vocab_file=self.vocab_file,
            output_dir=self.output_dir,
            config=build_config.BuildConfig(**fields),
            **arguments or {},
        )

    def tokens(self, directory=None):
        """The tokens of each example, in the order of the files."""
        directory = directory or self.output_dir
        tokenizer = tokenization.Tokenizer.load(directory)
        num_examples = dataset_info.load(directory).num_examples
        (batch,) = input_pipeline.eval_dataset(
            directory, batch_size=num_examples
        )
        lengths = tf.reduce_sum(batch["input_mask"], axis=1)
        return [
            " ".join(tokenizer.tokens(ids[:length]))
            for ids, length in zip(batch["input_ids"].numpy(), lengths)
        ]


class DataFolderTest(BuildTest):
    def test_documents_become_examples_without_a_loss(self):
        self.build(one_segment_prob=1.0)
        # 16 - 3 = 13 tokens an example: 8, and 30 as 13 + 13 + 4.
        self.assertCountEqual(
            self.tokens(),
            [
                "[CLS] a b c d e f g h [SEP]",
                "[CLS] a b c d e f g h i j a b c [SEP]",
                "[CLS] d e f g h i j a b c d e f [SEP]",
                "[CLS] g h i j [SEP]",
            ],
        )

    def test_the_description_says_what_is_there(self):
        text = _TEXT + "\u4e00\n\n\na\n\na\n"
        summary = self.build(text, num_shards=3, seed=7, one_segment_prob=1.0)
        info = dataset_info.load(self.output_dir)
        tokenizer = tokenization.Tokenizer.load(self.output_dir)
        self.assertEqual(info.max_seq_length, 16)
        self.assertLen(info.shards, 3)
        self.assertEqual(info.vocab_sha256, tokenizer.vocab_sha256)
        self.assertEqual(info.seed, 7)
        self.assertEqual(
            {
                name: info.counts[name]
                for name in info.counts
                if info.counts[name]
            },
            {
                "documents": 4,
                "lines": 6,
                # Of the second document 31 = 13 + 13 + 5.
                "tokens": 8 + 31 + 1 + 1,
                "unknown_tokens": 1,
                "examples": 6,
                "example_tokens": 8 + 31 + 1 + 1 + 6 * 2,
                "repeated_examples": 1,
                "corpus_files": 1,
                "corpus_documents": 4,
                "corpus_lines": 6,
                "corpus_bytes": len(text.encode()),
                "corpus_empty_lines": 4,
            },
        )
        # Lengths 10, 15, 15, 7, 3 and 3, in ranges of two.
        self.assertEqual(
            {k: n for k, n in info.length_counts.items() if n},
            {"3-4": 2, "7-8": 1, "9-10": 1, "15-16": 2},
        )
        self.assertIn("6 examples of 8.8 tokens, 1 of them repeated", summary)
        self.assertIn("1 file(s), 4 blank lines", summary)

    def test_records_are_those_of_the_original(self):
        self.build(num_shards=1)
        (name,) = records.shard_names(1)
        path = os.path.join(self.output_dir, name)
        for record in tf.data.TFRecordDataset(path):
            features = tf.train.Example.FromString(record.numpy()).features
            self.assertEqual(
                {
                    k: len(v.int64_list.value)
                    for k, v in features.feature.items()
                },
                {"input_ids": 16, "input_mask": 16, "segment_ids": 16},
            )

    def test_examples_are_spread_over_the_files(self):
        text = "\n\n".join(f"a {i} b" for i in range(400))
        self.build(text, num_shards=4, max_seq_length=8)
        sizes = dataset_info.load(self.output_dir).shards.values()
        self.assertEqual(sum(sizes), 400)
        for size in sizes:
            self.assertBetween(size, 60, 140)  # Standard deviation 8.7.

    def test_held_out_documents_are_a_data_folder_of_their_own(self):
        letters = "abcdefghijklmnopqrst"
        self.build("\n\n".join(letters), eval_fraction=0.5, num_shards=3)
        train = self.tokens()
        eval_dir = os.path.join(self.output_dir, "eval")
        held_out = self.tokens(eval_dir)
        self.assertLen(dataset_info.load(eval_dir).shards, 2)
        self.assertNotEmpty(train)
        self.assertNotEmpty(held_out)
        self.assertCountEqual(
            train + held_out, [f"[CLS] {letter} [SEP]" for letter in letters]
        )

    def test_examples_depend_on_seed_and_text_of_their_document_only(self):
        document = "\n".join(f"{letter} a b c" for letter in "defghijkl")
        self.build("x y z\n\n" + document, seed=3, name="together")
        together = self.tokens()
        self.build(document, seed=3, name="alone")
        alone = self.tokens()
        self.assertCountEqual(together, [*alone, "[CLS] x y z [SEP]"])
        self.build(document, seed=4, name="other")
        self.assertNotEqual(self.tokens(), alone)

    def test_sources_have_weights(self):
        paths = [self.write(c, f"{c}.txt") for c in "ab"]
        dataset_building.build(
            paths,
            vocab_file=self.vocab_file,
            output_dir=self.output_dir,
            config=build_config.BuildConfig(),
            weights=[1, 3],
        )
        self.assertCountEqual(
            self.tokens(), ["[CLS] a [SEP]"] + 3 * ["[CLS] b [SEP]"]
        )


class LayoutsTest(BuildTest):
    documents = [
        [f"{c} {i} {c * j}" for j in range(3)]
        for c in "abcdef"
        for i in range(5)
    ]

    def archive(self, members):
        """A tar archive of files, compressed by xz."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return buffer.getvalue()

    def test_records_do_not_depend_on_how_text_is_kept(self):
        text = "\n\n".join("\n".join(lines) for lines in self.documents)
        texts = ["\n".join(lines) for lines in self.documents]
        members = {f"{i}.txt": t.encode() for i, t in enumerate(texts)}
        layouts = {
            "plain.txt": text.encode(),
            "crlf.txt": text.replace("\n", " \r\n").encode(),
            "packed.txt.gz": gzip.compress(text.encode()),
            "packed.txt.xz": lzma.compress(text.encode()),
            "objects.jsonl": "\n".join(
                json.dumps({"id": i, "text": t}) for i, t in enumerate(texts)
            ).encode(),
            "owt.tar.xz": self.archive(
                {"owt/subset0_data.xz": self.archive(members)}
            ),
        }
        results = {}
        for name, data in layouts.items():
            path = pathlib.Path(self.root, name)
            path.write_bytes(data)
            output_dir = os.path.join(self.root, f"data-{name}")
            dataset_building.build(
                [str(path)],
                vocab_file=self.vocab_file,
                output_dir=output_dir,
                config=build_config.BuildConfig(
                    max_seq_length=16, num_shards=2, eval_fraction=0.2
                ),
            )
            results[name] = contents(output_dir)
        self.assertLen(results["plain.txt"], 2 + 1 + 2 * 2)
        for name, result in results.items():
            self.assertEqual(result, results["plain.txt"], name)


def _plan_in_units_of_100_bytes(source: str) -> build_plan.Plan:
    with mock.patch.object(build_plan, "UNIT_BYTES", 100):
        return build_plan.make(
            build_config.BuildConfig(),
            corpus=[source],
            weights=[1.0],
            vocab_sha256="",
            runner="local",
        )


class ProcessesTest(BuildTest):
    def text(self):
        return "\n\n".join(
            "\n".join(f"{c}{i} {c * j}" for j in range(1, 9))
            for c in "abcdefghij"
            for i in range(40)
        )

    def build_all(self, name, num_processes=1, arguments=None, **fields):
        # Of 50 parts.
        with mock.patch.object(build_plan, "UNIT_BYTES", 600):
            self.build(
                self.text(),
                name=name,
                arguments=dict(num_processes=num_processes) | (arguments or {}),
                **dict(num_shards=5, eval_fraction=0.2) | fields,
            )
        return contents(self.output_dir)

    def test_their_number_does_not_change_a_byte(self):
        alone = self.build_all("alone")
        self.assertLen(alone, 5 + 2 + 1 + 2)
        self.assertEqual(self.build_all("two", num_processes=2), alone)
        self.assertEqual(self.build_all("three", num_processes=3), alone)

    def test_a_plan_that_was_read_has_the_tasks_that_were_planned(self):
        path = self.create_tempfile(content="the time\n\n" * 100).full_path
        plan = _plan_in_units_of_100_bytes(path)
        # 1000 bytes; another process does not know of the patch.
        self.assertLen(plan.units, 10)
        read = build_plan.from_json(plan.to_json())
        self.assertEqual(read.tasks, [range(i, i + 1) for i in range(10)])

    @parameterized.parameters(("read_text", 7), ("write_file", 3))
    def test_what_was_done_is_not_done_again(self, task, number):
        expected = self.build_all("unbroken")
        original = getattr(build_tasks, task)
        done = []

        def fail_at(path, current, tell):
            if current == number:
                raise OSError("no space left")
            done.append(current)
            original(path, current, tell)

        with mock.patch.object(build_tasks, task, fail_at):
            with self.assertRaisesRegex(OSError, "no space left"):
                self.build_all("broken")
        self.assertEqual(done, list(range(number)))
        self.assertFalse(os.path.exists(self.output_dir))

        def note(path, current, tell):
            done.append(current)
            original(path, current, tell)

        with mock.patch.object(build_tasks, task, note):
            self.assertEqual(self.build_all("broken"), expected)
        self.assertLen(set(done), len(done))
        self.assertFalse(os.path.exists(self.output_dir + ".partial"))

    def test_unfinished_work_of_other_settings_is_kept_or_discarded(self):
        expected = self.build_all("unbroken", seed=5)
        with mock.patch.object(
            build_tasks, "write_file", side_effect=OSError("full")
        ):
            with self.assertRaises(OSError):
                self.build_all("broken")
        with self.assertRaisesRegex(
            ValueError, "another command, which differs in seed: 0 -> 5. Give"
        ):
            self.build_all("broken", seed=5)
        self.build_all("broken")
        with mock.patch.object(
            build_tasks, "write_file", side_effect=OSError("full")
        ):
            with self.assertRaises(OSError):
                self.build_all("again")
        self.assertEqual(
            self.build_all("again", seed=5, arguments=dict(overwrite=True)),
            expected,
        )

    @parameterized.parameters(0, 3, 7, 10)
    def test_a_kill_while_the_output_is_replaced_is_mended(self, moves):
        expected = self.build_all("unbroken", seed=5)
        self.build_all("data")
        rename = tf.io.gfile.rename
        done = []

        def rename_until(source, target, **options):
            if "partial/data/" in source:
                done.append(target)
                if len(done) > moves:
                    raise KeyboardInterrupt
            rename(source, target, **options)

        again = dict(seed=5, arguments=dict(overwrite=True))
        with mock.patch.object(tf.io.gfile, "rename", rename_until):
            with self.assertRaises(KeyboardInterrupt):
                self.build_all("data", **again)
        self.assertEqual(self.build_all("data", **again), expected)
        self.assertCountEqual(os.listdir(self.output_dir), _names(5, "eval"))

    def test_a_kill_before_the_work_is_removed_is_mended(self):
        with mock.patch.object(
            work_folder.WorkFolder, "discard", side_effect=KeyboardInterrupt
        ):
            with self.assertRaises(KeyboardInterrupt):
                self.build_all("data")
        expected = contents(self.output_dir)
        self.assertEqual(self.build_all("data"), expected)
        self.assertFalse(os.path.exists(self.output_dir + ".partial"))

    def test_two_builds_do_not_work_in_one_folder(self):
        work = work_folder.WorkFolder.beside(os.path.join(self.root, "data"))
        with work.locked():
            with self.assertRaisesRegex(ValueError, "Another build is work"):
                self.build_all("data")
        self.build_all("data")

    def test_many_small_files_are_read_together(self):
        folder = os.path.join(self.root, "files")
        os.makedirs(folder)
        for number in range(200):
            self.write(f"a {number}", f"files/{number}.txt")
        plan = _plan_in_units_of_100_bytes(folder)
        tasks = plan.tasks
        # 10 * 3 + 90 * 4 + 100 * 5 = 890 bytes; up to 4 of 100 stay free.
        self.assertLen(plan.units, 200)
        self.assertBetween(len(tasks), 9, 10)
        self.assertEqual([i for task in tasks for i in task], [*range(200)])

    def test_a_killed_build_goes_on_to_the_same_bytes(self):
        expected = self.build_all("unbroken")
        code = (
            "from data_prep import build_config, build_plan, dataset_building\n"
            "build_plan.UNIT_BYTES = 600\n"
            f"dataset_building.build([{self.write(self.text())!r}],"
            f"vocab_file={self.vocab_file!r},"
            f"output_dir={os.path.join(self.root, 'killed')!r},"
            "config=build_config.BuildConfig(max_seq_length=16,"
            "short_seq_prob=0.0, num_shards=5, eval_fraction=0.2),"
            "num_processes=2)"
        )
        process = subprocess.Popen([sys.executable, "-c", code], cwd=_ROOT)
        units = pathlib.Path(self.root, "killed.partial", "units")
        while process.poll() is None and len(list(units.glob("*.json"))) < 5:
            time.sleep(0.001)
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertBetween(len(list(units.glob("*.json"))), 5, 49)
        self.assertEqual(self.build_all("killed"), expected)


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
        self.build(num_shards=1, arguments=dict(overwrite=True))
        self.assertCountEqual(
            os.listdir(self.output_dir), _names(1, "note.txt")
        )

    def test_a_folder_without_a_data_set_is_not_overwritten(self):
        os.makedirs(self.output_dir)
        for name in ("vocab.txt", "dataset_info.json"):
            self.write("mine", f"data/{name}")
        with self.assertRaisesRegex(ValueError, "holds no data set that"):
            self.build(arguments=dict(overwrite=True))
        self.assertCountEqual(
            os.listdir(self.output_dir), ["vocab.txt", "dataset_info.json"]
        )

    def test_an_output_in_the_corpus_is_refused(self):
        os.makedirs(os.path.join(self.root, "corpus", "out.partial"))
        self.write("a", "corpus/out.partial/a.txt")
        with self.assertRaisesRegex(ValueError, "lies within the corpus"):
            dataset_building.build(
                [os.path.join(self.root, "corpus")],
                vocab_file=self.vocab_file,
                output_dir=os.path.join(self.root, "corpus", "out"),
                config=build_config.BuildConfig(),
            )

    def test_an_output_may_be_a_link_to_another_device(self):
        if not os.path.isdir("/dev/shm"):
            self.skipTest("Needs another device.")
        target = tempfile.mkdtemp(dir="/dev/shm")
        self.addCleanup(shutil.rmtree, target)
        link = os.path.join(self.root, "data")
        os.symlink(target, link)
        self.build(num_shards=1)
        self.assertCountEqual(os.listdir(target), _names(1))
        self.build(num_shards=2, arguments=dict(overwrite=True))
        self.assertCountEqual(os.listdir(target), _names(2))
        self.assertTrue(os.path.islink(link))

    def test_a_folder_in_the_way_of_unfinished_work_is_refused(self):
        os.makedirs(self.output_dir + ".partial")
        self.write("mine", "data.partial/note.txt")
        with self.assertRaisesRegex(ValueError, "holds something else"):
            self.build()
        self.assertEqual(os.listdir(self.output_dir + ".partial"), ["note.txt"])

    @parameterized.named_parameters(
        ("empty_corpus", dict(text="\n\n"), "no text"),
        ("nothing_to_hold_out", dict(eval_fraction=1e-9), "for the eval data"),
    )
    def test_wrong_input_leaves_nothing_behind(self, arguments, message):
        with self.assertRaisesRegex(ValueError, message):
            self.build(**arguments)
        self.assertCountEqual(os.listdir(self.root), ["text.txt", "vocab.txt"])

    def test_an_output_that_cannot_be_written_is_an_error(self):
        self.write("", "file")
        with self.assertRaisesRegex(ValueError, "Cannot write to .*file/data"):
            self.build(name="file/data")

    @parameterized.parameters(
        (dict(max_seq_length=4), "max_seq_length must be at least 5, got 4"),
        (dict(one_segment_prob=1.5), "one_segment_prob must be in"),
        (dict(num_shards=0), "num_shards must be at least 1, got 0"),
        (dict(eval_fraction=1.0), "eval_fraction must be in"),
        (dict(seed=-1), "seed must be at least 0, got -1"),
    )
    def test_settings_that_make_no_sense_are_refused(self, fields, message):
        with self.assertRaisesRegex(ValueError, message):
            build_config.BuildConfig(**fields)

    @parameterized.parameters(
        [[1.0, 2.0]], [[0.0]], [[-1.0]], [[float("nan")]], [[float("inf")]]
    )
    def test_weights_that_make_no_sense_are_refused(self, weights):
        with self.assertRaisesRegex(ValueError, "one weight above 0 for each"):
            self.build(arguments=dict(weights=weights))


class ProgramTest(BuildTest):
    def run_program(self, *arguments):
        return forked.run(
            "data_prep.build_pretraining_data",
            f"--corpus={self.write(_TEXT)}",
            f"--output_dir={self.output_dir}",
            *arguments,
        )

    def test_a_bad_vocabulary_ends_it_with_an_error(self):
        vocab_file = self.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", "bad.txt")
        result = self.run_program(f"--vocab_file={vocab_file}")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"Error: .*bad\.txt.*\[MASK\]")
        self.assertFalse(os.path.exists(self.output_dir))

    @parameterized.parameters(
        (["--documents=line", "--blanks_separate_docs"], "Give --documents or"),
        (["--beam_options=--runner=X"], "--beam_options needs --runner=beam"),
        (["--corpus_weights=1,x"], "--corpus_weights: could not convert"),
        (["--runner=beam", "--num_processes=2"], "needs --runner=local"),
    )
    def test_flags_that_contradict_are_refused(self, arguments, message):
        result = self.run_program(f"--vocab_file={self.vocab_file}", *arguments)
        self.assertEqual(result.returncode, 1)
        self.assertIn(message, result.stderr)


if __name__ == "__main__":
    tf.test.main()
