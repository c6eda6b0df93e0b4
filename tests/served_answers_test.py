"""Tests of served answers to questions, against those of `finetune.predict`."""

import dataclasses

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from finetune import registry
from finetune import served_answers
from finetune import span_answers
from finetune import task as task_lib
from tests import random_finetuned

_QUESTIONS = (
    ("Who was it?", "The time was over. They were 12, or more than 13."),
    (
        "What could they do with all of this time, or with some of it?",
        "In the year 1873 some of them went out on a walk, when it was time "
        "for it; other people (not so many, about 44) made their way back "
        "home by train, or on a bike. It could have been more of a day out, "
        "had they not lost it all before the day was over: the map, the keys "
        "and even a 1.5 m stick. So they were out of luck. So they were out "
        "of luck!",
    ),
    ("Where?", "👍🏽 was at the café, naïve ﬁne; 👩‍🚀 at the time! " * 4),
    ("من؟", "السلام عليكم, שלום עולם: they were at 深度学习 \t and  spaces\n"),
    ("", "It was the time."),
    ("No context?", ""),
    ("Only spaces?", " \n "),
    ("When? " * 30, "Now and then, as before; then as now."),
)
_NUMBERS = "123 45, 67 8! 9? 12 3; 45 678" * 20


def _task(**fields) -> task_lib.Task:
    return dataclasses.replace(registry.get("squad"), **fields)


def _serve(served, questions) -> dict[str, np.ndarray]:
    """What the graph answers."""
    functions = served_answers.AnswerFunctions(served)
    signature = functions.all_signatures()["serving_default"]
    graph = tf.function(
        signature.function, autograph=False
    ).get_concrete_function(**signature.inputs)
    question, context = map(tf.constant, zip(*questions, strict=True))
    answer = graph(question=question, context=context)
    return {name: value.numpy() for name, value in answer.items()}


def _predict(served, questions) -> list[span_answers.SpanAnswer]:
    return random_finetuned.predict(
        served,
        [
            task_lib.Question(str(number), question, context)
            for number, (question, context) in enumerate(questions)
        ],
    )


def _in_bytes(context: str, characters: int | None) -> int:
    if characters is None:
        return -1
    return len(context[:characters].encode())


class AnswerFunctionsTest(tf.test.TestCase, parameterized.TestCase):
    def _check(self, served, questions):
        """Compares all answers; returns the served ones."""
        answer = _serve(served, questions)
        expected = _predict(served, questions)
        for row, (_, context) in enumerate(questions):
            self._check_row(
                {name: values[row] for name, values in answer.items()},
                expected[row],
                context,
            )
        return answer

    def _check_row(self, answer, expected, context: str):
        count = len(expected.nbest)
        self.assertAllEqual(
            answer["nbest_mask"],
            [1] * count + [0] * (len(answer["nbest_mask"]) - count),
        )
        self.assertEqual(answer["answer"].decode(), expected.text)
        self.assertEqual(
            [text.decode() for text in answer["nbest_answers"][:count]],
            [candidate.text for candidate in expected.nbest],
        )
        for name in ("start", "end"):
            self.assertAllEqual(
                answer[f"nbest_{name}s"][:count],
                [_in_bytes(context, getattr(c, name)) for c in expected.nbest],
            )
            self.assertEqual(
                answer[name], _in_bytes(context, getattr(expected, name))
            )
        self.assertAllClose(
            answer["nbest_probabilities"][:count],
            [candidate.probability for candidate in expected.nbest],
            rtol=0,
            atol=1e-5,
        )
        self.assertAllClose(
            answer["probability"], expected.probability, rtol=0, atol=1e-5
        )
        self.assertEqual(answer["is_answerable"], expected.is_answerable)
        if expected.null_score is None:
            self.assertNotIn("null_score", answer)
            self.assertEqual(answer["no_answer_probability"], 0.0)
            return
        self.assertAllClose(
            answer["null_score"], expected.null_score, rtol=0, atol=1e-5
        )
        self.assertAllClose(
            answer["no_answer_probability"],
            1.0 / (1.0 + np.exp(-expected.null_score)),
            atol=1e-6,
        )

    @parameterized.named_parameters(
        ("joint", False, dict(beam_size=5, doc_stride=5)),
        (
            "joint_with_classifier",
            True,
            dict(beam_size=30, doc_stride=7, fixed_length=True),
        ),
        (
            "joint_without_classifier",
            True,
            dict(
                answerable_classifier=False,
                beam_size=3,
                doc_stride=1,
                n_best_size=3,
                max_answer_length=2,
            ),
        ),
        (
            "independent",
            False,
            dict(joint_prediction=False, doc_stride=128),
        ),
        (
            "independent_without_classifier",
            True,
            dict(
                answerable_classifier=False,
                joint_prediction=False,
                doc_stride=5,
            ),
        ),
    )
    def test_answers_are_those_of_prediction(self, has_impossible, fields):
        served = random_finetuned.create(
            _task(has_impossible=has_impossible),
            **dict(max_query_length=8, null_threshold=0.0) | fields,
        )
        answer = self._check(served, _QUESTIONS)
        # The question about no context has no part that could answer it.
        self.assertEqual(answer["answer"][5], b"")
        self.assertEqual(answer["start"][5], -1)

    def test_equal_texts_of_many_windows_count_once(self):
        served = random_finetuned.create(
            _task(), joint_prediction=False, doc_stride=3, max_query_length=8
        )
        # About 160 tokens each, so about 50 windows: more than one part.
        questions = [("What?", _NUMBERS), ("When?", _NUMBERS)]
        answer = self._check(served, questions)
        for row in answer["nbest_answers"]:
            self.assertLen(set(row), 20)


class EdgesTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.served = random_finetuned.create(
            _task(), max_query_length=64, beam_size=2
        )

    def test_contexts_without_tokens_have_no_answer(self):
        answer = _serve(self.served, [("What?", ""), ("", " ")])
        self.assertAllEqual(answer["answer"], [b"", b""])
        self.assertAllEqual(answer["nbest_mask"], np.zeros([2, 20]))
        self.assertAllEqual(answer["null_score"], [1e6, 1e6])
        self.assertAllEqual(answer["no_answer_probability"], [1.0, 1.0])
        self.assertAllEqual(answer["is_answerable"], [False, False])

    def test_a_question_without_room_for_a_context_is_refused(self):
        functions = served_answers.AnswerFunctions(self.served)
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "no room for its context"
        ):
            functions.serve_texts(
                tf.constant(["time " * 30]), tf.constant(["The time."])
            )

    def test_ids_get_what_the_head_says(self):
        inputs = self.served.pack(
            self.served.tokenizer.tokenize(tf.constant(["time"]))
        )
        functions = served_answers.AnswerFunctions(self.served)
        answer = functions.serve_ids(**inputs)
        for name, value in self.served.model(inputs).items():
            self.assertAllClose(answer[name], value)


if __name__ == "__main__":
    tf.test.main()
