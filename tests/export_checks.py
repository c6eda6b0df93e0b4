"""Where exported models are checked: not each in a process of its own.

Such a process takes five seconds to import TensorFlow.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import types
from unittest import mock

from electra_tf import export
from electra_tf import verify_export

# Without `-m` and by its path, so that this project is not imported.
_CHECK_ALL = """
import runpy, sys
script, *arguments = sys.argv[1:]
main = runpy.run_path(script)["main"]
for path, answers, tolerance in zip(*[iter(arguments)] * 3):
    if main(path, answers, float(tolerance)):
        sys.exit(path + " does not answer as the model does.")
print("Of this project:", [name for name in sys.modules if "electra" in name])
"""


def in_this_process():
    """While it is entered, `export.verify` compares in this process."""

    def run(command, **_):
        *_, path, answers, tolerance = command
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = verify_export.main(path, answers, float(tolerance))
        return subprocess.CompletedProcess(command, code, output.getvalue(), "")

    return _runs(run)


class Together:
    """Several models that one process checks, as `export.verify` does one.

    Args:
        directory: for the answers that are expected of them.
    """

    def __init__(self, directory: str):
        self._directory = directory
        self._arguments = []

    def save(self, *args, **kwargs) -> export.Exported:
        """`export.save` without the check."""
        kept = os.path.join(self._directory, f"{len(self._arguments)}.npz")

        def run(command, **_):
            *_, answers, tolerance = command
            shutil.copy(answers, kept)
            self._arguments += [kept, tolerance]
            return subprocess.CompletedProcess(command, 0, "Not yet.", "")

        with _runs(run):
            exported = export.save(*args, **kwargs)
        self._arguments.insert(-2, exported.path)
        return exported

    def check(self) -> subprocess.CompletedProcess:
        """Checks all; says of each what was compared."""
        return subprocess.run(
            [sys.executable, "-I", "-c", _CHECK_ALL, verify_export.__file__]
            + self._arguments,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
        )


def _runs(run):
    """Replaces how `export.verify` starts a process."""
    return mock.patch.object(
        export, "subprocess", types.SimpleNamespace(run=run)
    )
