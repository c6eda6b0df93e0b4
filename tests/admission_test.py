"""Tests of limits that requests share."""

import threading
import time

from absl.testing import absltest

from electra_tf.serving import admission
from electra_tf.serving import serving_errors


class AdmissionTest(absltest.TestCase):
    def test_one_request_too_many_is_refused_and_later_ones_are_not(self):
        limits = admission.Admission(max_requests=2, num_slots=1)
        with limits.admitted(), limits.admitted():
            with self.assertRaises(serving_errors.ServingError) as raised:
                with limits.admitted():
                    self.fail("It was admitted.")
        self.assertEqual(raised.exception.code.name, "RESOURCE_EXHAUSTED")
        with limits.admitted(), limits.admitted():
            pass

    def test_a_failed_request_makes_room(self):
        limits = admission.Admission(max_requests=1, num_slots=1)
        for _ in range(3):
            with self.assertRaises(KeyError):
                with limits.admitted(), limits.computing(None):
                    raise KeyError

    def test_no_more_are_computed_at_once_than_there_are_slots(self):
        limits = admission.Admission(max_requests=8, num_slots=2)
        lock = threading.Lock()
        running, most = 0, 0

        def compute():
            nonlocal running, most
            with limits.computing(None):
                with lock:
                    running += 1
                    most = max(most, running)
                time.sleep(0.01)
                with lock:
                    running -= 1

        threads = [threading.Thread(target=compute) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(most, 2)

    def test_a_deadline_ends_the_wait_for_a_slot(self):
        limits = admission.Admission(max_requests=8, num_slots=1)
        for seconds in (0.05, 0.0, -1.0):
            with limits.computing(None):
                with self.assertRaises(serving_errors.ServingError) as raised:
                    with limits.computing(time.monotonic() + seconds):
                        self.fail("There was a slot.")
            self.assertEqual(raised.exception.code.name, "DEADLINE_EXCEEDED")
        with limits.computing(time.monotonic() + 1e12):
            pass


if __name__ == "__main__":
    absltest.main()
