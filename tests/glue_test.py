"""Tests of task rows, the registry, and the reader of GLUE's files."""

import dataclasses
import json

from absl.testing import absltest
from absl.testing import parameterized

from finetune import glue
from finetune import metrics
from finetune import readers
from finetune import registry
from finetune import task as task_lib
from tests import testing

# The smallest file of each task: its columns, one row, and what is read.
_FIXTURES = {
    "cola": ("gj04\t1\t\tA cat sat .", ("A cat sat .", None, 1)),
    "sst": ("sentence\tlabel\ngreat fun \t1", ("great fun ", None, 1)),
    "mrpc": (
        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\ta\tb",
        ("a", "b", 1),
    ),
    "sts": (
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\t"
        "sentence1\tsentence2\tscore\n0\tg\tf\ty\t1\tn\tn\ta\tb\t3.800",
        ("a", "b", 3.8),
    ),
    "qqp": (
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
        "5\t1\t2\ta?\tb?\t0",
        ("a?", "b?", 0),
    ),
    "mnli": (
        "index\tsentence1\tsentence2\tlabel1\tgold_label\n"
        "0\ta\tb\tneutral\tentailment",
        ("a", "b", 1),
    ),
    "qnli": (
        "index\tquestion\tsentence\tlabel\n0\ta?\tb\tnot_entailment",
        ("a?", "b", 1),
    ),
    "rte": (
        "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment",
        ("a", "b", 0),
    ),
    "wnli": ("index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1", ("a", "b", 1)),
}
_REAL_COUNTS = {
    "cola": (8551, 1043, 1063),
    "sst": (67349, 872, 1821),
    # As in the original, training pairs are used both ways around.
    "sts": (2 * 5749, 1500, 1379),
    "rte": (2490, 277, 3000),
}
_SST_HEADER = "sentence\tlabel\n"


def _parse(text: str, name: str, split: str = "dev", **kwargs):
    return glue.parse_examples(
        text.encode(),
        task=registry.get(name),
        split=split,
        file_name="dev.tsv",
        **kwargs,
    )


class RegistryTest(parameterized.TestCase):
    def test_every_task_has_a_fixture(self):
        self.assertEqual({task.name for task in glue.TASKS}, set(_FIXTURES))

    @parameterized.parameters("sst", "SST-2", "sst2", "Sst_2")
    def test_a_task_is_found_by_name_or_folder(self, name):
        self.assertIs(registry.get(name), glue.SST)

    def test_every_name_in_the_table_is_found(self):
        for name, task in registry.TASKS.items():
            self.assertIs(registry.get(name), task)

    def test_an_unknown_task_is_named_with_the_known_ones(self):
        with self.assertRaisesRegex(
            ValueError,
            "Unknown task 'coala'. Known tasks: chunk, cola, conll2003",
        ):
            registry.get("coala")

    def test_main_metrics_are_among_the_metrics(self):
        for task in glue.TASKS:
            known = metrics.compute(task.metrics, [0, 1], [0, 1])
            self.assertIn(task.main_metric, known)


class TaskTest(absltest.TestCase):
    def test_labels_are_ids_in_the_order_of_the_row(self):
        self.assertEqual(glue.MNLI.kind, "classification")
        self.assertEqual(glue.MNLI.parse_label("neutral"), 2)

    def test_scores_keep_their_unit(self):
        self.assertEqual(glue.STS.kind, "regression")
        self.assertEqual(glue.STS.parse_label("1e0"), 1.0)

    def test_splits_have_the_main_one_first(self):
        self.assertEqual(glue.MNLI.dev_splits, ["dev", "dev_mismatched"])
        self.assertEqual(
            glue.MNLI.test_splits,
            ["test", "test_mismatched", "test_diagnostic"],
        )

    def test_a_row_is_written_and_read_as_json(self):
        for task in registry.TASKS.values():
            text = json.dumps(task.to_dict())
            self.assertEqual(task_lib.Task.from_dict(json.loads(text)), task)

    def test_wrong_labels_are_refused(self):
        with self.assertRaisesRegex(ValueError, "unknown label '2'; labels: 0"):
            glue.COLA.parse_label("2")
        for text in ("nan", "5.1", "-1"):
            with self.assertRaisesRegex(ValueError, r"not in \[0, 5\]"):
                glue.STS.parse_label(text)
        with self.assertRaisesRegex(ValueError, "'high' is not a number"):
            glue.STS.parse_label("high")


