"""Tests of the warning that a benchmark is not alone."""

import contextlib
import io
import os
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from benchmarks import idle_machine


class IdleMachineTest(parameterized.TestCase):
    @parameterized.parameters(
        (1.0, ""), (1.1, "load is 1.1 on 4 cores. Bad.\n")
    )
    def test_more_than_a_quarter_of_the_cores_is_busy(self, load, warning):
        output = io.StringIO()
        with (
            mock.patch.object(os, "getloadavg", return_value=(load, 9.0, 9.0)),
            mock.patch.object(os, "sched_getaffinity", return_value=range(4)),
            contextlib.redirect_stdout(output),
        ):
            self.assertEqual(idle_machine.warn_if_busy("Bad."), load)
        self.assertEqual(output.getvalue().partition("the ")[2], warning)


if __name__ == "__main__":
    absltest.main()
