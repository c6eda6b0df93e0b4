"""Tests of the program that converts weights, as a user runs it."""

import os
import tempfile
from unittest import mock

from absl import app
from absl.testing import absltest
from absl.testing import flagsaver
from absl.testing import parameterized
import numpy as np

from electra_tf import convert_checkpoint
from electra_tf import networks
from electra_tf import original_files
from electra_tf import sources
from tests import testing


class ConvertCheckpointTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.input = os.path.join(cls.directory, "model")
        cls.values = testing.write_model_folder(
            cls.input, testing.tiny_config()
        )

    def _run(self, **flags) -> str:
        """Runs the program; returns what it prints."""
        flags = {"input": self.input, "format": "huggingface"} | flags
        with (
            flagsaver.flagsaver(**flags),
            mock.patch("builtins.print") as print_,
            # `app.run` would parse the command line of the tests.
            mock.patch.object(app, "run", lambda main: main(["program"])),
        ):
            convert_checkpoint.run()
        return print_.call_args.args[0]

    def _output(self) -> str:
        return os.path.join(self.create_tempdir().full_path, "output")

    def _original(self, values, *, vocab: bool = True) -> str:
        """A checkpoint of the original; 2 heads are not stated."""
        path = self.create_tempdir().full_path
        original_files.write(
            path,
            values,
            encoder_config=testing.tiny_config().encoder,
            step=5,
        )
        os.remove(os.path.join(path, "bert_config.json"))
        if vocab:
            testing.write_vocab(path)
        return path

    @parameterized.parameters("electra_tf", "original", "huggingface")
    def test_it_writes_what_is_asked_for_and_reports_it(self, output_format):
        output = self._output()
        report = self._run(output=output, format=output_format)
        source = sources.load(output)
        self.assertEqual(source.format, output_format)
        self.assertTrue(networks.equal(source.variables, self.values))
        for text in (
            f"Converted {self.input} to {output_format}",
            "hidden_size 32",
            "largest difference 0",
        ):
            self.assertIn(text, report)

    def test_flags_tell_what_the_input_does_not(self):
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        output = self._output()
        self._run(
            input=self._original(self.values, vocab=False),
            output=output,
            vocab_file=vocab_file,
            lower_case=True,
            strip_accents=False,
            num_attention_heads=4,
            max_position_embeddings=64,
        )
        # The generator's heads follow the original's rule, whatever is given.
        part = os.path.join(output, networks.DISCRIMINATOR)
        source = sources.load(part)
        self.assertEqual(source.encoder.num_attention_heads, 4)
        self.assertEqual(source.encoder.max_position_embeddings, 64)
        self.assertFalse(source.tokenizer().strip_accents)

    def test_heads_are_64_wide_if_nothing_is_told(self):
        output = self._output()
        self._run(input=self._original(self.values), output=output)
        self.assertEqual(sources.load(output).encoder.num_attention_heads, 1)

    def _assert_fails(self, message: str, **flags):
        """The program ends with one line, and writes nothing."""
        output = self._output()
        with self.assertRaisesRegex(SystemExit, f"(?s)Error: .*{message}"):
            self._run(output=output, **flags)
        self.assertEmpty(os.listdir(os.path.dirname(output)))

    def test_no_vocabulary(self):
        self._assert_fails(
            "No vocabulary beside .* --vocab_file",
            input=self._original(self.values, vocab=False),
        )

    def test_no_checkpoint(self):
        self._assert_fails("No checkpoint in '/nowhere'", input="/nowhere")

    def test_a_checkpoint_of_something_else(self):
        self._assert_fails(
            "No encoder of ELECTRA or BERT",
            input=self._original({"resnet/kernel": np.zeros([3, 3])}),
        )

    def test_a_misshapen_variable(self):
        name = "discriminator_predictions/dense/bias"
        self._assert_fails(
            rf"of another shape: {name} \(7,\) in the checkpoint, \(32,\)",
            input=self._original(self.values | {name: np.zeros(7)}),
        )

    def test_wrong_heads(self):
        self._assert_fails("has 2 attention heads", num_attention_heads=8)

    def test_fewer_positions(self):
        self._assert_fails("never shortened", max_position_embeddings=8)

    def test_an_existing_output(self):
        with self.assertRaisesRegex(SystemExit, "Error: .* exists"):
            self._run(output=self.create_tempdir().full_path)


if __name__ == "__main__":
    absltest.main()
