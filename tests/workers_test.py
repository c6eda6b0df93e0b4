"""Tests of tasks that several processes share."""

import collections
import functools
import os
import pathlib
import signal
import subprocess
import sys
import time

from absl.testing import absltest
from absl.testing import parameterized

from data_prep import workers

_ROOT = pathlib.Path(__file__).parent.parent


def _record(folder, number, tell):
    """Notes which process did a task; slow enough for others to join in."""
    time.sleep(0.02)
    with open(os.path.join(folder, str(os.getpid())), "a") as file:
        file.write(f"{number}\n")
    tell(number)


def _fail_elsewhere(parent, number, tell):
    """Fails in any process but one, which is slow."""
    if os.getpid() != parent:
        raise ValueError(f"task {number} is wrong")
    time.sleep(0.2)


def _die_elsewhere(parent, number, tell):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)


def _done(folder):
    """The numbers of all tasks that were done, and by how many processes."""
    names = os.listdir(folder)
    numbers = []
    for name in names:
        numbers += map(int, pathlib.Path(folder, name).read_text().split())
    return numbers, len(names)


class WorkersTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    @parameterized.parameters(1, 2, 3)
    def test_every_task_is_done_once(self, num_processes):
        told = []
        workers.run(
            functools.partial(_record, self.folder),
            range(5, 55),
            num_processes=num_processes,
            on_progress=told.append,
        )
        numbers, num_used = _done(self.folder)
        self.assertCountEqual(numbers, range(5, 55))
        self.assertBetween(num_used, 1, num_processes)
        self.assertEqual(told[-1], sum(range(5, 55)))
        self.assertEqual(told, sorted(told))

    def test_other_processes_take_part(self):
        workers.run(
            functools.partial(_record, self.folder),
            range(200),
            num_processes=2,
        )
        self.assertEqual(_done(self.folder)[1], 2)

    def test_no_task_is_no_work(self):
        workers.run(_record, [], num_processes=2)

    def test_an_error_of_another_process_is_raised_here(self):
        with self.assertRaisesRegex(ValueError, r"task \d+ is wrong"):
            workers.run(
                functools.partial(_fail_elsewhere, os.getpid()),
                range(1000),
                num_processes=2,
            )

    def test_a_process_that_was_killed_is_an_error(self):
        with self.assertRaisesRegex(ChildProcessError, "exit code -9"):
            workers.run(
                functools.partial(_die_elsewhere, os.getpid()),
                range(1000),
                num_processes=2,
            )

    def test_others_end_with_a_process_that_was_killed(self):
        code = (
            "import functools; from data_prep import workers;"
            "from tests import workers_test;"
            f"workers.run(functools.partial(workers_test._record, "
            f"{self.folder!r}), range(10**6), num_processes=2)"
        )
        process = subprocess.Popen([sys.executable, "-c", code], cwd=_ROOT)
        deadline = time.monotonic() + 60
        while len(os.listdir(self.folder)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
        time.sleep(0.5)
        before = collections.Counter(_done(self.folder)[0])
        time.sleep(0.5)
        self.assertLen(os.listdir(self.folder), 2)
        self.assertEqual(collections.Counter(_done(self.folder)[0]), before)


if __name__ == "__main__":
    absltest.main()
