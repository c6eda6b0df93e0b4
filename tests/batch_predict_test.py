"""Tests of the program for batch prediction."""

import json
import os
import pathlib

from absl.testing import absltest

from tests import forked
from tests import stub_saved_model


class BatchPredictTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        folder = self.create_tempdir().full_path
        self.base_path = os.path.join(folder, "model")
        stub_saved_model.write(os.path.join(self.base_path, "7"))
        self.folder = pathlib.Path(folder)

    def run_program(self, *arguments):
        return forked.run(
            "electra_tf.serving.batch_predict",
            f"--saved_model={self.base_path}",
            f"--output_dir={self.folder / 'out'}",
            *arguments,
        )

    def test_files_of_a_pattern_become_shards(self):
        (self.folder / "b.txt").write_text("ab\n\n", "utf-8")
        (self.folder / "a.txt").write_text("é\r\n", "utf-8")
        result = self.run_program(
            f"--input={self.folder}/*.txt",
            "--num_shards=2",
            "--distribution_strategy=mirrored",
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(
            result.stdout,
            "^2 shards in .*, 2 of them made now .*, from 3 lines or records; "
            "0 malformed",
        )
        rows = []
        for path in sorted((self.folder / "out").glob("predictions-*")):
            rows += path.read_text("utf-8").splitlines()
        self.assertEqual(
            [*map(json.loads, rows)],
            [stub_saved_model.expected_row(text) for text in ("é", "ab", "")],
        )

    def test_a_malformed_record_ends_it_with_one_line(self):
        (self.folder / "a.jsonl").write_text('{"text": "a"}\n{"txt": "a"}\n')
        result = self.run_program(f"--input={self.folder}/a.jsonl")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(
            result.stderr.splitlines()[-1],
            "^Error: .*a.jsonl, line 2: .*unknown txt.*--skip_malformed",
        )


if __name__ == "__main__":
    absltest.main()
