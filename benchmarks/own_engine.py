"""Our model as an engine of inference on the CPU."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operations of tokenizers.

from benchmarks import engine_batches
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import model_folder
from electra_tf import pretrained_networks
from electra_tf import signatures
from electra_tf import tokenization


class OwnEngine:
    """A SavedModel, and the same weights as layers of Keras.

    Args:
        model_dir: the model's folder.
        path: of the SavedModel that was made of it.
        precision: what that computes in.
        num_threads: that an operation may use.
    """

    def __init__(
        self,
        model_dir: str,
        path: str,
        precision: config.Precision,
        num_threads: int,
    ):
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
        self._tokenizer = tokenization.Tokenizer.load(model_dir)
        self._networks = pretrained_networks.load(
            model_folder.read(model_dir),
            checkpoints.find(model_dir),
            tokenizer=self._tokenizer,
            precision=precision,
        )
        self._networks.prepare_for_inference()
        self._model = tf.saved_model.load(path)
        self._keras = tf.function(self._call_layers, [signatures.IDS])
        self._texts, self._ids = {}, {}

    def batches(
        self, sentences: Sequence[str], size: int
    ) -> list[engine_batches.Batch]:
        """The sentences in their order; the last batch may be smaller."""
        batches = []
        for start in range(0, len(sentences), size):
            texts = list(sentences[start : start + size])
            packed = self._tokenizer.pack(
                self._tokenizer.tokenize(tf.constant(texts)),
                max_seq_length=self._networks.trained_length,
                pad=False,
            )
            ids = {name: value.numpy() for name, value in packed.items()}
            batches.append(engine_batches.Batch(texts, ids))
        return batches

    def prepare(self, batches: dict[int, list[engine_batches.Batch]]):
        """Makes tensors of batches, by their size."""
        for size, of_size in batches.items():
            self._texts[size] = [tf.constant(batch.texts) for batch in of_size]
            self._ids[size] = [
                {name: tf.constant(v) for name, v in batch.ids.items()}
                for batch in of_size
            ]

    def run(self, way: str, size: int) -> list[float]:
        """Seconds for each batch, until the result is an array.

        Args:
            way: name of a signature, or "keras".
            size: of the batches.
        """
        if way == "keras":
            return engine_batches.timed(self._logits, self._ids[size])
        function = self._model.signatures[way]
        if way == "discriminate":
            return engine_batches.timed(
                lambda text: function(text=text)[
                    "replaced_probabilities"
                ].numpy(),
                self._texts[size],
            )
        output = {"discriminate_ids": "logits", "encode_ids": "features"}[way]
        return engine_batches.timed(
            lambda ids: function(**ids)[output].numpy(), self._ids[size]
        )

    def logits(self, size: int) -> list[np.ndarray]:
        """What the SavedModel computes: float32 `[batch, length]` each."""
        function = self._model.signatures["discriminate_ids"]
        return [function(**ids)["logits"].numpy() for ids in self._ids[size]]

    def _logits(self, ids: dict[str, tf.Tensor]) -> np.ndarray:
        return self._keras(ids).numpy()

    def _call_layers(self, ids: dict[str, tf.Tensor]) -> tf.Tensor:
        features = self._networks.encoder(ids).sequence_output
        return tf.cast(self._networks.head(features), tf.float32)
