"""Tests of how trainers take turns, and of what their times say."""

from absl.testing import absltest

from benchmarks import training_turns


class _Trainer:
    """Answers as a trainer in a process of its own would.

    Attributes:
        calls: names of the trainers that have run, in order, of all of them.
    """

    def __init__(self, name, calls, turns, loss=1.0):
        self._name, self._calls, self._turns = name, calls, iter(turns)
        self._loss = loss

    def call(self, method, *args):
        return getattr(self, method)(*args)

    def first_step(self):
        self._calls.append(f"{self._name} first")
        return 7.0

    def run(self, num_steps):
        self._calls.append(self._name)
        return [next(self._turns) / num_steps] * num_steps

    def loss(self):
        return self._loss

    def peak_memory_gb(self):
        return {"own": 3.0, "a": 2.0, "b": 6.0}[self._name]

    def num_parameters(self):
        return 1_500_000


def _measure(trainers, warmup_turns=1):
    return training_turns.measure(
        trainers,
        turns=3,
        warmup_turns=warmup_turns,
        steps_per_turn=4,
        batch_size=2,
    )


class TrainingTurnsTest(absltest.TestCase):
    def test_one_trains_at_a_time_and_warming_up_does_not_count(self):
        calls = []
        turns = _measure(
            {
                "own": _Trainer("own", calls, [99.0, 88.0, 1.0, 2.0, 4.0]),
                "a": _Trainer("a", calls, [99.0, 88.0, 3.0, 4.0, 4.0]),
            },
            warmup_turns=2,
        )
        self.assertEqual(
            calls, ["own first", "a first"] + ["own", "a"] * (2 + 3)
        )
        self.assertEqual(
            turns.seconds, {"own": [1.0, 2.0, 4.0], "a": [3.0, 4.0, 4.0]}
        )

    def test_figures_are_of_the_median_turn(self):
        turns = _measure(
            {
                "own": _Trainer("own", [], [99.0, 1.0, 2.0, 4.0]),
                "a": _Trainer("a", [], [99.0, 3.0, 4.0, 4.0]),
                "b": _Trainer("b", [], [99.0, 1.0, 1.0, 4.0]),
            }
        )
        own, a, b = turns.figures()
        # 4 steps of 2 examples in 2 s, in 4 s and in 1 s.
        self.assertEqual(own["examples_per_s"], 4.0)
        self.assertEqual(a["examples_per_s"], 2.0)
        self.assertEqual(b["examples_per_s"], 8.0)
        # Of 3 / 1, 4 / 2 and 4 / 4; of 1 / 1, 1 / 2 and 4 / 4.
        self.assertIsNone(own["times_as_fast"])
        self.assertEqual(a["times_as_fast"], 2.0)
        self.assertEqual(b["times_as_fast"], 1.0)

        self.assertEqual(
            training_turns.table([own, a]).splitlines()[2:],
            [
                "| own | 4.00 |  | 3.00 | 7.0 | 1.50 |",
                "| a | 2.00 | 2.00 | 2.00 | 7.0 | 1.50 |",
            ],
        )
        self.assertEqual(
            training_turns.verdict([own, a, b]),
            "1.00 times as fast as the fastest peer, b; 1.50 times the memory "
            "of the leanest, a.",
        )

    def test_a_loss_that_is_not_finite_is_refused(self):
        trainers = {
            "own": _Trainer("own", [], [1.0] * 4),
            "a": _Trainer("a", [], [1.0] * 4, loss=float("nan")),
        }
        with self.assertRaisesRegex(RuntimeError, "loss of a is not finite"):
            _measure(trainers)


if __name__ == "__main__":
    absltest.main()
