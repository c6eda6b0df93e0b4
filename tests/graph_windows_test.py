"""Tests of windows as a graph, against `window_features`."""

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from finetune import finetune_config
from finetune import graph_windows
from finetune import registry
from finetune import task as task_lib
from finetune import window_features
from tests import shared_tokenizers

_QUESTIONS = (
    ("who was it", "the  time, was on " * 9),
    ("", "é 👍 they 👩\u200d🚀 שלום, עולם"),
    ("no context", " "),
    ("a question that is cut because of its length", "about all of it " * 30),
)


class MakeTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(doc_stride=(1, 4, 100), max_seq_length=(16, 21))
    def test_rows_are_those_of_the_features(self, doc_stride, max_seq_length):
        tokenizer = shared_tokenizers.tiny()
        settings = dict(
            max_seq_length=max_seq_length,
            doc_stride=doc_stride,
            max_query_length=5,
        )
        rows = window_features.make_features(
            [
                task_lib.Question(str(number), question, context)
                for number, (question, context) in enumerate(_QUESTIONS)
            ],
            task=registry.get("squad"),
            tokenizer=tokenizer,
            run_config=finetune_config.FinetuneConfig(**settings),
            is_training=False,
        )
        question, context = map(tf.constant, zip(*_QUESTIONS, strict=True))
        windows = graph_windows.make(
            question, context, tokenizer=tokenizer, **settings
        )
        self.assertAllEqual(windows.question_index, rows.question_index)
        inputs = {name: v.numpy() for name, v in windows.inputs.items()}
        self.assertAllEqual(inputs["input_mask"].sum(axis=1), rows.lengths)
        for row, length in enumerate(rows.lengths):
            for name in ("input_ids", "segment_ids"):
                expected = getattr(rows, name)[row]
                self.assertAllEqual(inputs[name][row, :length], expected)
                self.assertFalse(np.any(inputs[name][row, length:]))
            self._check_context(windows, rows, row)

    def _check_context(self, windows, rows, row: int):
        length = len(rows.word_index[row])
        is_context = windows.is_context[row].numpy()
        self.assertAllEqual(is_context[:length], rows.word_index[row] >= 0)
        self.assertFalse(np.any(is_context[length:]))
        self.assertAllEqual(
            windows.is_max_context[row, :length], rows.is_max_context[row]
        )
        text = _QUESTIONS[rows.question_index[row]][1]
        for index, offsets in enumerate((windows.starts, windows.ends)):
            characters = rows.token_spans[row][is_context[:length], index]
            self.assertAllEqual(
                offsets[row][is_context],
                [len(text[:place].encode()) for place in characters],
            )

    def test_rows_may_have_a_fixed_length(self):
        windows = graph_windows.make(
            tf.constant(["who"]),
            tf.constant(["it was"]),
            tokenizer=shared_tokenizers.tiny(),
            max_seq_length=16,
            doc_stride=4,
            max_query_length=5,
            fixed_length=True,
        )
        self.assertAllEqual(windows.inputs["input_mask"], [[1] * 6 + [0] * 10])


if __name__ == "__main__":
    tf.test.main()
