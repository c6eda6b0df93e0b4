"""Our weights in Hugging Face's transformers, and theirs here.

    make test-interop

Everything is random; the two compute the same from the same numbers.
"""

import os

from absl.testing import parameterized
import numpy as np
import pytest
import tensorflow as tf

from electra_tf import config
from electra_tf import conversion
from electra_tf import conversion_check
from electra_tf import networks
from electra_tf import original_files
from electra_tf import pretraining
from electra_tf import sources
from electra_tf import tokenization
from electra_tf import tokenizer_files
from tests import testing

pytestmark = pytest.mark.interop

_TOLERANCE = dict(atol=1e-5, rtol=1e-5)
_VOCAB = testing.tiny_vocab()
_SIZES = {
    # The fields of the presets, but for the vocabulary.
    "tiny": dict(
        embedding_size=128,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
        max_position_embeddings=128,
        generator_hidden_size=1.0,
        tying="all",
    ),
    "small": dict(),
    "base": dict(
        embedding_size=768,
        hidden_size=768,
        num_attention_heads=12,
        intermediate_size=3072,
        generator_hidden_size=1 / 3,
    ),
}
_THEIR_SIZES = dict(
    vocab_size=len(_VOCAB),
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=40,
    type_vocab_size=3,
    initializer_range=0.3,
)


def _transformers():
    """The module, which takes long to import."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _run(model, encoder_config: config.EncoderConfig):
    """Everything that a model of theirs computes for our fixed batch."""
    import torch

    batch = conversion_check.inputs(encoder_config)
    tensors = {n: torch.tensor(v.numpy()).long() for n, v in batch.items()}
    with torch.no_grad():
        return model.eval()(
            input_ids=tensors["input_ids"],
            attention_mask=tensors["input_mask"],
            token_type_ids=tensors["segment_ids"],
            output_hidden_states=True,
        )


def _write_random(directory: str, run_config: config.PretrainConfig):
    """A checkpoint of the original's format with random variables."""
    with tf.device("CPU:0"):
        model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    rng = np.random.default_rng(0)
    values = {
        v.name.partition(":")[0]: v.numpy()
        + 0.02 * rng.standard_normal(v.shape).astype(np.float32)
        for v in model.trainable_variables
    }
    original_files.write(
        directory, values, encoder_config=run_config.encoder, step=7
    )
    testing.write_vocab(directory)


