"""Tests of questions that are made of sentences of a text."""

import collections
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

    def test_true_statements_are_sentences_of_their_context(self):
        # A passage in each line, and no word twice.
        lines = [
            "a1 a2 a3 a4 a5 a6 a7 a8. B1 b2 b3 b4 b5 b6 b7 b8.",
            "c1 c2 c3 c4 c5 c6 c7 c8. D1 d2 d3 d4 d5 d6 d7 d8.",
            "e1 e2 e3 e4 e5 e6 e7 e8. F1 f2 f3 f4 f5 f6 f7 f8.",
        ]
        sentences = [s.rstrip(".").split() for s in " ".join(lines).split(". ")]
        kinds = collections.Counter()
        for seed in range(300):
            for row in clozes_lib.statements(lines, random.Random(seed)):
                self.assertIn(row["context"], lines)
                words = row["statement"].removesuffix(".").split()
                inside = {*row["context"].replace(".", "").split()}
                is_part = any(
                    words == [word for word in sentence if word in words]
                    for sentence in sentences
                )
                if not is_part:
                    kind = "mixed"
                else:
                    kind = "inside" if inside.issuperset(words) else "other"
                kinds[row["label"], kind] += 1
        total = kinds.total()
        self.assertAlmostEqual(kinds["true", "inside"] / total, 0.5, delta=0.05)
        self.assertEqual(kinds["true", "other"] + kinds["true", "mixed"], 0)
        # 0.3 of the false ones.
        self.assertAlmostEqual(
            kinds["false", "other"] / total, 0.15, delta=0.05
        )
        # By chance no word of a few is replaced.
        self.assertLess(kinds["false", "inside"] / total, 0.07)
        self.assertGreater(kinds["false", "mixed"] / total, 0.25)

    def test_statements_have_at_most_twenty_words(self):
        line = f"{' '.join(30 * ['word'])}. {_BORN}"
        made = [
            row["statement"]
            for seed in range(50)
            for row in clozes_lib.statements(3 * [line], random.Random(seed))
        ]
        self.assertEqual(max(len(text.split()) for text in made), 20)
        self.assertGreaterEqual(min(len(text.split()) for text in made), 3)

    def test_two_passages_make_no_statement(self):
        line = f"{_BORN} {_PAINTED}"
        made = clozes_lib.statements([line, line], random.Random(0))
        self.assertEqual([*made], [])

    def test_the_files_are_read_as_squad(self):
        folder = self.create_tempdir().full_path
        corpus = os.path.join(folder, "corpus.txt")
        lines = [f"{_BORN} {_DIED}", f"{_PAINTED} {_DIED}"]
        with open(corpus, "w") as file:
            for line in lines:
                file.write(10 * f"{line}\n" + "\n")
        arguments = [f"--corpus={corpus}", f"--output_dir={folder}/cloze"]
        result = forked.run(
            "benchmarks.cloze_questions",
            *arguments,
            "--num_questions=4",
            "--num_statements=4",
            "--num_dev_questions=2",
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        # The first document is held out.
        for name, size, contexts in (
            ("dev", 2, lines[:1]),
            ("train", 4, lines),
        ):
            with open(f"{folder}/cloze/{name}.json", "rb") as file:
                questions = squad.parse_squad(
                    file.read(), task=registry.get("squad"), split="train"
                )
            self.assertLen(questions, size)
            for question in questions:
                self.assertIn(question.context, contexts)
                for answer in question.answers:
                    self.assertIn(answer.text, question.context)
            with open(f"{folder}/cloze/{name}.jsonl") as file:
                statements = [*map(json.loads, file)]
            self.assertLen(statements, size)
            for statement in statements:
                self.assertIn(statement["context"], contexts)

        result = forked.run("benchmarks.cloze_questions", *arguments)
        self.assertEqual(result.returncode, 1)
        self.assertIn("20 questions, not 40,500", result.stderr)
        arguments += ["--num_questions=4", "--num_dev_questions=2"]
        result = forked.run("benchmarks.cloze_questions", *arguments)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"\d+ statements, not 20,002")


if __name__ == "__main__":
    absltest.main()
