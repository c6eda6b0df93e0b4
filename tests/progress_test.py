"""Tests of log lines of long work."""

from absl.testing import absltest

from data_prep import progress


class ProgressTest(absltest.TestCase):
    def test_a_line_has_share_rate_and_time_left(self):
        advance = progress.Progress("read", total=6000, unit="MB")
        # 1,500 MB in 100 s; the other 4,500 MB take three times as long.
        self.assertEqual(
            advance.line(1500, 100.0),
            "read | 1,500/6,000 MB | 15.0 MB/s | ETA 0:05:00",
        )

    def test_without_a_total_there_is_no_time_left(self):
        advance = progress.Progress("read", total=0, unit="MB")
        self.assertEqual(advance.line(50, 4.0), "read | 50 MB | 12.5 MB/s")

    def test_before_anything_is_done_nothing_is_known(self):
        advance = progress.Progress("write", total=3, unit="files")
        self.assertEqual(
            advance.line(0, 4.0), "write | 0/3 files | 0.0 files/s | ETA ?"
        )

    def test_more_than_was_thought_is_no_time_left(self):
        advance = progress.Progress("read", total=3, unit="MB")
        self.assertEqual(
            advance.line(4, 2.0), "read | 4/3 MB | 2.0 MB/s | ETA 0:00:00"
        )

    def test_lines_are_ten_seconds_apart(self):
        advance = progress.Progress("read", total=3, unit="MB")
        with self.assertNoLogs("absl", "INFO"):
            for done in range(1000):
                advance(done)


if __name__ == "__main__":
    absltest.main()
