"""Tests of the fine-tuning that is measured beside that of peers."""

from absl.testing import absltest
import numpy as np

from benchmarks import other_process
from benchmarks import prose
from benchmarks import sst_input
from benchmarks import trainer_settings
from finetune import task as task_lib

_BATCH, _VOCAB, _HIDDEN = 2, 300, 128
_BUCKET = sst_input.BUCKET_BATCHES


def _example(row: int, num_words: int) -> task_lib.Example:
    return task_lib.Example(row, " ".join(["the"] * num_words), label=row % 2)


class OwnFinetunerTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        settings = trainer_settings.TrainerSettings(
            preset="tiny",
            batch_size=_BATCH,
            changes={"vocab_size": _VOCAB},
        )
        rng = np.random.default_rng(0)
        examples = [
            _example(row, int(num_words))
            for row, num_words in enumerate(rng.integers(1, 6, 4 * 32))
        ]
        cls.trainer = cls.enterClassContext(
            other_process.OtherProcess(
                "benchmarks.own_finetuner:OwnFinetuner",
                settings,
                examples,
                prose.vocabulary(_VOCAB),
            )
        )
        cls.trainer.wait_until_made()

    def test_peers_get_the_same_examples_in_a_turn_in_another_order(self):
        ours = self.trainer.call("examples", 1 + 2 * _BUCKET, True)
        theirs = self.trainer.call("examples", 1 + 2 * _BUCKET)
        self.assertLen(theirs, 1 + 2 * _BUCKET)
        for start in (1, 1 + _BUCKET):
            turn = slice(start, start + _BUCKET)
            self.assertNotEqual(ours[turn], theirs[turn])
            self.assertEqual(_sentences(ours[turn]), _sentences(theirs[turn]))
        # Padding: bucketed batches are nearly without any.
        self.assertLess(_padding(ours), 0.5 * _padding(theirs))

    def test_it_trains_the_whole_encoder_and_a_head(self):
        self.assertGreater(self.trainer.call("first_step"), 0.0)
        # Word pieces, 128 positions, 2 segments, and their normalisation; two
        # layers; and 2 labels.
        self.assertEqual(
            self.trainer.call("num_parameters"),
            (_VOCAB + 128 + 2 + 2) * _HIDDEN
            + 2 * (12 * _HIDDEN**2 + 13 * _HIDDEN)
            + 2 * (_HIDDEN + 1),
        )
        self.assertLen(self.trainer.call("run", 2), 2)
        self.assertTrue(np.isfinite(self.trainer.call("loss")))


def _sentences(batches) -> list[tuple[int, int]]:
    return sorted(
        (len(ids), label)
        for batch in batches
        for ids, label in zip(batch.ids, batch.labels, strict=True)
    )


def _padding(batches) -> int:
    return sum(
        max(map(len, batch.ids)) - len(ids)
        for batch in batches
        for ids in batch.ids
    )


class SstInputTest(absltest.TestCase):
    def test_turns_need_examples_of_their_own(self):
        examples = [_example(row, 1) for row in range(2 * 16 * 3)]
        sst_input.check(examples, num_turns=2, steps_per_turn=16, batch_size=2)
        with self.assertRaisesRegex(ValueError, "128 examples are needed"):
            sst_input.check(
                examples, num_turns=3, steps_per_turn=16, batch_size=2
            )
        with self.assertRaisesRegex(ValueError, "multiple of 16"):
            sst_input.check(
                examples, num_turns=1, steps_per_turn=8, batch_size=2
            )


if __name__ == "__main__":
    absltest.main()
