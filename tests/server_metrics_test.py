"""Tests of what Prometheus reads."""

from absl.testing import absltest

from electra_tf.serving import server_metrics
from electra_tf.serving import serving_errors

_KIND = server_metrics.RequestKind("sst", "predict", "REST")
_LABELS = 'model_name="sst",API="predict",entrypoint="REST"'


class ServerMetricsTest(absltest.TestCase):
    def test_requests_are_counted_by_code(self):
        metrics = server_metrics.ServerMetrics()
        for code in ("OK", "OK", "NOT_FOUND"):
            metrics.record(_KIND, serving_errors.Code[code], 1e-3)
        lines = metrics.text().splitlines()
        count = ":tensorflow:serving:request_count"
        self.assertIn(f'{count}{{{_LABELS},status="OK"}} 2', lines)
        self.assertIn(f'{count}{{{_LABELS},status="NOT_FOUND"}} 1', lines)

    def test_buckets_of_the_histogram_add_up(self):
        metrics = server_metrics.ServerMetrics()
        for seconds in (5e-6, 10e-6, 11e-6, 1e6):
            metrics.record(_KIND, serving_errors.Code.OK, seconds)
        latency = ":tensorflow:serving:request_latency"
        lines = metrics.text().splitlines()
        # 10, and 10 * 1.8 = 18 microseconds; a million seconds are in none.
        for bound, number in (("10.0", 2), ("18.0", 3), ("+Inf", 4)):
            self.assertIn(
                f'{latency}_bucket{{{_LABELS},le="{bound}"}} {number}', lines
            )
        self.assertIn(f"{latency}_count{{{_LABELS}}} 4", lines)
        # 5 + 10 + 11 + 1e12 microseconds.
        self.assertIn(f"{latency}_sum{{{_LABELS}}} 1000000000026.0", lines)

    def test_names_are_escaped(self):
        metrics = server_metrics.ServerMetrics()
        kind = _KIND._replace(model='a"b\\c\nd')
        metrics.record(kind, serving_errors.Code.OK, 0.0)
        self.assertIn(r'model_name="a\"b\\c\nd"', metrics.text())


if __name__ == "__main__":
    absltest.main()
