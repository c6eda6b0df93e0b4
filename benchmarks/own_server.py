"""The local server as a program of its own, with a folder of its own."""

import os
import re
import shutil
import subprocess
import sys
import time

from benchmarks import serving_load
from electra_tf.serving import serving_client

_READY = re.compile(r"gRPC at (\S+:\d+), REST at http://(\S+:\d+)\.")
_STOP_TIMEOUT_S = 30.0
_LOAD_TIMEOUT_S = 300.0


class OwnServer:
    """Serves the first of several versions; others are put there later.

    Args:
        directory: gets the folder that is served, and the server's log.
        paths: of the versions, the first to be served first.
        model: the name to serve them under.
    """

    def __init__(self, directory: str, paths: list[str], *, model: str):
        self._model = model
        self._base_path = os.path.join(directory, model)
        self._paths = paths
        self._log_path = os.path.join(directory, "server.log")
        self._process = None
        self.addresses: dict[serving_load.Protocol, str] = {}

    def __enter__(self):
        os.makedirs(self._base_path)
        for number, path in enumerate(self._paths, start=1):
            # The server does not look at names that are no numbers.
            shutil.copytree(path, self._path(number, is_served=False))
        self._publish(1)
        self._start()
        return self

    def __exit__(self, *exception):
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def swap(self) -> float:
        """Publishes the second version, and waits until it is served.

        Returns:
            The time, by `time.monotonic`, after which nothing but its answers
            may be given.
        """
        deadline = time.monotonic() + _LOAD_TIMEOUT_S
        self._publish(2)
        with serving_client.Client(
            self.addresses["rest"], model=self._model, protocol="rest"
        ) as client:
            while time.monotonic() < deadline:
                states = {s.version: s.state for s in client.status()}
                if states.get(2) == "AVAILABLE":
                    return time.monotonic()
                time.sleep(0.05)
        raise RuntimeError(
            "The second version was not served within "
            f"{_LOAD_TIMEOUT_S:.0f} s: {states}."
        )

    def _path(self, number: int, *, is_served: bool) -> str:
        name = str(number) if is_served else f"tmp-{number}"
        return os.path.join(self._base_path, name)

    def _publish(self, number: int):
        os.rename(
            self._path(number, is_served=False),
            self._path(number, is_served=True),
        )

    def _start(self):
        """Returns when it answers; RuntimeError if it does not start."""
        with open(self._log_path, "w") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "electra_tf.serving.local_server"),
                    f"--model_base_path={self._base_path}",
                    "--port=0",
                    "--rest_api_port=0",
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        ready = _READY.search(self._process.stdout.readline())
        if not ready:
            self._process.kill()
            self._process.wait()
            with open(self._log_path) as log:
                raise RuntimeError(
                    f"The server did not start:\n{log.read()[-4000:]}"
                )
        self.addresses = {"grpc": ready[1], "rest": ready[2]}
