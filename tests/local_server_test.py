"""Tests of the server as a program."""

import http.client
import json
import multiprocessing
import os
import pathlib
import re
import runpy
import signal
import sys
import tempfile
import time

from absl.testing import parameterized
import tensorflow as tf

from tests import handmade_models

_READY = re.compile(r"Serving (.*): gRPC at 127\.0\.0\.1:(\d+), .*:(\d+)\. For")
# Seconds; generous, for machines that are busy.
_PATIENCE = 120.0


def _run_program(arguments: tuple[str, ...], directory: str):
    """Runs in a process of its own; its exit code is that of the process."""
    for name, stream in (("output", sys.stdout), ("errors", sys.stderr)):
        with open(os.path.join(directory, name), "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["local_server", *arguments]
    runpy.run_module("electra_tf.serving.local_server", run_name="__main__")


class LocalServerTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.line = os.path.join(cls.root, "line")
        handmade_models.save(cls.line, 1)
        cls.config = os.path.join(cls.root, "models.config")
        with open(cls.config, "w", encoding="utf-8") as file:
            file.write(
                "model_config_list {"
                f' config {{ name: "a" base_path: "{cls.line}" }}'
                f' config {{ name: "b" base_path: "{cls.line}" }} }}'
            )
        # Forks from a process that has loaded TensorFlow, to save seconds.
        cls.context = multiprocessing.get_context("forkserver")
        cls.context.set_forkserver_preload(
            ["electra_tf.serving.serving_server"]
        )

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path)

    def _start(self, *arguments: str):
        process = self.context.Process(
            target=_run_program,
            args=(arguments, str(self.directory)),
            daemon=True,
        )
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        return process

    def _wait_until_ready(self, process) -> re.Match:
        deadline = time.monotonic() + _PATIENCE
        output = self.directory / "output"
        while time.monotonic() < deadline and process.is_alive():
            if output.exists() and (ready := _READY.match(output.read_text())):
                return ready
            time.sleep(0.05)
        self.fail((self.directory / "errors").read_text())

    @parameterized.parameters(
        ("--model_base_path={line}/", "line", signal.SIGTERM),
        ("--model_config_file={config}", "a, b", signal.SIGINT),
    )
    def test_it_serves_until_it_gets_a_signal(self, argument, models, number):
        process = self._start(
            argument.format(line=self.line, config=self.config),
            "--port=0",
            "--rest_api_port=0",
        )
        ready = self._wait_until_ready(process)
        self.assertEqual(ready[1], models)
        connection = http.client.HTTPConnection(
            "127.0.0.1", int(ready[3]), timeout=_PATIENCE
        )
        self.addCleanup(connection.close)
        for model in models.split(", "):
            path = f"/v1/models/{model}:predict"
            connection.request("POST", path, '{"instances": [1]}')
            answer = json.loads(connection.getresponse().read())
            self.assertEqual(answer, {"predictions": [3.0]})  # 2 * 1 + 1.
        os.kill(process.pid, number)
        process.join(_PATIENCE)
        errors = (self.directory / "errors").read_text()
        self.assertEqual(process.exitcode, 0, errors)

    @parameterized.parameters(
        (
            ["--model_base_path=no/model", "--port=0", "--rest_api_port=0"],
            "Error: Model 'model' has no version yet: 'no/model' needs a ",
        ),
        ([], "Error: Give either --model_base_path, for one model, or --"),
        (
            ["--model_config_file=x", "--model_name=c"],
            "Error: --model_name goes with --model_base_path; the names of ",
        ),
    )
    def test_a_mistake_is_told_in_one_line(self, arguments, message):
        process = self._start(*arguments)
        process.join(_PATIENCE)
        self.assertEqual(process.exitcode, 1)
        self.assertEqual((self.directory / "output").read_text(), "")
        errors = (self.directory / "errors").read_text()
        self.assertStartsWith(errors.splitlines()[-1], message)


if __name__ == "__main__":
    tf.test.main()
