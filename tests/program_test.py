"""Tests of how programs end."""

import subprocess
import sys

from absl.testing import absltest
from absl.testing import parameterized

_PROGRAM = """
from electra_tf import interruption, program

def main():
    raise {error}

program.run(main)
"""


class RunTest(parameterized.TestCase):
    @parameterized.parameters(
        ("ValueError('wrong')", 1, "Error: wrong\n"),
        ("OSError('No space left')", 1, "Error: No space left\n"),
        (
            "interruption.Interrupted('SIGTERM.')",
            75,
            "Interrupted: SIGTERM.\n",
        ),
    )
    def test_errors_become_exit_codes(self, error, code, message):
        # A process of its own: flags of other tests' programs stay away.
        ended = subprocess.run(
            [sys.executable, "-c", _PROGRAM.format(error=error)],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((ended.returncode, ended.stderr), (code, message))


if __name__ == "__main__":
    absltest.main()
