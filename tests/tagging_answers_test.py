"""Tests of the tags that are made of a model's outputs."""

import dataclasses
import json
import types

from absl.testing import absltest
import numpy as np

from finetune import finetune_config
from finetune import tagging
from finetune import tagging_answers
from finetune import task as task_lib

_LABELS = ("B-X", "E-X", "O")
_TASK = dataclasses.replace(tagging.CHUNK, labels=_LABELS)
_CONFIG = finetune_config.FinetuneConfig()
_SENTENCES = [
    task_lib.Sentence(0, ("New", "York", "is"), ("B-X", "E-X", "O")),
    task_lib.Sentence(1, ("it",), ("O",)),
]
_B, _E, _O = np.log([[8, 1, 1], [1, 8, 1], [1, 1, 8]])


def _answers(*sentences):
    """The answers to rows of logits, and of positions."""
    logits, positions = zip(*sentences, strict=True)
    return tagging_answers.answers(
        _TASK,
        [None] * len(logits),
        types.SimpleNamespace(word_positions=[*map(np.array, positions)]),
        {"logits": np.array(logits, np.float32)},
        run_config=_CONFIG,
        tokenizer=None,
    )


def _score(answers):
    return tagging_answers.score(_TASK, _SENTENCES, answers, run_config=_CONFIG)


class TaggingAnswersTest(absltest.TestCase):
    def test_tags_are_read_at_the_words_positions(self):
        first, second = _answers(
            ([_O, _B, _O, _E, _O], [1, 3, 4]), ([_B, _E, _O, _O, _O], [2])
        )
        self.assertEqual(first.tags, ("B-X", "E-X", "O"))
        self.assertEqual(second.tags, ("O",))
        np.testing.assert_allclose(
            first.probabilities,
            [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],
            rtol=1e-6,
        )
        self.assertEqual(first.probabilities.dtype, np.float32)

    def test_words_that_were_not_seen_are_in_no_entity(self):
        (answer,) = _answers(([_B, _B, _B], [1, -1, -1]))
        self.assertEqual(answer.tags, ("B-X", "O", "O"))
        np.testing.assert_array_equal(
            answer.probabilities[1:], np.zeros([2, 3])
        )

    def test_no_examples_have_no_answers(self):
        self.assertEqual(
            tagging_answers.answers(
                _TASK, [], None, {}, run_config=_CONFIG, tokenizer=None
            ),
            [],
        )

    def test_words_that_were_not_seen_count(self):
        answers = _answers(
            ([_O, _B, _O, _O], [1, -1, -1]), ([_O, _O, _O, _O], [1])
        )
        # "New" alone is a wrong entity; "York" is wrong, "is" happens to be
        # right: 3 of 4 words.
        self.assertEqual(
            _score(answers),
            {"precision": 0.0, "recall": 0.0, "f1": 0.0, "word_accuracy": 75.0},
        )

    def test_right_tags_have_a_perfect_score(self):
        answers = _answers(
            ([_O, _B, _E, _O], [1, 2, 3]), ([_O, _O, _O, _O], [1])
        )
        self.assertEqual(set(_score(answers).values()), {100.0})
        self.assertIn(_TASK.main_metric, _score(answers))

    def test_records_have_words_tags_and_entities(self):
        answers = _answers(
            ([_O, _B, _E, _O], [1, 2, 3]), ([_O, _O, _O, _O], [1])
        )
        examples = [_SENTENCES[0], _SENTENCES[1]._replace(tags=None)]
        first, second = tagging_answers.records(_TASK, examples, answers)
        self.assertEqual(
            first,
            {
                "id": 0,
                "words": ["New", "York", "is"],
                "tags": ["B-X", "E-X", "O"],
                "spans": [
                    {
                        "start_word": 0,
                        "end_word": 1,
                        "type": "X",
                        "text": "New York",
                    }
                ],
                "target": ["B-X", "E-X", "O"],
            },
        )
        self.assertEqual(
            second, {"id": 1, "words": ["it"], "tags": ["O"], "spans": []}
        )
        self.assertEqual(json.loads(json.dumps(first)), first)

    def test_an_ensemble_has_the_mean_probabilities(self):
        trials = [
            _answers(([np.log(word)] * 2, [1, -1]))
            for word in ([0.6, 0.4, 0.0001], [0.1, 0.5, 0.4], [0.1, 0.5, 0.4])
        ]
        (answer,) = tagging_answers.combine(trials)
        self.assertEqual(answer.tags, ("E-X", "O"))
        self.assertAlmostEqual(
            answer.probabilities[0, 1], (0.4 + 0.5 + 0.5) / 3, places=3
        )

    def test_one_tag_everywhere_is_a_failure(self):
        nothing = _answers(([_O] * 3, [1, 2]), ([_O] * 3, [1, -1]))
        self.assertEqual(
            tagging_answers.failure(_TASK, nothing),
            "it finds no entity in 2 sentences",
        )
        same = _answers(([_B] * 3, [1, 2]))
        self.assertEqual(
            tagging_answers.failure(_TASK, same),
            "it gives all 2 words the tag 'B-X'",
        )

    def test_two_tags_or_a_single_word_are_no_failure(self):
        for answers in (
            _answers(([_O, _B, _O], [1, 2])),
            _answers(([_O] * 3, [1])),
            [],
        ):
            self.assertEqual(tagging_answers.failure(_TASK, answers), "")


if __name__ == "__main__":
    absltest.main()
