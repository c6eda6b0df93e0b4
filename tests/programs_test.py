"""Every program starts, tells its flags, and refuses those it has not."""

import ast
import multiprocessing
import os
import pathlib
import re
import runpy
import sys
import tempfile

from absl.testing import absltest
from absl.testing import parameterized

_ROOT = pathlib.Path(__file__).parent.parent
_PROGRAMS = (
    "data_prep.build_pretraining_data",
    "data_prep.build_vocab",
    "data_prep.inspect_data",
    "electra_tf.convert_checkpoint",
    "electra_tf.export_model",
    "electra_tf.report",
    "electra_tf.run_pretraining",
    "electra_tf.score_text",
    "electra_tf.serving.batch_predict",
    "electra_tf.serving.client",
    "electra_tf.serving.local_server",
    "electra_tf.serving.write_serving_configs",
    "finetune.export_task",
    "finetune.predict",
    "finetune.run_finetuning",
    "finetune.write_submission",
)
_ARGUMENTS = ("--help", "--no_such_flag=1")
# A line of --help that begins a flag; `--[no]` is that of a boolean.
_FLAG = re.compile(r"^  (?:-\w,)?--(?:\[no\])?(\w+)", re.MULTILINE)


def _run_program(program: str, argument: str, output_path: str):
    """Runs in a process of its own; its exit code is that of the process."""
    with open(output_path, "w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = [program, argument]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def _defined_flags(program: str) -> set[str]:
    """The flags that the source of a program defines."""
    path = _ROOT / (program.replace(".", "/") + ".py")
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    names = {
        call.args[0].value
        for call in calls
        if ast.unparse(call.func).startswith("flags.DEFINE_")
    }
    if any(ast.unparse(call.func) == "config_flags.define" for call in calls):
        names |= {"config", "seed"}  # Two that stand for all fields.
    return names


class ProgramsTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        """Starts all programs, from a process that has loaded TensorFlow.

        Otherwise each of them would take seconds to do so.
        """
        super().setUpClass()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tensorflow_text", "tf_keras"])
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.processes = {}
        for program in _PROGRAMS:
            for argument in _ARGUMENTS:
                process = context.Process(
                    target=_run_program,
                    args=(program, argument, cls._path(program, argument)),
                    daemon=True,
                )
                process.start()
                cls.processes[program, argument] = process

    @classmethod
    def _path(cls, program: str, argument: str) -> str:
        return os.path.join(cls.directory, f"{program}{argument}.txt")

    def _result(self, program: str, argument: str) -> tuple[int, str]:
        process = self.processes[program, argument]
        process.join(timeout=120)
        with open(self._path(program, argument)) as file:
            return process.exitcode, file.read()

    @parameterized.parameters(*_PROGRAMS)
    def test_help_tells_every_flag(self, program):
        _, output = self._result(program, "--help")
        told = set(_FLAG.findall(output))
        self.assertContainsSubset(_defined_flags(program), told, output)

    @parameterized.parameters(*_PROGRAMS)
    def test_an_unknown_flag_is_refused(self, program):
        exit_code, output = self._result(program, "--no_such_flag=1")
        self.assertIn("Unknown command line flag 'no_such_flag'", output)
        self.assertEqual(exit_code, 1)


if __name__ == "__main__":
    absltest.main()