class TransformersTest(tf.test.TestCase, parameterized.TestCase):
    def _assert_same_encoder(self, outputs, theirs):
        hidden = [t.numpy() for t in theirs.hidden_states]
        ours = [
            value
            for name, value in outputs.items()
            if name == "embeddings" or name.startswith("layer")
        ]
        self.assertLen(hidden, len(ours))
        for one, other in zip(ours, hidden, strict=True):
            self.assertAllClose(one, other, **_TOLERANCE)

    @parameterized.parameters(*_SIZES)
    def test_what_we_export_computes_the_same_there(self, size):
        directory = self.create_tempdir().full_path
        run_config = config.PretrainConfig(
            vocab_size=len(_VOCAB), **_SIZES[size]
        )
        _write_random(directory, run_config)
        output = os.path.join(directory, "huggingface")
        converted = conversion.convert(
            directory, output=output, output_format="huggingface"
        )
        self.assertIn("largest difference 0", converted.check)
        expected = conversion_check.forward(converted.source.weights)

        theirs = self._load("ElectraForPreTraining", output, "discriminator")
        computed = _run(theirs, run_config.encoder)
        self._assert_same_encoder(expected, computed)
        self.assertAllClose(
            expected["discriminator logits"],
            computed.logits.numpy(),
            **_TOLERANCE,
        )
        theirs = self._load("ElectraForMaskedLM", output, "generator")
        computed = _run(theirs, run_config.generator_encoder)
        logits = expected["generator logits"]
        self.assertAllClose(
            logits, computed.logits[:, : logits.shape[1]].numpy(), **_TOLERANCE
        )

    def _load(self, their_class: str, *path: str):
        """A model of theirs; every tensor must be known and used."""
        model, info = getattr(_transformers(), their_class).from_pretrained(
            os.path.join(*path), output_loading_info=True
        )
        self.assertEqual(type(model).__name__, their_class)
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            self.assertEmpty(info[kind], kind)
        return model

    @parameterized.parameters(
        "ElectraForPreTraining",
        "ElectraForMaskedLM",
        "ElectraModel",
        "ElectraForSequenceClassification",
        "ElectraForTokenClassification",
        "ElectraForQuestionAnswering",
        "BertModel",
        "BertForMaskedLM",
        "BertForPreTraining",
    )
    def test_what_they_save_computes_the_same_here(self, their_class):
        directory = self.create_tempdir().full_path
        theirs = self._new(their_class)
        theirs.save_pretrained(directory)
        source = sources.load(directory)
        outputs = conversion_check.forward(source.weights)
        computed = _run(theirs, source.encoder)
        self._assert_same_encoder(outputs, computed)
        if their_class == "ElectraForPreTraining":
            self.assertAllClose(
                outputs["discriminator logits"], computed.logits, **_TOLERANCE
            )
        elif their_class in ("ElectraForMaskedLM", "BertForMaskedLM"):
            logits = outputs["generator logits"]
            self.assertAllClose(
                logits, computed.logits[:, : logits.shape[1]], **_TOLERANCE
            )
        else:
            heads = {"classifier", "qa_outputs", "pooler", "bert", "cls"}
            unused = {name.partition(".")[0] for name in source.unused}
            self.assertContainsSubset(unused, heads)

    def test_shards_and_pickles_hold_the_same(self):
        import torch

        theirs = self._new("ElectraForPreTraining")
        whole, shards, pickled = (
            self.create_tempdir().full_path for _ in range(3)
        )
        theirs.save_pretrained(whole)
        theirs.save_pretrained(shards, max_shard_size="20KB")
        self.assertGreater(len(os.listdir(shards)), 3)
        theirs.config.save_pretrained(pickled)
        torch.save(
            theirs.state_dict(), os.path.join(pickled, "pytorch_model.bin")
        )
        expected = sources.load(whole)
        for directory in (shards, pickled):
            source = sources.load(directory)
            self.assertTrue(
                networks.equal(source.variables, expected.variables)
            )

    def test_half_precision_is_read_as_float32(self):
        import torch

        theirs = self._new("ElectraForPreTraining")
        for dtype in (torch.float16, torch.bfloat16):
            directory = self.create_tempdir().full_path
            theirs.to(dtype).save_pretrained(directory)
            table = sources.load(directory).variables[
                "electra/embeddings/word_embeddings"
            ]
            self.assertEqual(table.dtype, np.float32)
            self.assertAllEqual(
                table,
                theirs.electra.embeddings.word_embeddings.weight.detach()
                .float()
                .numpy(),
            )

    def test_a_pickle_with_code_in_it_is_not_run(self):
        import torch

        class Harmful:
            def __reduce__(self):
                return (os.mkdir, (os.path.join(directory, "made"),))

        directory = self.create_tempdir().full_path
        self._new("ElectraModel").config.save_pretrained(directory)
        path = os.path.join(directory, "pytorch_model.bin")
        torch.save({"electra.embeddings.x": Harmful()}, path)
        with self.assertRaisesRegex(ValueError, "more than weights"):
            sources.load(directory)
        self.assertFalse(os.path.exists(os.path.join(directory, "made")))

    @parameterized.parameters((True, True), (True, False), (False, True))
    def test_tokenizers_split_alike_in_both_directions(self, lower, strip):
        written, theirs_saved = (
            self.create_tempdir().full_path for _ in range(2)
        )
        tokenizer = tokenization.Tokenizer(
            [*_VOCAB, "Ca", "ca", "##fé", "##fe", "é"],
            lower_case=lower,
            strip_accents=strip,
        )
        text = "The time, a Café é cafe 37 the"
        tokenizer_files.write_huggingface(written, tokenizer, max_length=9)
        with open(os.path.join(written, "config.json"), "w") as file:
            file.write('{"model_type": "electra"}')
        theirs = _transformers().AutoTokenizer.from_pretrained(written)
        self.assertEqual(theirs.model_max_length, 9)
        ids = tokenizer.tokenize([text])[0].numpy().tolist()
        self.assertEqual(theirs(text, add_special_tokens=False).input_ids, ids)

        theirs.save_pretrained(theirs_saved)
        self.assertFalse(os.path.exists(theirs_saved + "/vocab.txt"))
        read = tokenizer_files.read(theirs_saved)
        self.assertEqual(read.vocab, tokenizer.vocab)
        self.assertAllEqual(read.tokenize([text])[0], ids)

    def _new(self, their_class: str):
        """A random model of theirs."""
        import torch

        torch.manual_seed(0)
        transformers = _transformers()
        if their_class.startswith("Bert"):
            their_config = transformers.BertConfig(**_THEIR_SIZES)
        else:
            their_config = transformers.ElectraConfig(
                embedding_size=16, **_THEIR_SIZES
            )
        return getattr(transformers, their_class)(their_config)


if __name__ == "__main__":
    tf.test.main()