class ParseTest(parameterized.TestCase):
    @parameterized.parameters(*_FIXTURES)
    def test_a_file_of_one_row_is_read(self, name):
        content, (text_a, text_b, label) = _FIXTURES[name]
        self.assertEqual(
            _parse(content, name),
            [task_lib.Example(0, text_a, text_b, label)],
        )

    def test_test_files_have_no_labels(self):
        self.assertEqual(
            _parse("index\tsentence\n0\tA cat .\n", "cola", "test"),
            [task_lib.Example(0, "A cat .", None, None)],
        )

    @parameterized.parameters(
        '"unbalanced',
        '"" doubled ""',
        "line\u2028separator",
        "back\\slash \\t not a tab",
        "",
        "你好 🎉 שלום",
    )
    def test_only_tabs_and_newlines_separate(self, text):
        examples = _parse(f"{_SST_HEADER}{text}\t1\nnext\t0\n", "sst")
        self.assertEqual([e.text_a for e in examples], [text, "next"])

    def test_carriage_returns_are_dropped(self):
        examples = _parse("sentence\tlabel\r\na\t1\r\nb\rc\t0\r\n", "sst")
        self.assertEqual([e.text_a for e in examples], ["a", "bc"])

    @parameterized.parameters(
        ("a\t1\nb\n", "dev.tsv, line 3: 1 tab-separated columns instead of 2"),
        ("a\tb\t1\n", "dev.tsv, line 2: 3 tab-separated columns"),
        ("a\t1\n\nb\t0\n", "dev.tsv, line 3: 1 tab-separated"),
        ("a\t1\nb\t 1\n", "dev.tsv, line 3: unknown label ' 1'"),
        ("", "dev.tsv holds no examples"),
    )
    def test_a_malformed_line_is_an_error_with_its_number(self, rows, message):
        with self.assertRaisesRegex(ValueError, message):
            _parse(_SST_HEADER + rows, "sst")

    def test_lines_without_header_are_counted_from_1(self):
        with self.assertRaisesRegex(ValueError, "line 1: 2 tab-separated"):
            _parse("gj04\t1\n", "cola")

    def test_bytes_that_are_not_text_are_an_error_with_their_line(self):
        with self.assertRaisesRegex(ValueError, "f.tsv, line 2: not UTF-8"):
            glue.parse_examples(
                b"sentence\tlabel\ncaf\xe9\t1\n",
                task=glue.SST,
                split="dev",
                file_name="f.tsv",
            )

    def test_missing_columns_are_an_error_that_names_them(self):
        with self.assertRaisesRegex(
            ValueError, "no column label. The columns are sentence, gold"
        ):
            _parse("sentence\tgold\na\t1\n", "sst")

    def test_malformed_lines_can_be_left_out_and_still_count(self):
        with self.assertLogs(level="WARNING") as logs:
            examples = _parse(
                f"{_SST_HEADER}a\nb\t1\n", "sst", skip_malformed=True
            )
        self.assertEqual(examples, [task_lib.Example(1, "b", None, 1)])
        self.assertIn("dev.tsv, line 2", logs.output[0])


class FilesTest(parameterized.TestCase):
    def test_a_missing_file_is_an_error_that_says_where_to_get_it(self):
        with self.assertRaisesRegex(
            ValueError, "CoLA/train.tsv.*https://gluebenchmark.com"
        ):
            readers.read(
                glue.COLA, split="train", data_dir=self.create_tempdir()
            )

    @parameterized.parameters(*_REAL_COUNTS)
    def test_real_files_are_read_whole(self, name):
        counts = [
            len(
                readers.read(
                    registry.get(name),
                    split=split,
                    data_dir=testing.real_data("glue"),
                )
            )
            for split in ("train", "dev", "test")
        ]
        self.assertSequenceEqual(counts, _REAL_COUNTS[name])

    @parameterized.parameters("mnli", "mrpc", "qnli", "qqp", "wnli")
    def test_samples_of_real_files_are_read(self, name):
        task = registry.get(name)
        for split in set(task.files) - {"test_diagnostic"}:
            examples = readers.read(
                task, split=split, data_dir=testing.real_data("glue_samples")
            )
            self.assertIsNotNone(examples[0].text_b)

    def test_the_diagnostic_set_is_read(self):
        examples = readers.read(
            glue.MNLI,
            split="test_diagnostic",
            data_dir=testing.real_data("glue"),
        )
        self.assertLen(examples, 1104)
        self.assertEqual(examples[0].text_a, "The cat sat on the mat.")

    @parameterized.parameters(
        *sorted({task.name for task in glue.TASKS} - {"wnli"})
    )
    def test_examples_are_the_original_s(self, name):
        task = registry.get(name)
        path = testing.golden("glue_features", f"examples_{name}.json")
        with open(path) as file:
            golden = json.load(file)["examples"]
        for split in ("train", "dev", "dev_mismatched"):
            if split not in task.files:
                continue
            examples = readers.read(
                dataclasses.replace(task, folder=name),
                split=split,
                data_dir=testing.golden("glue_features", "data"),
            )
            expected = [
                task_lib.Example(
                    example["eid"],
                    example["text_a"],
                    example["text_b"],
                    task.parse_label(example["label"]),
                )
                for example in golden[split]
            ]
            self.assertEqual(examples, expected)

    @parameterized.parameters("cola", "sst", "rte", "qqp")
    def test_what_is_read_of_bad_files_is_as_the_original_read_it(self, name):
        path = testing.golden("glue_features", f"quirks_{name}.json")
        with open(path) as file:
            golden = json.load(file)["examples"]["train"]
        texts = {e["eid"]: (e["text_a"], e["text_b"]) for e in golden}
        path = testing.golden("glue_features", "quirks", name, "train.tsv")
        with open(path, "rb") as file:
            examples = glue.parse_examples(
                file.read(),
                task=registry.get(name),
                split="train",
                skip_malformed=True,
            )
        for example in examples:
            self.assertEqual(
                (example.text_a, example.text_b), texts[example.id]
            )


if __name__ == "__main__":
    absltest.main()
