"""Tests of how two engines take turns, and of what their times say."""

from absl.testing import absltest
import numpy as np

from benchmarks import engine_batches
from benchmarks import inference_turns


class _Engine:
    """Takes the same times in every turn but the first.

    Attributes:
        calls: names and ways of all engines, in order.
    """

    def __init__(self, name, calls, times):
        self._name, self._times = name, times
        self._calls = calls
        self._num_calls = 0

    def call(self, method, way, size):
        del size  # Its batches are as they are.
        assert method == "run"
        self._calls.append((self._name, way))
        self._num_calls += 1
        return self._times if self._num_calls > 1 else [1e6, 1e6]


def _batch(*lengths):
    mask = np.arange(max(lengths)) < np.array(lengths)[:, np.newaxis]
    return engine_batches.Batch(
        ["text"] * len(lengths), {"input_mask": mask.astype(np.int32)}
    )


class InferenceTurnsTest(absltest.TestCase):
    def test_engines_take_turns_and_the_first_turn_does_not_count(self):
        calls = []
        turns = inference_turns.measure(
            _Engine("own", calls, [0.25, 0.25]),
            _Engine("peer", calls, [0.5, 1.0]),
            "keras",
            size=2,
            turns=2,
        )
        own, peer = ("own", "keras"), ("peer", "discriminate_ids")
        self.assertEqual(calls, [own, peer, peer, own, own, peer])
        self.assertEqual(turns.own, [[0.25, 0.25]] * 2)
        self.assertEqual(turns.peer, [[0.5, 1.0]] * 2)

        row = turns.figures([_batch(4, 2), _batch(3)])
        self.assertEqual(row["batch_size"], 2)
        # 3 sentences with 9 tokens in 0.5 s, and in 1.5 s.
        self.assertEqual(row["own"]["sentences_per_s"], 6.0)
        self.assertEqual(row["own"]["tokens_per_s"], 18.0)
        self.assertEqual(row["peer"]["sentences_per_s"], 2.0)
        self.assertEqual(row["own"]["p50_ms"], 250.0)
        self.assertEqual(row["times_as_fast"], 3.0)
        self.assertLen(inference_turns.table([row]).splitlines(), 4)

    def test_without_a_peer_nothing_is_compared(self):
        turns = inference_turns.measure(
            _Engine("own", [], [0.5]), None, "encode_ids", size=1, turns=3
        )
        row = turns.figures([_batch(5)])
        self.assertEqual(row["own"]["tokens_per_s"], 10.0)
        self.assertNotIn("peer", row)
        self.assertNotIn("times_as_fast", row)

    def test_differences_on_padding_are_not_differences(self):
        batch = _batch(2, 1)
        one = np.array([[1.0, 2.0], [3.0, 9.0]])
        other = np.array([[1.0, 2.5], [3.0, -9.0]])
        self.assertEqual(
            engine_batches.largest_difference([one], [other], [batch]), 0.5
        )


if __name__ == "__main__":
    absltest.main()
