"""Tests of which peers can be asked for."""

from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from benchmarks import training_peers


@mock.patch.object(training_peers.Peer, "missing", [])
class TrainingPeersTest(parameterized.TestCase):
    def test_by_default_all_that_have_the_precision(self):
        self.assertEqual(
            list(training_peers.select("pretraining", [], "bfloat16")),
            ["hf_eager", "hf_fused", "hf_compiled"],
        )
        self.assertEqual(
            list(training_peers.select("finetuning", [], "float32")),
            ["hf_padded", "hf_dynamic"],
        )

    def test_those_that_are_named_in_their_order(self):
        names = ["official_xla", "hf_fused"]
        selected = training_peers.select("pretraining", names, "float32")
        self.assertEqual(list(selected), names)
        self.assertEqual(selected["official_xla"].variant, "xla")

    @parameterized.parameters(
        ("finetuning", "hf_fused", "float32", "hf_padded, hf_dynamic"),
        ("pretraining", "official_xla", "bfloat16", "hf_eager, hf_fused"),
        ("pretraining", "", "float16", "none"),
    )
    def test_what_a_peer_cannot_do_is_refused(
        self, work, name, precision, allowed
    ):
        with self.assertRaisesRegex(ValueError, f"Those that do: {allowed}"):
            training_peers.select(work, [name] if name else [], precision)

    def test_packages_that_are_missing_are_named(self):
        with mock.patch.object(training_peers.Peer, "missing", ["torch"]):
            with self.assertRaisesRegex(ValueError, "torch cannot be imported"):
                training_peers.select("pretraining", [], "float32")


if __name__ == "__main__":
    absltest.main()
