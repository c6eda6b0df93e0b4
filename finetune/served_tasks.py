"""What all exported models of tasks share: how they read, how they compute."""

from collections.abc import Callable
import dataclasses

import tensorflow as tf

from electra_tf import signatures
from electra_tf import tokenization
from finetune import finetuning_model
from finetune import task as task_lib


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServedTask:
    """A fine-tuned model that answers one of its tasks.

    Attributes:
        model: fine-tuned.
        tokenizer: the one that it was trained with.
        task: one that it has learned.
        fixed_length: whether all rows have `max_seq_length` tokens; otherwise
            as many as the longest of their batch.
    """

    model: finetuning_model.FinetuningModel
    tokenizer: tokenization.Tokenizer
    task: task_lib.Task
    fixed_length: bool = False

    @property
    def max_seq_length(self) -> int:
        """Most tokens of a row, as in training."""
        return self.model.config.max_seq_length

    def pack(self, *ids: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """`signatures.IDS` of one text or two, ids `[batch, (pieces)]`."""
        return self.tokenizer.pack(
            *ids, max_seq_length=self.max_seq_length, pad=self.fixed_length
        )

    def outputs(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Those of the task's head for `signatures.IDS`."""
        max_length = self.model.encoder.config.max_position_embeddings
        return self.model(
            signatures.check_length(inputs, max_length=max_length),
            task_name=self.task.name,
        )

    def ids_signature(self, function: Callable) -> signatures.Signature:
        """A function of `signatures.IDS` as a signature."""
        return signatures.of_ids(
            function,
            self.tokenizer,
            max_seq_length=self.max_seq_length,
            fixed_length=self.fixed_length,
        )
