"""Tests of the server as a program."""

import http.client
import json
import os
import re
import signal
import tempfile
import time

from absl.testing import parameterized
import tensorflow as tf

from tests import forked
from tests import handmade_models

_READY = re.compile(r"Serving (.*): gRPC at 127\.0\.0\.1:(\d+), .*:(\d+)\. For")
# Seconds; generous, for machines that are busy.
_PATIENCE = 120.0


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

    def _start(self, *arguments: str) -> forked.Program:
        server = forked.Program("electra_tf.serving.local_server", *arguments)
        self.addCleanup(server.process.join)
        self.addCleanup(server.process.kill)
        return server

    def _wait_until_ready(self, server: forked.Program) -> re.Match:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and server.process.is_alive():
            if ready := _READY.match(server.printed("stdout")):
                return ready
            time.sleep(0.05)
        self.fail(server.printed("stderr"))

    @parameterized.parameters(
        ("--model_base_path={line}/", "line", signal.SIGTERM),
        ("--model_config_file={config}", "a, b", signal.SIGINT),
    )
    def test_it_serves_until_it_gets_a_signal(self, argument, models, number):
        server = self._start(
            argument.format(line=self.line, config=self.config),
            "--port=0",
            "--rest_api_port=0",
        )
        ready = self._wait_until_ready(server)
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
        os.kill(server.process.pid, number)
        result = server.result()
        self.assertEqual(result.returncode, 0, result.stderr)

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
        result = self._start(*arguments).result()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, "")
        self.assertStartsWith(result.stderr.splitlines()[-1], message)


if __name__ == "__main__":
    tf.test.main()
