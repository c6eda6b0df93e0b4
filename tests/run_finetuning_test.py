"""Tests of the fine-tuning program as users start it."""

from absl.testing import absltest

from tests import forked


def _run(*arguments: str):
    return forked.run("finetune.run_finetuning", *arguments)


class RunFinetuningTest(absltest.TestCase):
    def test_help_lists_the_fields_of_the_configuration(self):
        output = _run("--help").stdout
        self.assertIn("--init_checkpoint: Model folder", output)
        self.assertIn("--[no]from_scratch", output)

    def test_wrong_input_ends_with_one_line_and_a_status(self):
        result = _run(
            "--task=coala",
            "--init_checkpoint=MODEL",
            "--data_dir=GLUE",
            "--output_dir=OUTPUT",
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn(
            "Error: Unknown task 'coala'. Known tasks: chunk, cola,",
            result.stderr,
        )
        self.assertNotIn("Traceback", result.stderr)


if __name__ == "__main__":
    absltest.main()
