"""Tests of held-out shares of training examples."""

import json
import os

from absl.testing import absltest

from finetune import custom_task
from finetune import finetune_config
from finetune import task_data

_CONFIG = finetune_config.FinetuneConfig(task="custom")


class DevShareTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def read(self, name: str, content: str, **fields):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(content)
        task = custom_task.create(
            name="custom", files={"train": path}, **fields
        )
        return (
            task_data.Source(custom=task)
            .read("custom", run_config=_CONFIG)
            .examples
        )

    def read_rows(self, texts, share):
        rows = "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
        return self.read(
            "train.csv",
            f"text,label\n{rows}",
            kind="classification",
            text_columns=["text"],
            label_column="label",
            dev_share=share,
        )

    def test_about_that_share_is_held_out_and_nothing_is_lost(self):
        texts = [f"text {i}" for i in range(2000)]
        examples = self.read_rows(texts, 0.1)
        # 200 +- 4 standard deviations of sqrt(2000 * 0.1 * 0.9) = 13.4.
        self.assertBetween(len(examples["dev"]), 146, 254)
        ids = [e.id for part in examples.values() for e in part]
        self.assertEqual(sorted(ids), list(range(2000)))

    def test_more_data_and_another_order_move_no_example(self):
        texts = [f"text {i}" for i in range(100)]
        dev = [
            {e.text_a for e in self.read_rows(these, 0.2)["dev"]}
            for these in (texts, [*texts[::-1], *"abcdefgh"])
        ]
        self.assertEqual(dev[0], dev[1] - set("abcdefgh"))

    def test_equal_texts_are_on_the_same_side(self):
        examples = self.read_rows([f"text {i // 5}" for i in range(200)], 0.3)
        train, dev = (
            {e.text_a for e in examples[split]} for split in ("train", "dev")
        )
        self.assertEmpty(train & dev)

    def test_all_questions_about_a_context_are_on_the_same_side(self):
        paragraphs = [
            {
                "context": f"The answer is {i}.",
                "qas": [
                    {
                        "id": f"{i}-{j}",
                        "question": "What?",
                        "answers": [{"text": str(i), "answer_start": 14}],
                    }
                    for j in range(5)
                ],
            }
            for i in range(40)
        ]
        examples = self.read(
            "train.json",
            json.dumps({"data": [{"paragraphs": paragraphs}]}),
            kind="question_answering",
            dev_share=0.25,
        )
        self.assertLen(examples["train"] + examples["dev"], 200)
        self.assertEqual(len(examples["dev"]) % 5, 0)
        self.assertEmpty(
            {e.context for e in examples["train"]}
            & {e.context for e in examples["dev"]}
        )

    def test_a_share_that_leaves_nothing_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "none of 2 .* for 'dev'"):
            self.read_rows(["same", "same"], 1e-6)


if __name__ == "__main__":
    absltest.main()
