"""Processes that fork from one that has loaded what programs need.

A new interpreter takes four seconds of a core to load TensorFlow.
"""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile

CONTEXT = multiprocessing.get_context("forkserver")
# No module that defines flags: programs define them.
CONTEXT.set_forkserver_preload(
    [
        "tests.engine_worker",
        "benchmarks.result_figures",
        "data_prep.dataset_building",
        "electra_tf.export",
        "electra_tf.serving.serving_server",
        "finetune.task_export",
        "finetune.trial",
        "matplotlib.backends.backend_agg",
    ]
)
# Seconds; generous, for machines that are busy.
_PATIENCE = 300


class Program:
    """A started `python -m module arguments`.

    Args:
        module: the program.
        *arguments: its arguments.

    Attributes:
        process: it; ends with the program's exit code.
    """

    def __init__(self, module: str, *arguments: str):
        self._arguments = [module, *arguments]
        self._folder = tempfile.TemporaryDirectory()
        self.process = CONTEXT.Process(
            target=_run, args=(self._arguments, self._folder.name)
        )
        self.process.start()

    def printed(self, stream: str) -> str:
        """What it wrote to "stdout" or "stderr" until now."""
        path = pathlib.Path(self._folder.name, stream)
        return path.read_text("utf-8") if path.exists() else ""

    def result(self) -> subprocess.CompletedProcess:
        """Waits for its end; `returncode` is negative if that is too long."""
        self.process.join(_PATIENCE)
        self.process.kill()
        self.process.join()
        return subprocess.CompletedProcess(
            self._arguments,
            self.process.exitcode,
            self.printed("stdout"),
            self.printed("stderr"),
        )


def run(module: str, *arguments: str) -> subprocess.CompletedProcess:
    """Runs `python -m module arguments` to its end."""
    return Program(module, *arguments).result()


def redirect(stream, path: str):
    """Adds all that this process writes to a standard stream to a file."""
    with open(path, "a") as file:
        os.dup2(file.fileno(), stream.fileno())


def _run(arguments: list[str], folder: str):
    redirect(sys.stdout, os.path.join(folder, "stdout"))
    redirect(sys.stderr, os.path.join(folder, "stderr"))
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
