"""Tests of served tags, against those of `finetune.predict`."""

import dataclasses

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from finetune import registry
from finetune import served_tags
from finetune import tagging_answers
from finetune import task as task_lib
from tests import random_finetuned

_LABELS = ("O", "B-PER", "I-PER", "E-PER", "S-PER", "B-X", "I-X", "S-X")
_TEXTS = (
    "They were out of time, or so\u00a0many would say.",
    "",
    "  Thé 👍🏽 was\there \n",
    "السلام عليكم שלום \u200d 深度学习 time",
    "time " * 30,
    "overlong-and-more-so-than-all-others it is",
    " ",
)


def _task(labels=_LABELS) -> task_lib.Task:
    return dataclasses.replace(registry.get("chunk"), labels=labels)


def _serve(served, texts) -> dict[str, np.ndarray]:
    """What the graph answers."""
    functions = served_tags.TaggingFunctions(served)
    signature = functions.all_signatures()["serving_default"]
    graph = tf.function(
        signature.function, autograph=False
    ).get_concrete_function(**signature.inputs)
    answer = graph(text=tf.constant(texts))
    return {name: value.numpy() for name, value in answer.items()}


class TaggingFunctionsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(False, True)
    def test_answers_are_those_of_prediction(self, fixed_length):
        served = random_finetuned.create(_task(), fixed_length=fixed_length)
        sentences = [
            task_lib.Sentence(number, tuple(text.split()))
            for number, text in enumerate(_TEXTS)
        ]
        expected = random_finetuned.predict(served, sentences)
        records = tagging_answers.records(served.task, sentences, expected)
        answer = _serve(served, _TEXTS)
        # Of padding, outside, and of two or more tags.
        self.assertGreaterEqual(len(set(answer["tags"].flat)), 4)
        for row, record in enumerate(records):
            self._check_words(answer, row, record, expected[row])
            self._check_spans(answer, row, record)

    def _check_words(self, answer, row: int, record, expected):
        count = len(record["words"])
        width = answer["mask"].shape[1]
        self.assertAllEqual(
            answer["mask"][row], [1] * count + [0] * (width - count)
        )
        for name in ("words", "tags"):
            values = [value.decode() for value in answer[name][row]]
            self.assertEqual(values, [*record[name], *[""] * (width - count)])
        self.assertAllClose(
            answer["probabilities"][row, :count],
            expected.probabilities.max(axis=-1, initial=0.0),
            rtol=0,
            atol=1e-5,
        )

    def _check_spans(self, answer, row: int, record):
        count = len(record["spans"])
        self.assertEqual(answer["span_mask"][row].sum(), count)
        for index, span in enumerate(record["spans"]):
            names = ("span_types", "span_texts")
            self.assertEqual(
                [answer[name][row, index].decode() for name in names],
                [span["type"], span["text"]],
            )
            start, end = (
                answer[name][row, index]
                for name in ("span_starts", "span_ends")
            )
            self.assertEqual(start, answer["starts"][row, span["start_word"]])
            self.assertEqual(end, answer["ends"][row, span["end_word"]])
            text = _TEXTS[row].encode()[start:end].decode()
            self.assertEqual(text.split(), span["text"].split())

    def test_texts_without_words_have_no_tags(self):
        answer = _serve(random_finetuned.create(_task()), ["", " "])
        self.assertEqual(answer["tags"].shape, (2, 0))
        self.assertEqual(answer["span_texts"].shape, (2, 0))


if __name__ == "__main__":
    tf.test.main()
