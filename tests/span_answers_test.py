"""Tests of answers to questions, most against the original's."""

import functools
import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from finetune import finetune_config
from finetune import qa_metrics
from finetune import registry
from finetune import span_answers
from finetune import span_decoding
from finetune import squad
from finetune import task as task_lib
from tests import golden_windows
from tests import testing

_FILES = {
    "squad": ("squad.json", squad.parse_squad),
    "squadv1": ("squadv1.json", squad.parse_squad),
    "newsqa": ("newsqa.jsonl", squad.parse_mrqa),
}
_CASES = (
    "v1_joint",
    "v1_independent",
    "v2_joint_answerable",
    "v2_joint_no_classifier",
    "v2_independent_no_classifier",
    "v2_independent_answerable",
    "mrqa_joint",
)


class GoldenTest(parameterized.TestCase):
    def _answers(self, case: str):
        expected = golden_windows.read_json(
            "qa_decoding", f"{case}.expected.json"
        )
        settings = expected["config"]
        task = registry.get(settings["task"])
        file_name, parse = _FILES[task.name]
        with open(
            testing.golden("squad_features", "data", file_name), "rb"
        ) as file:
            examples = parse(
                file.read(), task=task, split="dev", file_name=file_name
            )
        rows, tokenizer = golden_windows.rows_of(
            task.name, [e.id for e in examples]
        )
        run_config = finetune_config.FinetuneConfig(
            answer_text="original",
            n_best_size=settings["n_best_size"],
            max_answer_length=settings["max_answer_length"],
            null_threshold=settings["qa_na_threshold"],
        )
        answers = span_answers.answers(
            task,
            examples,
            rows,
            golden_windows.outputs_of(case, settings),
            run_config=run_config,
            tokenizer=tokenizer,
        )
        return task, examples, answers, run_config, expected

    @parameterized.parameters(*_CASES)
    def test_answers_are_the_original_s(self, case):
        _, examples, answers, _, expected = self._answers(case)
        nbest = golden_windows.read_json("qa_decoding", f"{case}.nbest.json")
        texts = span_answers.predictions_json(examples, answers)
        self.assertEqual(set(texts), set(expected["predictions"]))
        for example, answer in zip(examples, answers, strict=True):
            text = expected["predictions"][example.id]
            if not answer.nbest:
                # The only difference: the original answers "empty".
                self.assertEqual((text, answer.text), ("empty", ""))
                continue
            self.assertEqual(answer.text, text)
            original = nbest[example.id]
            self.assertEqual(
                [candidate.text for candidate in answer.nbest],
                [values[0] for values in original],
            )
            np.testing.assert_allclose(
                [candidate.probability for candidate in answer.nbest],
                [values[1] for values in original],
                atol=1e-5,
            )
            for candidate in answer.nbest:
                self.assertEqual(
                    example.context[candidate.start : candidate.end].split(),
                    candidate.text.split(),
                )

    @parameterized.parameters(*_CASES)
    def test_null_scores_are_the_original_s(self, case):
        _, examples, answers, _, expected = self._answers(case)
        odds = span_answers.null_odds_json(examples, answers)
        if not expected["config"]["v2"]:
            self.assertEmpty(odds)
            return
        self.assertEqual(set(odds), set(expected["null_odds"]))
        for name, value in expected["null_odds"].items():
            self.assertAlmostEqual(odds[name], value, delta=1e-5)
        blanked = span_answers.predictions_json(
            examples, answers, apply_threshold=True
        )
        self.assertEqual(blanked, expected["test_predictions_after_threshold"])

    @parameterized.parameters(*_CASES)
    def test_metrics_are_the_original_s(self, case):
        task, examples, answers, run_config, expected = self._answers(case)
        metrics = span_answers.score(
            task, examples, answers, run_config=run_config
        )
        official = expected["official_metrics"]
        names = {"em": "exact_match", "f1": "f1"}
        if expected["config"]["v2"]:
            names = {
                "em": "exact",
                "f1": "f1",
                "has_answer_em": "HasAns_exact",
                "has_answer_f1": "HasAns_f1",
                "no_answer_em": "NoAns_exact",
                "no_answer_f1": "NoAns_f1",
                "best_em": "best_exact",
                "best_em_threshold": "best_exact_thresh",
                "best_f1": "best_f1",
                "best_f1_threshold": "best_f1_thresh",
            }
        self.assertEqual(set(metrics), set(names))
        for ours, theirs in names.items():
            self.assertAlmostEqual(
                metrics[ours], official[theirs], delta=1e-9, msg=ours
            )

    def test_the_curve_passes_through_the_original_s_metrics(self):
        _, examples, answers, _, expected = self._answers("v2_joint_answerable")
        curve = qa_metrics.threshold_curve(
            examples,
            span_answers.predictions_json(examples, answers),
            span_answers.null_odds_json(examples, answers),
        )
        official = expected["official_metrics"]
        self.assertAlmostEqual(max(curve.f1), official["best_f1"], delta=1e-9)
        self.assertAlmostEqual(
            max(curve.em), official["best_exact"], delta=1e-9
        )


