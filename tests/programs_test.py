"""Every program starts, tells its flags, and refuses those it has not."""

import ast
import itertools
import pathlib
import re

from absl.testing import absltest
from absl.testing import parameterized

from tests import forked

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
        super().setUpClass()
        cls.started = {
            call: forked.Program(*call)
            for call in itertools.product(_PROGRAMS, _ARGUMENTS)
        }

    @parameterized.parameters(*_PROGRAMS)
    def test_help_tells_every_flag(self, program):
        output = self.started[program, "--help"].result().stdout
        told = set(_FLAG.findall(output))
        self.assertContainsSubset(_defined_flags(program), told, output)

    @parameterized.parameters(*_PROGRAMS)
    def test_an_unknown_flag_is_refused(self, program):
        result = self.started[program, "--no_such_flag=1"].result()
        self.assertIn("Unknown command line flag 'no_such_flag'", result.stderr)
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    absltest.main()
