from absl.testing import absltest

from electra_tf import throughput
from tests import testing

# A masked language model of 2 layers, 32 wide, on 24 tokens. A layer has
# 4 * 32 * 32 + 2 * 32 * 64 + 2 * 32 * 24 = 9,728 products a token, and
# embeddings 16 wide are projected; 2 FLOPs each:
_ENCODER = 2 * 24 * (2 * 9_728 + 16 * 32)


def _config(**overrides):
    return testing.tiny_config(objective="mlm", **overrides)


def _example_flops() -> int:
    # (0.15 + 0.005) * 24 = 3.72, so 3 tokens are predicted.
    head = 2 * 3 * 16 * (32 + _config().vocab_size)
    # Backward costs twice as much as forward.
    return 3 * (_ENCODER + head)


class ThroughputTest(absltest.TestCase):
    def test_a_step_is_three_times_forward_for_each_example(self):
        self.assertEqual(throughput.step_flops(_config()), 4 * _example_flops())

    def test_rates_follow_from_examples_per_second(self):
        self.assertEqual(
            throughput.metrics(_config(), 10.0),
            {
                "tokens_per_second": 240.0,
                "model_flops_per_second": 10.0 * _example_flops(),
            },
        )

    def test_the_share_of_the_peak_is_there_if_the_peak_is_known(self):
        run_config = _config(peak_flops=40.0 * _example_flops())
        metrics = throughput.metrics(run_config, 10.0)
        self.assertEqual(metrics["peak_flops_share"], 0.25)
        self.assertIsNone(throughput.peak_flops_share(_config(), 10.0))


if __name__ == "__main__":
    absltest.main()