_WORDS_CONTEXT = (
    'Then "Zo\u00eb" ate \U0001f363, (raw) in Caf\u00e9\u2019s bar.'
)


def _question(context, name="q", **fields) -> task_lib.Question:
    return task_lib.Question(name, "who was it", context, **fields)


def _point(rows, examples, *places, beam=2):
    """Outputs that prefer one part of the context in every row.

    Args:
        rows: of `examples`.
        examples: of the rows.
        *places: for each question the text, or None for [CLS].
        beam: of the outputs.
    """
    outputs = {
        "start_top_index": np.zeros([rows.num_rows, beam], np.int32),
        "end_top_index": np.zeros([rows.num_rows, beam, beam], np.int32),
        "start_top_log_probs": np.full([rows.num_rows, beam], -5.0, np.float32),
        "end_top_log_probs": np.full(
            [rows.num_rows, beam, beam], -5.0, np.float32
        ),
    }
    for row, question in enumerate(rows.question_index):
        text = places[question]
        if text is None:
            continue
        first = examples[question].context.index(text)
        starts = rows.token_spans[row][:, 0] == first
        ends = rows.token_spans[row][:, 1] == first + len(text)
        if starts.any() and ends.any():
            outputs["start_top_index"][row, 0] = np.flatnonzero(starts)[0]
            outputs["start_top_log_probs"][row, 0] = -0.1
            outputs["end_top_index"][row, 0, 0] = np.flatnonzero(ends)[0]
            outputs["end_top_log_probs"][row, 0, 0] = -0.1
    return outputs


@functools.cache
def _tokenizer():
    """Shared, because each traces its functions anew."""
    from electra_tf import tokenization

    return tokenization.Tokenizer(testing.tiny_vocab())


def _answer(
    examples, *places, task="squadv1", max_seq_length=64, null=None, **fields
):
    """Answers of outputs as `_point` makes them, and their windows."""
    from finetune import window_features

    tokenizer = _tokenizer()
    run_config = finetune_config.FinetuneConfig(
        max_seq_length=max_seq_length, doc_stride=8, **fields
    )
    rows = window_features.make_features(
        examples,
        task=registry.get(task),
        tokenizer=tokenizer,
        run_config=run_config,
        is_training=False,
    )
    outputs = _point(rows, examples, *places)
    if null is not None:
        outputs["answerable_logit"] = np.array(null, np.float32)[
            rows.question_index
        ]
    answers = span_answers.answers(
        registry.get(task),
        examples,
        rows,
        outputs,
        run_config=run_config,
        tokenizer=tokenizer,
    )
    return answers, rows


class OffsetsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("Zo\u00eb",),
        ('"Zo\u00eb"',),
        ("\U0001f363",),
        ("\U0001f363, (raw",),
        ("(raw)",),
        ("Caf\u00e9",),
        ("Caf\u00e9\u2019s",),
        ("bar.",),
    )
    def test_a_text_is_exactly_that_of_its_tokens(self, text):
        (answer,), _ = _answer([_question(_WORDS_CONTEXT)], text)
        self.assertEqual(answer.text, text)
        self.assertEqual(_WORDS_CONTEXT[answer.start : answer.end], text)
        self.assertEqual(answer.probability, 1.0)
        self.assertIsNone(answer.null_score)
        self.assertTrue(answer.is_answerable)

    def test_accents_that_are_characters_of_their_own_need_no_alignment(self):
        context = "in (Cafe\u0301) now"
        for mode, text in (
            ("offsets", "Cafe\u0301"),
            # Whole words, because nothing can be aligned.
            ("original", "(Cafe\u0301)"),
        ):
            (answer,), _ = _answer(
                [_question(context)], "Cafe\u0301", answer_text=mode
            )
            self.assertEqual(answer.text, text)

    def test_an_answer_in_several_windows_is_one(self):
        context = " ".join(["the time"] * 8 + ["he was"] + ["my new"] * 8)
        answers, rows = _answer(
            [_question(context)], "he was", max_seq_length=24
        )
        starts = [
            int(
                is_max[
                    np.flatnonzero(spans[:, 0] == context.index("he was"))[0]
                ]
            )
            for spans, is_max in zip(
                rows.token_spans, rows.is_max_context, strict=True
            )
            if (spans[:, 0] == context.index("he was")).any()
        ]
        # It is in several windows, one of which has most of the text around.
        self.assertGreater(len(starts), 1)
        self.assertEqual(sum(starts), 1)
        self.assertEqual([found.text for found in answers[0].nbest], ["he was"])
        self.assertEqual(answers[0].start, context.index("he was"))

    def test_questions_are_told_apart(self):
        examples = [
            _question("it was he", name="a"),
            _question(" ".join(["the time"] * 16), name="b"),
            _question("they all had no", name="c"),
        ]
        answers, rows = _answer(
            examples, "he", None, "all had", max_seq_length=24
        )
        self.assertGreater(rows.num_rows, 3)
        self.assertEqual([a.text for a in answers], ["he", "", "all had"])

    def test_contexts_without_tokens_have_an_empty_answer(self):
        examples = [_question("it was", name="a"), _question(" ", name="b")]
        answers, _ = _answer(
            examples, "it", None, task="squad", null=[-9.0, -9.0]
        )
        self.assertEqual(answers[1].text, "")
        self.assertEqual(answers[1].nbest, ())
        self.assertIsNone(answers[1].start)
        self.assertEqual(answers[1].null_score, span_decoding.NO_WINDOW)
        self.assertFalse(answers[1].is_answerable)


