"""Tests of rows of words, by hand and on numbers of the original."""

import dataclasses
import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import features
from finetune import finetune_config
from finetune import tagging
from finetune import tagging_features
from finetune import task as task_lib
from tests import testing

_CLS, _SEP, _NONE = 2, 3, features.NO_TARGET
# Golden sentences of which the original keeps all words at that length.
_NUM_WHOLE_AT_24 = {"train": 2, "dev": 1}
_TASK = dataclasses.replace(tagging.CHUNK, labels=("O", "S-X", "S-Y"))


def _ids(text: str) -> list[int]:
    return [testing.tiny_vocab().index(piece) for piece in text.split()]


def _features(*sentences, max_seq_length=16, task=_TASK, tokenizer=None):
    return tagging_features.make_features(
        [
            task_lib.Sentence(index, tuple(words), tags)
            for index, (words, tags) in enumerate(sentences)
        ],
        task=task,
        tokenizer=tokenizer or tokenization.Tokenizer(testing.tiny_vocab()),
        run_config=finetune_config.FinetuneConfig(
            max_seq_length=max_seq_length
        ),
        is_training=True,
    )


class TaggingFeaturesTest(tf.test.TestCase, parameterized.TestCase):
    def test_tags_are_at_the_first_pieces_of_words(self):
        result = _features(
            (["the", "ab", "of"], ("S-X", "S-Y", "O")), (["ab"], ("O",))
        )
        self.assertAllEqual(
            result.input_ids,
            tf.ragged.constant(
                [
                    [_CLS, *_ids("the a ##b of"), _SEP],
                    [_CLS, *_ids("a ##b"), _SEP],
                ]
            ),
        )
        self.assertAllEqual(
            result.targets["labels"],
            tf.ragged.constant(
                [[_NONE, 1, 2, _NONE, 0, _NONE], [_NONE, 0, _NONE, _NONE]]
            ),
        )
        self.assertAllEqual(
            result.segment_ids, tf.ragged.constant([[0] * 6, [0] * 4])
        )
        self.assertAllEqual(result.word_positions[0], [1, 2, 4])
        self.assertAllEqual(result.word_positions[1], [1])

    @parameterized.parameters(
        (7, [1, 2, 3, 5], "the of a ##b of"),
        (6, [1, 2, 3, -1], "the of a ##b"),
        # No part of a word is kept, nor shorter words after it.
        (5, [1, 2, -1, -1], "the of"),
    )
    def test_whole_words_are_kept_while_they_fit(self, length, where, pieces):
        result = _features(
            (["the", "of", "ab", "of"], ("S-X",) * 4), max_seq_length=length
        )
        self.assertAllEqual(result.word_positions[0], where)
        self.assertAllEqual(result.input_ids, [[_CLS, *_ids(pieces), _SEP]])
        num_labels = np.sum(result.targets["labels"].values == 1)
        self.assertEqual(num_labels, np.sum(np.array(where) >= 0))

    def test_words_that_the_tokenizer_drops_have_no_position(self):
        result = _features((["\u200b", "the", "\u200b"], ("S-X", "S-Y", "O")))
        self.assertAllEqual(result.word_positions[0], [-1, 1, -1])
        self.assertAllEqual(result.targets["labels"], [[_NONE, 2, _NONE]])

    def test_special_tokens_in_sentences_are_text(self):
        result = _features((["[SEP]", "the"], ("S-X", "S-Y")))
        pieces = "[ s ##e ##p ]"
        self.assertAllEqual(
            result.input_ids, [[_CLS, *_ids(f"{pieces} the"), _SEP]]
        )
        self.assertAllEqual(result.word_positions[0], [1, 6])

    def test_unknown_tags_are_no_targets_but_told_of(self):
        with self.assertLogs(level="WARNING") as logs:
            result = _features((["the", "of"], ("S-Z", "S-X")))
        self.assertIn("1 words have tags", logs.output[0])
        self.assertIn("never predicted: S-Z.", logs.output[0])
        self.assertAllEqual(
            result.targets["labels"], [[_NONE, _NONE, 1, _NONE]]
        )
        self.assertAllEqual(result.word_positions[0], [1, 2])

    def test_sentences_may_have_no_tags_and_no_words(self):
        result = _features((["the"], None), ([], None))
        self.assertAllEqual(
            result.targets["labels"],
            tf.ragged.constant([[_NONE] * 3, [_NONE] * 2]),
        )
        self.assertAllEqual(result.word_positions[0], [1])
        self.assertEmpty(result.word_positions[1])

    def test_there_may_be_no_sentences_or_many(self):
        self.assertEqual(_features().num_rows, 0)
        result = _features(*[(["the", "ab"], None), (["of"], None)] * 1030)
        self.assertEqual(result.num_rows, 2060)
        self.assertAllEqual(result.lengths[-3:], [3, 5, 3])
        self.assertAllEqual(result.word_positions[-2], [1, 2])

    def test_batches_are_padded_with_no_target(self):
        rows = _features((["the", "ab"], ("S-X", "O")), (["of"], ("S-Y",)))
        (batch,) = features.batches(
            {"chunk": rows}, np.array([[1, 0]]), pad_to=6
        )
        self.assertAllEqual(
            batch["targets"]["chunk"]["labels"],
            [
                [_NONE, 2, _NONE, _NONE, _NONE, _NONE],
                [_NONE, 1, 0, _NONE, _NONE, _NONE],
            ],
        )

    @parameterized.product(split=("train", "dev"), max_seq_length=(128, 24))
    def test_features_are_the_original_s(self, split, max_seq_length):
        tokenizer = tokenization.Tokenizer.from_vocab_file(
            testing.real_data("vocab", "vocab.txt")
        )
        with open(testing.golden("tagging_features", "examples.json")) as file:
            golden = json.load(file)
        tags = tuple(golden["label_mapping"])
        examples = golden["examples"][split]
        result = _features(
            *(
                (e["words"], tuple(tags[label] for label in e["labels"]))
                for e in examples
            ),
            max_seq_length=max_seq_length,
            task=dataclasses.replace(_TASK, labels=tags),
            tokenizer=tokenizer,
        )
        prefix = f"{split}_len{max_seq_length}/"
        with np.load(testing.golden("tagging_features", "features.npz")) as npz:
            arrays = {
                name.removeprefix(prefix): npz[name]
                for name in npz.files
                if name.startswith(prefix)
            }
        num_equal = 0
        for index, example in enumerate(examples):
            # Not compared: the sentence with a word that the tokenizer
            # drops and with "[CLS]" as a word, see `make_features`.
            if "[CLS]" in example["words"]:
                continue
            expected = _original_row(arrays, index)
            # Where the original lost words it cut too early: it has the
            # same beginning.
            is_whole = len(expected.where) == len(example["words"])
            self._check_row(result, index, expected, is_whole=is_whole)
            num_equal += is_whole
        is_train = split == "train"
        if max_seq_length == 128:
            # All others are compared in full.
            self.assertEqual(num_equal, len(examples) - is_train)
        else:
            self.assertEqual(num_equal, _NUM_WHOLE_AT_24[split])

    def _check_row(self, result, index, expected, *, is_whole):
        ids = result.input_ids[index].numpy()
        labels = result.targets["labels"][index].numpy()
        where = result.word_positions[index]
        num_words = len(expected.where)
        num_tokens = len(expected.ids) - 1  # But for [SEP].
        self.assertAllEqual(ids[:num_tokens], expected.ids[:-1])
        self.assertAllEqual(where[:num_words], expected.where)
        self.assertAllEqual(labels[expected.where], expected.labels)
        if is_whole:
            self.assertAllEqual(ids, expected.ids)
            self.assertEqual(np.sum(labels != _NONE), num_words)
        else:
            self.assertGreaterEqual(len(ids), len(expected.ids))


@dataclasses.dataclass(frozen=True)
class _Row:
    ids: np.ndarray
    where: np.ndarray
    labels: np.ndarray


def _original_row(arrays, index: int) -> _Row:
    """What the original made of one sentence, without padding."""
    is_word = arrays["chunk_labels_mask"][index] > 0
    return _Row(
        ids=arrays["input_ids"][index][arrays["input_mask"][index] > 0],
        where=arrays["chunk_labeled_positions"][index][is_word],
        labels=arrays["chunk_labels"][index][is_word],
    )


if __name__ == "__main__":
    tf.test.main()
