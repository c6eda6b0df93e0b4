"""Tests of the peak of memory."""

from absl.testing import absltest

from benchmarks import other_process
from benchmarks import process_memory


class ProcessMemoryTest(absltest.TestCase):
    def test_what_was_freed_counts(self):
        before = process_memory.peak_gb()
        size = int(2 * before * 1e9)
        written = bytearray(b"1") * size
        del written
        # It was twice as much, besides what there had been.
        self.assertGreaterEqual(process_memory.peak_gb(), 2 * before)

    def test_that_of_the_starting_process_does_not_count(self):
        written = bytearray(b"1") * int(1e9)
        theirs = other_process.call("benchmarks.process_memory:peak_gb")
        del written
        self.assertLess(theirs, 0.5)


if __name__ == "__main__":
    absltest.main()
