"""Tests of reading data sets of tensorflow_datasets."""

import os
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import tensorflow as tf
import tensorflow_datasets as tfds

from data_prep import corpora
from data_prep import documents

_TEXTS = [f"Title {i}\n\n Body of {i}. " for i in range(10)]


def _write_data_set(data_dir, train=_TEXTS, config="en", version="1.2.0"):
    """Writes a data set of two splits, in files of four examples."""
    folder = os.path.join(data_dir, "tiny", config, version)
    os.makedirs(folder)
    identity = tfds.core.DatasetIdentity(
        name="tiny",
        config_name=config,
        version=tfds.core.Version(version),
        data_dir=folder,
        module_name="",
    )
    features = tfds.features.FeaturesDict(
        {
            "text": tfds.features.Text(),
            "title": tfds.features.Text(),
            "id": tf.int64,
            "tags": tfds.features.Sequence(tfds.features.Text()),
        }
    )
    writer = tfds.core.SequentialWriter(
        tfds.core.DatasetInfo(builder=identity, features=features),
        max_examples_per_shard=4,
    )
    splits = {"train": train, "test": ["One.", "Two.", "Three."]}
    writer.initialize_splits(list(splits))
    writer.add_examples(
        {
            split: [
                {"text": text, "title": f"{split} {i}", "id": i, "tags": ["a"]}
                for i, text in enumerate(texts)
            ]
            for split, texts in splits.items()
        }
    )
    writer.close_all()


class _DownloadingBuilder:
    """Stands for a builder of tensorflow_datasets, and needs no network."""

    def __init__(self, name, data_dir):
        self._name, self._data_dir = name, data_dir

    def is_prepared(self):
        return False

    def download_and_prepare(self):
        _write_data_set(self._data_dir)

    def __getattr__(self, name):
        builder = tfds.core.read_only_builder.builder_from_files(
            self._name, data_dir=self._data_dir
        )
        return getattr(builder, name)


class TfdsCorporaTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.data_dir = self.create_tempdir().full_path

    def options(self, **options):
        return corpora.CorpusOptions(tfds_data_dir=self.data_dir, **options)

    def read(self, source="tfds:tiny/en", stats=None, **options):
        documents = corpora.read_documents(
            [source], options=self.options(**options), stats=stats
        )
        return [document.lines for document in documents]

    def test_each_example_is_a_document(self):
        _write_data_set(self.data_dir)
        stats = corpora.CorpusStats()
        self.assertEqual(
            self.read(stats=stats),
            [[f"Title {i}", f"Body of {i}."] for i in range(10)],
        )
        self.assertEqual(
            stats,
            corpora.CorpusStats(
                files=1,
                documents=10,
                lines=20,
                bytes=sum(map(len, _TEXTS)),
                empty_lines=10,
            ),
        )

    @parameterized.parameters(
        ("train[2:4]", ["train 2", "train 3"]),
        ("train[:20%]+test[1:]", ["train 0", "train 1", "test 1", "test 2"]),
        ("train[-1:]", ["train 9"]),
        ("test", ["test 0", "test 1", "test 2"]),
    )
    def test_fields_and_parts_of_splits_can_be_named(self, split, titles):
        _write_data_set(self.data_dir)
        read = self.read(text_field="title", tfds_split=split)
        self.assertEqual(read, [[title] for title in titles])

    @parameterized.parameters("train", "train[3:9]+test+train[:1]")
    def test_nothing_depends_on_the_size_of_units(self, split):
        _write_data_set(self.data_dir)
        options = self.options(tfds_split=split)
        num_units = []
        for unit_bytes in (1, 250, 400, 8 << 20):
            units = corpora.plan(
                ["tfds:tiny/en"], options, unit_bytes=unit_bytes
            )
            num_units.append(len(units))
            lines, total = [], corpora.CorpusStats()
            for unit in units:
                stats = corpora.CorpusStats()
                found = corpora.read_unit(unit, options, stats)
                lines += [document.lines for document in found]
                total += stats
            if unit_bytes == 1:
                first = lines, total
            self.assertEqual((lines, total), first)
        # One for each of 10 examples; one for all.
        self.assertEqual((num_units[0], num_units[-1]), (10, 1))
        self.assertBetween(num_units[1], 3, 9)

    def test_units_have_version_and_size(self):
        _write_data_set(self.data_dir)
        units = corpora.plan(["tfds:tiny/en"], self.options(), unit_bytes=200)
        builder = tfds.builder("tiny/en", data_dir=self.data_dir)
        self.assertAlmostEqual(
            sum(unit.size for unit in units),
            builder.info.splits["train"].num_bytes,
            delta=len(units),
        )
        self.assertEqual({unit.version for unit in units}, {"1.2.0"})
        self.assertEqual({unit.path for unit in units}, {"tiny/en"})
        _write_data_set(self.data_dir, version="1.3.0")
        with self.assertRaisesRegex(ValueError, "version 1.2.0 is 1.3.0 now"):
            list(
                corpora.read_unit(
                    units[0], self.options(), corpora.CorpusStats()
                )
            )
        read = self.read("tfds:tiny/en:1.2.0")
        self.assertLen(read, 10)

    def test_examples_without_text_and_bad_bytes_are_counted(self):
        texts = ["", " \n", b"caf\xe9", "a"]
        _write_data_set(self.data_dir, texts)
        stats = corpora.CorpusStats()
        self.assertEqual(self.read(stats=stats), [["caf\ufffd"], ["a"]])
        self.assertEqual(stats.empty_documents, 2)
        self.assertEqual(stats.invalid_lines, 1)

    def test_a_wrong_field_is_refused_at_once(self):
        _write_data_set(self.data_dir)
        for field in ("body", "id", "tags"):
            with self.assertRaisesRegex(
                ValueError, f"no text field '{field}'.* 'text', 'title'"
            ):
                self.read(text_field=field)

    @parameterized.parameters(
        ("trian", "no split 'trian': .*'train', 'test'"),
        ("train[:x]", "no split 'train.*format"),
        ("train[5:99]", r"no split .*\[5:99\] incompatible with 10 examples"),
        ("train[3:3]", "has no examples"),
    )
    def test_a_wrong_split_is_refused_at_once(self, split, error):
        _write_data_set(self.data_dir)
        with self.assertRaisesRegex(ValueError, f"(?s){error}.*--tfds_split"):
            self.read(tfds_split=split)

    def test_a_data_set_that_is_not_there_is_refused_at_once(self):
        with self.assertRaisesRegex(
            ValueError,
            f"'lm1b' is not prepared in {self.data_dir}.*--tfds_data_dir"
            ".*`tfds build lm1b`.*--tfds_download",
        ):
            self.read("tfds:lm1b")
        for name in ("no_such_set", "", "what is it"):
            with self.assertRaisesRegex(
                ValueError, f"(?s)'{name}' is neither in .*--tfds_data_dir"
            ):
                self.read(f"tfds:{name}")

    def test_a_data_set_is_downloaded_if_asked_for(self):
        with mock.patch.object(tfds, "builder", _DownloadingBuilder):
            with self.assertRaisesRegex(ValueError, "is not prepared in"):
                self.read()
            self.assertLen(self.read(tfds_download=True), 10)
            self.assertLen(self.read(), 10)

    def test_data_that_tfds_mocks_is_read(self):
        _write_data_set(self.data_dir)
        with tfds.testing.mock_data(num_examples=5, data_dir=self.data_dir):
            (found, again) = (
                list(
                    corpora.read_documents(
                        ["tfds:tiny/en"],
                        options=corpora.CorpusOptions(tfds_download=True),
                    )
                )
                for _ in range(2)
            )
        self.assertLen(found, 5)
        self.assertEqual(found, again)
        for document in found:
            self.assertIsInstance(document, documents.Document)
            self.assertContainsSubset(document.lines[0], " abcdefghij")


if __name__ == "__main__":
    absltest.main()
