"""Tests of the client as a program."""

import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

from tests import stub_grpc_server
from tests import stub_model

_TEXTS = ["ab", "", "é👍🏽", "tab\there"]
_ROWS = [*map(stub_model.expected_row, _TEXTS)]


class ClientTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.enter_context(stub_model.RestServer())
        self.folder = self.create_tempdir().full_path

    def path(self, name, lines=None):
        path = os.path.join(self.folder, name)
        if lines is not None:
            pathlib.Path(path).write_text("\n".join(lines) + "\n", "utf-8")
        return path

    def run_client(self, *arguments, server=None, text=""):
        return subprocess.run(
            [sys.executable, "-m", "electra_tf.serving.client"]
            + [f"--server={server or self.server.address}"]
            + ["--rest"] * (server is None)
            + [f"--model={stub_model.NAME}", *arguments],
            input=text.encode("utf-8"),
            capture_output=True,
        )

    def rows(self, result):
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_a_line_in_is_a_line_out(self):
        lines = [json.dumps({"text": text}) for text in _TEXTS]
        result = self.run_client(
            f"--input={self.path('in.jsonl', lines)}",
            f"--output={self.path('out.jsonl')}",
            "--batch_size=3",
        )
        self.assertEqual(self.rows(result), [])
        written = pathlib.Path(self.path("out.jsonl")).read_text("utf-8")
        self.assertEqual([*map(json.loads, written.splitlines())], _ROWS)
        self.assertEqual(
            sorted(os.listdir(self.folder)), ["in.jsonl", "out.jsonl"]
        )

    def test_plain_text_is_read_from_a_text_file(self):
        result = self.run_client(f"--input={self.path('in.txt', _TEXTS)}")
        self.assertEqual(self.rows(result), _ROWS)

    def test_standard_input_is_json_unless_said_otherwise(self):
        result = self.run_client(text='{"text": "é"}\n')
        self.assertEqual(self.rows(result), [stub_model.expected_row("é")])
        result = self.run_client("--format=text", text="é\n")
        self.assertEqual(self.rows(result), [stub_model.expected_row("é")])

    def test_another_signature_can_be_called(self):
        result = self.run_client("--signature=lengths", text='{"text": "ab"}')
        self.assertEqual(self.rows(result), [{"length": 2}])

    def test_grpc_gives_the_same_answers(self):
        lines = [json.dumps({"text": text}) for text in _TEXTS]
        with stub_grpc_server.GrpcServer() as server:
            result = self.run_client(
                "--wait_s=10", server=server.address, text="\n".join(lines)
            )
        self.assertEqual(self.rows(result), _ROWS)

    def test_a_malformed_line_ends_it_with_one_line(self):
        path = self.path("in.jsonl", ['{"text": "a"}', '{"txt": "a"}'])
        result = self.run_client(
            f"--input={path}", f"--output={self.path('out.jsonl')}"
        )
        self.assertEqual(result.returncode, 1)
        self.assertRegex(
            result.stderr.decode(), "^Error: .*in.jsonl, line 2: .*unknown txt"
        )
        self.assertFalse(os.path.exists(self.path("out.jsonl")))

    def test_an_output_is_not_overwritten_unless_asked_for(self):
        output = self.path("out.jsonl", ["mine"])
        result = self.run_client(f"--output={output}", text='{"text": "a"}')
        self.assertEqual(result.returncode, 1)
        self.assertIn("Say --overwrite", result.stderr.decode())
        self.assertEqual(pathlib.Path(output).read_text(), "mine\n")
        result = self.run_client(
            f"--output={output}", "--overwrite", text='{"text": "a"}'
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('"tokens": ["a"]', pathlib.Path(output).read_text())

    def test_no_server_ends_it_with_one_line(self):
        result = self.run_client(
            "--server=127.0.0.1:1", "--max_attempts=1", text='{"text": "a"}'
        )
        self.assertEqual(result.returncode, 1)
        self.assertRegex(
            result.stderr.decode(),
            "^Error: REST is not available at 127.0.0.1:1: .*\n$",
        )


if __name__ == "__main__":
    absltest.main()
