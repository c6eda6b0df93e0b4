"""Tests of how programs end."""

import contextlib
import io
import sys
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import interruption
from electra_tf import program


class RunTest(parameterized.TestCase):
    @parameterized.parameters(
        (ValueError("wrong"), "Error: wrong"),
        (OSError("No space left"), "Error: No space left"),
        (interruption.Interrupted("SIGTERM."), 75),
    )
    def test_errors_become_exit_codes(self, error, code):
        main = mock.Mock(side_effect=error)
        stderr = io.StringIO()
        with (
            mock.patch.object(sys, "argv", ["program"]),
            contextlib.redirect_stderr(stderr),
            self.assertRaises(SystemExit) as caught,
        ):
            program.run(main)
        self.assertEqual(caught.exception.code, code)  # A text means 1.
        if code == 75:
            self.assertEqual(stderr.getvalue(), "Interrupted: SIGTERM.\n")


if __name__ == "__main__":
    absltest.main()
