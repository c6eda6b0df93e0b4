"""Tests of questions that are made of sentences of a text."""

import json
import os
import random

from absl.testing import absltest

from benchmarks import clozes as clozes_lib
from finetune import registry
from finetune import squad
from tests import forked

# Eleven and nine words; the third is too short to be asked about.
_BORN = "Anna Smith was born in the town of Linz in 1901."
_PAINTED = "She painted flowers and fruit in the Old Garden."
_DIED = "She died young."


class ClozeQuestionsTest(absltest.TestCase):
    def make(self, *lines, seed=0, **changes):
        settings = dict(impossible_share=0.0, kept_share=1.0, context_words=30)
        return [
            *clozes_lib.of_document(
                lines, random.Random(seed), **settings | changes
            )
        ]

    def test_the_answer_fills_the_gap_and_is_where_it_says(self):
        asked = set()
        for seed in range(50):
            (cloze,) = self.make(f"{_BORN} {_PAINTED} {_DIED}", seed=seed)
            self.assertEqual(cloze.context, f"{_BORN} {_PAINTED} {_DIED}")
            end = cloze.start + len(cloze.answer)
            self.assertEqual(cloze.context[cloze.start : end], cloze.answer)
            self.assertBetween(len(cloze.answer.split()), 1, 5)
            asked.add(cloze.question.replace("what", cloze.answer))
        # "?" stands for the full stop.
        self.assertEqual(asked, {_BORN[:-1] + "?", _PAINTED[:-1] + "?"})

    def test_most_gaps_are_names_and_numbers_within_the_sentence(self):
        answers = [
            self.make(f"{_BORN} {_DIED}", seed=seed)[0].answer
            for seed in range(400)
        ]
        num_entities = sum(a in ("Smith", "Linz", "1901") for a in answers)
        # Or, in 0.3, one of eleven words is drawn with up to four after it.
        chance = (1 / 5 + 1 / 5 + 1) / 11
        self.assertAlmostEqual(
            num_entities / 400, 0.7 + 0.3 * chance, delta=0.06
        )

    def test_words_around_the_gap_are_left_out(self):
        (cloze,) = self.make(f"{_BORN} {_DIED}", kept_share=0.0)
        self.assertEqual(cloze.question, "what?")
        self.assertIn(cloze.answer, _BORN)

    def test_an_impossible_question_is_that_of_another_passage(self):
        lines = [f"{_BORN} {_DIED}", f"{_DIED} {_PAINTED}"]
        questions = [c.question for c in self.make(*lines)]
        clozes = self.make(*lines, impossible_share=1.0)
        self.assertEqual([c.context for c in clozes], lines)
        self.assertEqual([c.question for c in clozes], questions[::-1])
        self.assertEqual([c.answer for c in clozes], [None, None])
        # With a single passage there is none.
        self.assertEqual(
            self.make(lines[0], impossible_share=1.0), self.make(lines[0])
        )

    def test_passages_are_runs_of_sentences_of_so_many_words(self):
        line = f"{_DIED} {_BORN} {_PAINTED} {_DIED}"
        # 3 + 11 words, then 9 + 3.
        self.assertEqual(
            [c.context for c in self.make(line, context_words=20)],
            [f"{_DIED} {_BORN}", f"{_PAINTED} {_DIED}"],
        )

    def test_what_is_short_or_alone_is_not_asked_about(self):
        self.assertEqual(self.make(f"{_DIED} {_DIED}", _BORN), [])
        stars = 9 * "* "
        self.assertEqual(self.make(f"So it is. {stars}"), [])
        self.assertEqual(self.make(f"It is. A {stars}")[0].answer, "A")

    def test_half_of_the_statements_are_true(self):
        line = f"{_BORN} {_DIED}"
        clozes = [self.make(line, seed=seed)[0] for seed in range(400)]
        # 250 of the 400 answerable ones must be true for that.
        clozes += 100 * [clozes[0]._replace(answer=None)]
        made = clozes_lib.statements(clozes, random.Random(0))
        self.assertEqual(
            {row["statement"] for row in made if row["label"] == "true"},
            {_BORN},
        )
        self.assertEqual({row["label"] for row in made[400:]}, {"false"})
        true = [row["label"] for row in made].count("true")
        self.assertAlmostEqual(true / 500, 0.5, delta=0.05)
        words = {*line.split(), *(cloze.answer for cloze in clozes[:400])}
        for row, cloze in zip(made, clozes, strict=True):
            self.assertIn(
                row["statement"], [cloze.filled(w) + "." for w in words]
            )

        (made,) = clozes_lib.statements(clozes[-1:], random.Random(0))
        self.assertEqual(made["label"], "false")

    def test_the_files_are_read_as_squad(self):
        folder = self.create_tempdir().full_path
        corpus = os.path.join(folder, "corpus.txt")
        with open(corpus, "w") as file:
            file.write(f"{_BORN} {_DIED}\n\n{_PAINTED} {_DIED}\n")
        arguments = [f"--corpus={corpus}", f"--output_dir={folder}/cloze"]
        result = forked.run(
            "benchmarks.cloze_questions",
            *arguments,
            "--num_questions=1",
            "--num_dev_questions=1",
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        for name, sentence in (("dev", _BORN), ("train", _PAINTED)):
            with open(f"{folder}/cloze/{name}.json", "rb") as file:
                (question,) = squad.parse_squad(
                    file.read(), task=registry.get("squad"), split="train"
                )
            self.assertEqual(question.context, f"{sentence} {_DIED}")
            self.assertIn(question.answers[0].text, sentence)
            with open(f"{folder}/cloze/{name}.jsonl") as file:
                (statement,) = map(json.loads, file)
            self.assertEqual(statement["context"], question.context)

        result = forked.run("benchmarks.cloze_questions", *arguments)
        self.assertEqual(result.returncode, 1)
        self.assertIn("2 questions, not 40,500", result.stderr)


if __name__ == "__main__":
    absltest.main()
