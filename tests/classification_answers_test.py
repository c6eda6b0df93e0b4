"""Tests of the labels and scores that are made of a model's outputs."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from finetune import classification_answers
from finetune import finetune_config
from finetune import task as task_lib

_CONFIG = finetune_config.FinetuneConfig()
_LABELS = task_lib.Task(
    name="rte",
    files={},
    labels=("entailment", "not_entailment"),
    metrics=("accuracy", "f1"),
    main_metric="accuracy",
)
_SCORES = task_lib.Task(
    name="sts",
    kind="regression",
    files={},
    score_range=(0.0, 5.0),
    metrics=("correlations",),
    main_metric="spearman",
)


def _examples(*labels):
    return [
        task_lib.Example(id, "a", "b", label) for id, label in enumerate(labels)
    ]


def _labels(*probabilities):
    """Answers to examples with these probabilities of the second label."""
    second = np.array(probabilities, np.float32)
    both = np.stack([1 - second, second], axis=-1)
    return classification_answers.answers(
        _LABELS,
        _examples(*probabilities),
        None,
        {"logits": np.log(both), "probabilities": both},
        run_config=_CONFIG,
        tokenizer=None,
    )


def _scores(*scores):
    return classification_answers.answers(
        _SCORES,
        _examples(*scores),
        None,
        {"score": np.array(scores, np.float32)},
        run_config=_CONFIG,
        tokenizer=None,
    )


class ClassificationAnswersTest(parameterized.TestCase):
    def test_the_likeliest_label_is_the_answer(self):
        first, second = _labels(0.25, 0.75)
        self.assertEqual((first.label, second.label), (0, 1))
        np.testing.assert_array_equal(second.probabilities, [0.25, 0.75])

    def test_a_score_is_the_answer_as_it_is(self):
        self.assertEqual(_scores(-0.5, 5.25), [(-0.5,), (5.25,)])

    @parameterized.parameters(_LABELS, _SCORES)
    def test_no_examples_have_no_answers(self, task):
        self.assertEqual(
            classification_answers.answers(
                task, [], None, {}, run_config=_CONFIG, tokenizer=None
            ),
            [],
        )

    def test_labels_have_the_metrics_of_the_task(self):
        result = classification_answers.score(
            _LABELS,
            _examples(0, 1, 1, 1),
            _labels(0.1, 0.9, 0.2, 0.9),
            run_config=_CONFIG,
        )
        # Precision 1, recall 2/3.
        self.assertEqual(result["accuracy"], 75.0)
        self.assertAlmostEqual(result["f1"], 80.0)

    def test_scores_have_the_metrics_of_the_task(self):
        result = classification_answers.score(
            _SCORES,
            _examples(1.0, 2.0, 3.0),
            _scores(2.0, 3.0, 4.0),
            run_config=_CONFIG,
        )
        self.assertAlmostEqual(result["pearson"], 100.0)
        self.assertAlmostEqual(result["spearman"], 100.0)

    def test_records_of_labels_have_names_and_probabilities(self):
        records = list(
            classification_answers.records(
                _LABELS, _examples(1, None), _labels(0.25, 0.75)
            )
        )
        self.assertEqual(
            records,
            [
                {
                    "id": 0,
                    "label": "entailment",
                    "probabilities": {
                        "entailment": 0.75,
                        "not_entailment": 0.25,
                    },
                    "target": "not_entailment",
                },
                {
                    "id": 1,
                    "label": "not_entailment",
                    "probabilities": {
                        "entailment": 0.25,
                        "not_entailment": 0.75,
                    },
                },
            ],
        )
        self.assertEqual(json.loads(json.dumps(records)), records)

    def test_records_of_scores_have_the_task_s_unit(self):
        records = list(
            classification_answers.records(
                _SCORES, _examples(3.8, None), _scores(3.5, 1.0)
            )
        )
        self.assertEqual(
            records,
            [{"id": 0, "score": 3.5, "target": 3.8}, {"id": 1, "score": 1.0}],
        )

    def test_an_ensemble_of_labels_has_the_mean_probabilities(self):
        # Two of three trials say 0, but the mean is 0.6.
        (answer,) = classification_answers.combine(
            [_labels(0.45), _labels(0.45), _labels(0.9)]
        )
        self.assertEqual(answer.label, 1)
        np.testing.assert_allclose(answer.probabilities, [0.4, 0.6], rtol=1e-6)

    def test_an_ensemble_of_scores_is_their_mean(self):
        self.assertEqual(
            classification_answers.combine(
                [_scores(1.0, 4.0), _scores(2.0, 5.0)]
            ),
            [(1.5,), (4.5,)],
        )

    def test_one_answer_for_all_is_a_failure(self):
        self.assertEqual(
            classification_answers.failure(_LABELS, _labels(0.2, 0.3, 0.1)),
            "it gives all 3 examples the label 'entailment'",
        )
        self.assertEqual(
            classification_answers.failure(_SCORES, _scores(2.5, 2.501)),
            "it gives all 2 examples the score 2.5",
        )

    @parameterized.parameters(
        (_LABELS, _labels(0.2, 0.7)),
        (_LABELS, _labels(0.2)),
        (_LABELS, []),
        (_SCORES, _scores(2.5, 2.6)),
        (_SCORES, _scores(2.5)),
    )
    def test_other_answers_are_no_failure(self, task, answers):
        self.assertEqual(classification_answers.failure(task, answers), "")


if __name__ == "__main__":
    absltest.main()
