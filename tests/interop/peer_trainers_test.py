"""Trainers of peers train the networks that ours trains.

make test-interop
"""

import contextlib
import math

from absl.testing import absltest
from absl.testing import parameterized
import pytest

from benchmarks import other_process
from benchmarks import sst_input
from benchmarks import trainer_settings
from benchmarks import training_peers

pytestmark = pytest.mark.interop

_VOCAB, _POSITIONS, _EMBEDDING = 2000, 40, 16
_HIDDEN, _GENERATOR_HIDDEN = 64, 32
_SETTINGS = trainer_settings.TrainerSettings(
    preset="tiny",
    changes=training_peers.USUAL
    | {
        "vocab_size": _VOCAB,
        "max_position_embeddings": _POSITIONS,
        "embedding_size": _EMBEDDING,
        "hidden_size": _HIDDEN,
        "num_attention_heads": 1,
        "intermediate_size": 96,
        "generator_hidden_size": 0.5,
        "disc_weight": 50.0,
        # Weights near 0 have logits near 0: networks that only guess.
        "initializer_range": 0.001,
    },
    batch_size=2,
    max_seq_length=32,
)
# To guess one of all word pieces, and whether a token was replaced. A logit
# of 0.02 instead of 0 changes the loss of a token by 0.01, and 50 times that.
_FIRST_LOSS = math.log(_VOCAB) + 50.0 * math.log(2.0)
_DELTA = 50.0 * 0.01
# What tf-models-official has besides: two poolers; a head on the generator
# for pairs of sentences; positions, segments and normalisation of its own.
_OFFICIAL_EXTRA = (
    (_HIDDEN + 1) * _HIDDEN
    + (_GENERATOR_HIDDEN + 1) * _GENERATOR_HIDDEN
    + (_GENERATOR_HIDDEN + 1) * (_GENERATOR_HIDDEN + 2)
    + (_POSITIONS + 2 + 2) * _EMBEDDING
)


@contextlib.contextmanager
def _trained(trainer: str, *args):
    """A trainer after its first step."""
    with other_process.OtherProcess(trainer, *args) as process:
        process.wait_until_made()
        process.call("first_step")
        yield process


class PeerTrainersTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with _trained("benchmarks.own_trainer:OwnTrainer", _SETTINGS) as own:
            cls.num_parameters = own.call("num_parameters")
            cls.own_loss = own.call("loss")

    def test_ours_begins_with_guessing(self):
        self.assertAlmostEqual(self.own_loss, _FIRST_LOSS, delta=_DELTA)

    @parameterized.parameters(
        ("hf_fused", 0),
        ("official_graph", _OFFICIAL_EXTRA),
    )
    def test_peers_are_as_large_and_begin_with_guessing(self, name, extra):
        peer = training_peers.PEERS["pretraining"][name]
        if peer.missing:
            self.skipTest(f"{peer.missing} cannot be imported.")
        with _trained(peer.trainer, _SETTINGS, peer.variant) as process:
            self.assertEqual(
                process.call("num_parameters"), self.num_parameters + extra
            )
            self.assertAlmostEqual(
                process.call("loss"), _FIRST_LOSS, delta=_DELTA
            )
            process.call("run", 40)
            # To say that nothing was replaced is right more often than not.
            self.assertLess(process.call("loss"), 0.9 * _FIRST_LOSS)
            self.assertGreater(process.call("peak_memory_gb"), 0.1)

    def test_a_classifier_learns_the_examples_that_it_is_given(self):
        peer = training_peers.PEERS["finetuning"]["hf_dynamic"]
        batch = sst_input.Batch([[101, 1000, 102], [101, 102]], [0, 0])
        process = other_process.OtherProcess(
            peer.trainer, _SETTINGS, peer.variant
        )
        with process:
            process.wait_until_made()
            process.call("prepare", [batch] * 41)
            process.call("first_step")
            # The two labels seem alike at first.
            self.assertAlmostEqual(
                process.call("loss"), math.log(2.0), delta=0.01
            )
            process.call("run", 40)
            self.assertLess(process.call("loss"), 0.8 * math.log(2.0))

    @parameterized.parameters((None, 3), (5, 5))
    def test_sentences_are_padded_to_the_longest_or_a_length(self, to, length):
        from benchmarks import torch_finetuner

        padded = torch_finetuner.pad([[101, 1000, 102], [101, 102]], to)
        rest = [0] * (length - 3)
        self.assertEqual(
            padded["input_ids"].tolist(),
            [[101, 1000, 102, *rest], [101, 102, 0, *rest]],
        )
        self.assertEqual(
            padded["attention_mask"].tolist(),
            [[1, 1, 1, *rest], [1, 1, 0, *rest]],
        )


if __name__ == "__main__":
    absltest.main()
