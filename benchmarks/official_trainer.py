"""ELECTRA's pre-training with tf-models-official, in a `tf.function`.

https://github.com/tensorflow/models, `official/nlp/tasks/electra_task.py`,
without its metrics and without prediction of the next sentence.
"""

from collections.abc import Iterator
import itertools
from typing import Literal

import numpy as np
from official.modeling import tf_utils
from official.nlp import optimization
from official.nlp.modeling import networks
from official.nlp.modeling.models import electra_pretrainer
import tensorflow as tf
import tf_keras

from benchmarks import peer_trainer
from benchmarks import random_batches
from benchmarks import trainer_settings
from electra_tf import config

Variant = Literal["graph", "xla"]


class OfficialTrainer(peer_trainer.PeerTrainer):
    """`ElectraPretrainer` of tf-models-official, which is float32 only.

    Tokens are masked before, as its data are.

    Args:
        settings: what to compute.
        variant: "graph", or "xla", which compiles the whole step.
    """

    def __init__(
        self, settings: trainer_settings.TrainerSettings, variant: Variant
    ):
        if settings.precision != "float32":
            raise ValueError(
                "ElectraPretrainer of tf-models-official adds float32 noise to "
                "its logits and fails with others, so --precision must be "
                f"float32, got {settings.precision}."
            )
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
        tf_keras.utils.set_random_seed(settings.seed)
        self._config = settings.run_config
        self._batches = _batches(settings)
        self._train = tf.function(
            self._train_step, jit_compile=variant == "xla", autograph=False
        )

    def num_parameters(self) -> int:
        """Numbers that may be learned; some have no gradient, see `_make`."""
        return sum(int(v.shape.num_elements()) for v in self._variables)

    def _make(self):
        """As `electra_task.ElectraPretrainTask.build_model`.

        That has layers of which the loss does not depend: poolers, and a head
        on the generator that classifies pairs of sentences.
        """
        run_config = self._config
        discriminator = _encoder(run_config.encoder)
        generator = _encoder(
            run_config.generator_encoder,
            embedding_layer=discriminator.get_embedding_layer(),
        )
        self._model = electra_pretrainer.ElectraPretrainer(
            generator,
            discriminator,
            vocab_size=run_config.vocab_size,
            num_classes=2,
            num_token_predictions=run_config.max_predictions_per_seq,
            mlm_activation=tf_utils.get_activation("gelu"),
            mlm_initializer=tf_keras.initializers.TruncatedNormal(
                stddev=run_config.initializer_range
            ),
        )
        self._optimizer = optimization.AdamWeightDecay(
            run_config.learning_rate,
            weight_decay_rate=run_config.weight_decay_rate,
            beta_1=run_config.adam_beta_1,
            beta_2=run_config.adam_beta_2,
            epsilon=run_config.adam_epsilon,
            exclude_from_weight_decay=["LayerNorm", "layer_norm", "bias"],
            gradient_clip_norm=run_config.clip_norm,
        )

    @property
    def _variables(self) -> list[tf.Variable]:
        return self._model.trainable_variables

    def _step(self) -> float:
        return float(self._train(next(self._batches)))

    def _train_step(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._total_loss(inputs)
        gradients = tape.gradient(loss, self._variables)
        learned = [
            (gradient, variable)
            for gradient, variable in zip(gradients, self._variables)
            if gradient is not None
        ]
        self._optimizer.apply_gradients(learned)
        return loss

    def _total_loss(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """As `electra_task.ElectraPretrainTask.build_losses`."""
        outputs = self._model(inputs, training=True)
        gen_losses = tf_keras.losses.sparse_categorical_crossentropy(
            inputs["masked_lm_ids"], outputs["lm_outputs"], from_logits=True
        )
        disc_losses = tf.nn.sigmoid_cross_entropy_with_logits(
            logits=outputs["disc_logits"],
            labels=tf.cast(outputs["disc_label"], tf.float32),
        )
        mask = tf.cast(inputs["input_mask"], tf.float32)
        disc_loss = tf.reduce_sum(mask * disc_losses) / tf.reduce_sum(mask)
        return (
            self._config.gen_weight * tf.reduce_mean(gen_losses)
            + self._config.disc_weight * disc_loss
        )


def _encoder(
    encoder: config.EncoderConfig,
    *,
    embedding_layer: tf_keras.layers.Layer | None = None,
) -> networks.BertEncoder:
    return networks.BertEncoder(
        vocab_size=encoder.vocab_size,
        hidden_size=encoder.hidden_size,
        num_layers=encoder.num_hidden_layers,
        num_attention_heads=encoder.num_attention_heads,
        max_sequence_length=encoder.max_position_embeddings,
        type_vocab_size=encoder.type_vocab_size,
        inner_dim=encoder.intermediate_size,
        inner_activation=tf_utils.get_activation("gelu"),
        output_dropout=encoder.hidden_dropout_prob,
        attention_dropout=encoder.attention_probs_dropout_prob,
        initializer=tf_keras.initializers.TruncatedNormal(
            stddev=encoder.initializer_range
        ),
        embedding_width=encoder.embedding_size,
        embedding_layer=embedding_layer,
        dict_outputs=True,
    )


def _batches(
    settings: trainer_settings.TrainerSettings,
) -> Iterator[dict[str, tf.Tensor]]:
    run_config = settings.run_config
    rng = np.random.default_rng(settings.seed)
    batches = random_batches.of_settings(settings)
    return itertools.cycle(
        [
            _masked(batch, run_config.max_predictions_per_seq, rng)
            for batch in batches
        ]
    )


def _masked(
    batch: dict[str, np.ndarray], count: int, rng: np.random.Generator
) -> dict[str, tf.Tensor]:
    """What its networks read, of a batch of ours."""
    ids = batch["input_ids"]
    # Any tokens, but neither the first nor the last.
    draws = rng.random((ids.shape[0], ids.shape[1] - 2))
    positions = 1 + np.argsort(draws, axis=1)[:, :count].astype(np.int32)
    masked_ids = ids.copy()
    np.put_along_axis(masked_ids, positions, random_batches.MASK_ID, axis=1)
    inputs = {
        "input_word_ids": masked_ids,
        "input_mask": batch["input_mask"],
        "input_type_ids": batch["segment_ids"],
        "masked_lm_positions": positions,
        "masked_lm_ids": np.take_along_axis(ids, positions, axis=1),
    }
    return {name: tf.constant(value) for name, value in inputs.items()}
