"""Our training steps of a classification beside Hugging Face's in PyTorch.

make test-interop
"""

from absl.testing import parameterized
import numpy as np
import pytest
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import sources
from finetune import finetune_config
from finetune import finetuning_model
from finetune import registry

pytestmark = pytest.mark.interop

_NUM_STEPS = 20
_LAYERS = 2
_RATE = 1e-3
_WARMUP = 0.1
_BATCH, _LENGTH, _VOCAB = 8, 12, 60


def _their_model(directory: str):
    """A random model of theirs with the original's head, and its folder."""
    import torch
    import transformers

    class OriginalHead(torch.nn.Module):
        """[CLS] straight to the logits; theirs has a layer in between."""

        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(32, 2)

        def forward(self, features, **kwargs):
            return self.linear(features[:, 0])

    torch.manual_seed(0)
    model = transformers.ElectraForSequenceClassification(
        transformers.ElectraConfig(
            vocab_size=_VOCAB,
            embedding_size=16,
            hidden_size=32,
            num_hidden_layers=_LAYERS,
            num_attention_heads=4,
            intermediate_size=48,
            max_position_embeddings=_LENGTH,
            initializer_range=0.1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )
    model.save_pretrained(directory)
    model.classifier = OriginalHead()
    return model.train()


def _batches() -> list[dict[str, np.ndarray]]:
    """Two batches of rows of many lengths, in turn."""
    rng = np.random.default_rng(0)
    batches = []
    for _ in range(2):
        ids = rng.integers(5, _VOCAB, [_BATCH, _LENGTH])
        lengths = rng.integers(4, _LENGTH + 1, [_BATCH, 1])
        mask = (np.arange(_LENGTH) < lengths).astype(np.int32)
        second = (np.arange(_LENGTH) >= lengths // 2) * mask
        batches.append(
            {
                "input_ids": (ids * mask).astype(np.int32),
                "input_mask": mask,
                "segment_ids": second.astype(np.int32),
                "labels": rng.integers(0, 2, [_BATCH]).astype(np.int32),
            }
        )
    return [dict(batches[step % 2]) for step in range(_NUM_STEPS)]


def _their_losses(model, decay: float) -> list[float]:
    """Losses of 20 steps by PyTorch's own Adam, clipping and rates."""
    import torch

    factors = {
        f"layer.{i}.": decay ** (_LAYERS + 1 - i) for i in range(_LAYERS)
    }
    factors |= {"embeddings": decay ** (_LAYERS + 2), "classifier": 1.0}

    def factor(name):
        return next(f for part, f in factors.items() if part in name)

    optimizer = torch.optim.Adam(
        [
            {"params": [parameter], "lr": _RATE * factor(name)}
            for name, parameter in model.named_parameters()
        ],
        eps=1e-6,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            (1 - step / _NUM_STEPS) * min(1, step / (_WARMUP * _NUM_STEPS))
        ),
    )
    losses = []
    for batch in _batches():
        tensors = {name: torch.tensor(v).long() for name, v in batch.items()}
        loss = model(
            input_ids=tensors["input_ids"],
            attention_mask=tensors["input_mask"],
            token_type_ids=tensors["segment_ids"],
            labels=tensors["labels"],
        ).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def _our_model(source: sources.Source, theirs, decay: float):
    """A model of ours with the same weights, ready to train."""
    run_config = finetune_config.FinetuneConfig(
        task="cola",
        max_seq_length=_LENGTH,
        train_batch_size=_BATCH,
        learning_rate=_RATE,
        layerwise_lr_decay=decay,
        warmup_proportion=_WARMUP,
        dropout_prob=0.0,
        bias_correction=True,
    )
    model = finetuning_model.FinetuningModel(
        run_config,
        tasks=[registry.get("cola")],
        encoder_config=source.encoder,
    )
    checkpoints.restore(model.encoder.trainable_variables, source.variables)
    head = theirs.classifier.linear
    kernel, bias = model.heads["cola"].trainable_variables
    kernel.assign(head.weight.detach().numpy().T)
    bias.assign(head.bias.detach().numpy())
    model.compile(
        finetuning_model.make_optimizer(
            run_config, num_steps=_NUM_STEPS, num_hidden_layers=_LAYERS
        )
    )
    return model


def _our_losses(model) -> list[float]:
    losses = []
    for batch in _batches():
        labels = batch.pop("labels")
        targets = {"labels": labels, "weights": np.ones([_BATCH], np.float32)}
        model.reset_metrics()
        metrics = model.train_on_batch(
            batch | {"targets": {"cola": targets}}, return_dict=True
        )
        losses.append(metrics["loss"])
    return losses


class FinetuningInteropTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(1.0, 0.8)
    def test_20_steps_are_those_of_their_model(self, decay):
        """Losses of all steps, and afterwards all weights, to 1e-4."""
        directory, trained = (self.create_tempdir().full_path for _ in range(2))
        theirs = _their_model(directory)
        ours = _our_model(sources.load(directory), theirs, decay)
        expected = _their_losses(theirs, decay)
        losses = _our_losses(ours)
        self.assertAllClose(losses, expected, rtol=1e-4, atol=1e-4)
        # They learn; otherwise there would be nothing to compare.
        self.assertLess(np.mean(losses[-4:]), 0.9 * np.mean(losses[:4]))
        theirs.save_pretrained(trained)
        weights = sources.load(trained).variables
        for name, variable in checkpoints.by_name(
            ours.encoder.trainable_variables
        ).items():
            # A key's bias has no influence, so that Adam follows rounding.
            if not name.endswith("key/bias"):
                self.assertAllClose(
                    variable, weights[name], rtol=0, atol=1e-4, msg=name
                )


if __name__ == "__main__":
    tf.test.main()
