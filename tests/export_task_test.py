"""Tests of the program that exports fine-tuned models."""

import json
import os

from absl.testing import flagsaver
import tensorflow as tf

from electra_tf import export_flags
from electra_tf.serving import warmup
from finetune import registry
from tests import export_test
from tests import forked
from tests import random_finetuned


class ExportTaskTest(tf.test.TestCase):
    def test_the_program_exports_as_its_flags_say(self):
        directory = self.create_tempdir().full_path
        output_dir = os.path.join(directory, "answers")
        random_finetuned.write(
            directory,
            random_finetuned.create(
                registry.get("squad"),
                doc_stride=8,
                max_query_length=8,
                beam_size=4,
            ),
        )
        result = forked.run(
            "finetune.export_task",
            f"--model_dir={directory}",
            f"--output_dir={output_dir}",
            "--version=7",
            "--fixed_length",
            "--precision=bfloat16",
            "--warmup_batch_sizes=1,4",
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("takes    context: string [?]", result.stdout)
        self.assertIn("takes    input_ids: int32 [?, 24]", result.stdout)
        self.assertIn("question=tf.constant([", result.stdout)
        self.assertEqual(os.listdir(output_dir), ["7"])
        path = os.path.join(output_dir, "7")
        self.assertEmpty(export_test.unexpected_operations(path))
        # Two signatures in two sizes.
        self.assertLen(warmup.read(path), 4)
        info = os.path.join(path, "assets.extra", "model_info.json")
        with open(info, encoding="utf-8") as file:
            info = json.load(file)
        self.assertEqual(info["kind"], "question_answering")
        self.assertEqual(info["precision"], "bfloat16")
        self.assertTrue(info["fixed_length"])

    def test_a_wrong_batch_size_is_named(self):
        for value in ("1,x", "0"):
            with flagsaver.as_parsed(output_dir="x", warmup_batch_sizes=value):
                with self.assertRaisesRegex(ValueError, "--warmup_batch_s"):
                    export_flags.arguments()


if __name__ == "__main__":
    tf.test.main()
