"""Tests of the peak of memory."""

from absl.testing import absltest

from benchmarks import other_process
from benchmarks import process_memory


def peak_after_freeing(num_bytes: int) -> float:
    """The peak in GB, after so much was written and freed."""
    written = bytearray(b"1") * num_bytes
    del written
    return process_memory.peak_gb()


class ProcessMemoryTest(absltest.TestCase):
    def test_what_was_freed_counts(self):
        # In a process of its own, whose peak is not yet that of other tests.
        peak = other_process.call(
            "tests.process_memory_test:peak_after_freeing", int(1e9)
        )
        self.assertBetween(peak, 1.0, 1.5)

    def test_that_of_the_starting_process_does_not_count(self):
        written = bytearray(b"1") * int(1e9)
        theirs = other_process.call("benchmarks.process_memory:peak_gb")
        del written
        self.assertLess(theirs, 0.5)


if __name__ == "__main__":
    absltest.main()
