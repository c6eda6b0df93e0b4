"""Tests of the peak of memory."""

from concurrent import futures
import multiprocessing

from absl.testing import absltest

from benchmarks import process_memory


def peak_after_freeing(num_bytes: int) -> float:
    """The peak in GB, after so much was written and freed."""
    written = bytearray(b"1") * num_bytes
    del written
    return process_memory.peak_gb()


def _in_new_process(function, *args):
    """Its peak is not yet that of other tests."""
    spawn = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(function, *args).result()


class ProcessMemoryTest(absltest.TestCase):
    def test_what_was_freed_counts(self):
        peak = _in_new_process(peak_after_freeing, int(1e9))
        self.assertBetween(peak, 1.0, 1.5)

    def test_that_of_the_starting_process_does_not_count(self):
        written = bytearray(b"1") * int(1e9)
        theirs = _in_new_process(process_memory.peak_gb)
        del written
        self.assertLess(theirs, 0.5)


if __name__ == "__main__":
    absltest.main()