class RecordsTest(absltest.TestCase):
    def test_records_are_json(self):
        examples = [
            _question("it was he", "a", answers=(task_lib.Answer("he", 7),)),
            _question("they had", "b", is_impossible=True),
            _question("", "c"),
        ]
        answers, _ = _answer(
            examples, "was he", "had", None, task="squad", null=[-3.0, 1, 0]
        )
        records = list(
            span_answers.records(registry.get("squad"), examples, answers)
        )
        self.assertEqual(
            json.loads(json.dumps(records[0])),
            {
                "id": "a",
                "answer": "was he",
                "start": 3,
                "end": 9,
                "probability": 1.0,
                "null_score": -3.0,
                "is_answerable": True,
                "n_best": [
                    {"text": "was he", "start": 3, "end": 9, "probability": 1.0}
                ],
                "target": ["he"],
            },
        )
        self.assertFalse(records[1]["is_answerable"])
        self.assertEqual(records[1]["target"], [])
        self.assertEqual(records[2]["answer"], "")
        self.assertIsNone(records[2]["start"])
        self.assertNotIn("target", records[2])

    def test_the_threshold_decides_what_is_answered(self):
        examples = [_question("they had")]
        answers, _ = _answer(
            examples, "had", task="squad", null=[2.0], null_threshold=2.0
        )
        # At the threshold itself there is an answer.
        self.assertTrue(answers[0].is_answerable)
        answers, _ = _answer(
            examples, "had", task="squad", null=[2.0], null_threshold=1.9
        )
        self.assertFalse(answers[0].is_answerable)


def _made(*nbest, null_score=None) -> span_answers.SpanAnswer:
    """An answer of pairs of a text and a probability."""
    found = tuple(
        span_decoding.Candidate(text, 0, len(text), probability)
        for text, probability in nbest
    )
    best = found[0] if found else ("", None, None, 0.0)
    return span_answers.SpanAnswer(*best, null_score, -2.75, found)


class CombineTest(absltest.TestCase):
    def test_the_mean_of_probabilities_and_null_scores_counts(self):
        (answer,) = span_answers.combine(
            [
                [_made(("red", 0.6), ("blue", 0.4), null_score=-2.0)],
                [_made(("blue", 0.9), ("green", 0.1), null_score=-4.0)],
            ]
        )
        # red 0.6 / 2, blue (0.4 + 0.9) / 2, green 0.1 / 2, which is one more
        # than each trial has.
        self.assertEqual(answer.text, "blue")
        self.assertEqual((answer.start, answer.end), (0, 4))
        self.assertEqual([n.text for n in answer.nbest], ["blue", "red"])
        np.testing.assert_allclose(
            [n.probability for n in answer.nbest], [0.65, 0.3]
        )
        self.assertEqual(answer.null_score, -3.0)
        self.assertTrue(answer.is_answerable)

    def test_no_answers_stay_none(self):
        (answer,) = span_answers.combine([[_made()], [_made()]])
        self.assertEqual(answer, _made())


class FailureTest(absltest.TestCase):
    def _failure(self, *answers) -> str:
        return span_answers.failure(registry.get("squad"), answers)

    def test_different_answers_are_fine(self):
        answers = [
            _made((text, 1.0), null_score=0.5 * i)
            for i, text in enumerate("abcabc")
        ]
        self.assertEqual(self._failure(*answers), "")
        self.assertEqual(self._failure(), "")

    def test_the_same_answer_to_every_question_is_a_failure(self):
        self.assertIn("'x'", self._failure(*[_made(("x", 1.0))] * 6))
        # But two questions may well have the same.
        self.assertEqual(self._failure(*[_made(("x", 1.0))] * 2), "")

    def test_no_answer_to_any_question_is_a_failure(self):
        self.assertIn("no answer", self._failure(_made(), _made()))

    def test_the_same_null_score_for_every_question_is_a_failure(self):
        answers = [_made((text, 1.0), null_score=1.0) for text in "abcdef"]
        self.assertIn("null score 1", self._failure(*answers))


class ScoreTest(absltest.TestCase):
    def test_unknown_metrics_are_refused(self):
        task = registry.get("rte")
        with self.assertRaisesRegex(ValueError, "accuracy.*squad_v1, mrqa"):
            span_answers.score(
                task, [], [], run_config=finetune_config.FinetuneConfig()
            )


if __name__ == "__main__":
    absltest.main()
