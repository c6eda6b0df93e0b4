"""Tests of trying again."""

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import backoff
from electra_tf.serving import request_errors


class _Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 100.0
        self.pauses = []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


class CallTest(parameterized.TestCase):
    def call(self, errors, *, timeout_s=30.0, max_attempts=5):
        """Runs attempts that raise these errors, and then answer."""
        self.clock, self.left = _Clock(), []
        errors = list(errors)

        def attempt(left):
            self.left.append(left)
            if errors:
                raise errors.pop(0)
            return "answer"

        return backoff.call(
            attempt,
            timeout_s=timeout_s,
            max_attempts=max_attempts,
            sleep=self.clock.sleep,
            clock=lambda: self.clock.now,
        )

    def test_attempts_go_on_until_one_succeeds(self):
        self.assertEqual(
            self.call([request_errors.Unavailable("no")] * 4), "answer"
        )
        self.assertLen(self.left, 5)
        # 0.1, 0.2, 0.4 and 0.8 s, of which up to a half is left out.
        for pause, longest in zip(self.clock.pauses, (0.1, 0.2, 0.4, 0.8)):
            self.assertBetween(pause, longest / 2, longest)

    def test_each_attempt_is_told_what_time_is_left(self):
        self.call([request_errors.Unavailable("no")] * 2, timeout_s=9.0)
        self.assertEqual(self.left[0], 9.0)
        self.assertAlmostEqual(self.left[2], 9.0 - sum(self.clock.pauses))

    def test_pauses_do_not_grow_forever(self):
        self.assertBetween(backoff.delay_s(1000), 1.0, 2.0)

    def test_the_last_error_is_raised(self):
        with self.assertRaisesRegex(
            request_errors.Unavailable, "^no Attempts: 3, in 0"
        ):
            self.call([request_errors.Unavailable("no")] * 9, max_attempts=3)

    def test_a_pause_does_not_go_beyond_the_deadline(self):
        with self.assertRaises(request_errors.Unavailable):
            self.call([request_errors.Unavailable("no")] * 9, timeout_s=0.2)
        self.assertLess(self.clock.now - 100.0, 0.2)

    @parameterized.parameters(
        request_errors.InvalidArgument("no"),
        request_errors.DeadlineExceeded("no"),
        request_errors.RequestError("no", code="RESOURCE_EXHAUSTED"),
        ValueError("no"),
    )
    def test_other_errors_are_raised_at_once(self, error):
        with self.assertRaises(type(error)):
            self.call([error])
        self.assertLen(self.left, 1)


if __name__ == "__main__":
    absltest.main()
