"""Answers to new text, as the records that runs write for their splits."""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
from typing import Any

from finetune import finetuned
from finetune import kinds
from finetune import prediction_input


class Predictor:
    """Asks a fine-tuned model.

    Args:
        loaded: the model.
        task_name: one of its tasks; None for the only one.
        batch_size: rows that the model reads at once; that of the run, if
            not given.
    """

    def __init__(
        self,
        loaded: finetuned.Finetuned,
        *,
        task_name: str | None = None,
        batch_size: int | None = None,
    ):
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self.task = loaded.task(task_name)
        self._config = loaded.model.config
        if batch_size is not None:
            self._config = dataclasses.replace(
                self._config, eval_batch_size=batch_size
            )

    def answers(self, examples: list) -> list:
        """One answer for each example, as of `kinds.Kind.answers`."""
        kind = kinds.of(self.task)
        rows = kind.make_features(
            examples,
            task=self.task,
            tokenizer=self._tokenizer,
            run_config=self._config,
            is_training=False,
        )
        outputs = finetuned.predict(
            self._model,
            rows,
            task=self.task,
            batch_size=self._config.eval_batch_size,
        )
        return kind.answers(
            self.task,
            examples,
            rows,
            outputs,
            run_config=self._config,
            tokenizer=self._tokenizer,
        )

    def records(
        self, lines: Iterable[str], *, chunk_size: int
    ) -> Iterator[dict[str, Any]]:
        """One record for each line that is not empty, in their order.

        Args:
            lines: see `prediction_input`.
            chunk_size: how many are answered at once.
        """
        kind = kinds.of(self.task)
        for examples in prediction_input.batches(
            lines, task=self.task, size=chunk_size
        ):
            yield from kind.records(self.task, examples, self.answers(examples))
