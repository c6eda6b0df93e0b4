"""Hugging Face's model in PyTorch as an engine of inference on the CPU."""

import numpy as np
import torch
import transformers

from benchmarks import engine_batches

_THEIR_NAMES = {
    "input_ids": "input_ids",
    "input_mask": "attention_mask",
    "segment_ids": "token_type_ids",
}


class PeerEngine:
    """`ElectraForPreTraining`, in its evaluation mode.

    Args:
        directory: of their model, with their tokenizer.
        precision: name of the type of all weights.
        num_threads: that an operation may use.
        max_seq_length: most tokens of a text.
    """

    def __init__(
        self,
        directory: str,
        precision: str,
        num_threads: int,
        max_seq_length: int,
    ):
        torch.set_num_threads(num_threads)
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self._max_seq_length = max_seq_length
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        self._model = transformers.ElectraForPreTraining.from_pretrained(
            directory, dtype=getattr(torch, precision)
        ).eval()
        self._batches, self._ids = {}, {}

    def prepare(self, batches: dict[int, list[engine_batches.Batch]]):
        """Makes tensors of batches, by their size."""
        self._batches |= batches
        for size, of_size in batches.items():
            self._ids[size] = [
                {
                    _THEIR_NAMES[name]: torch.tensor(value).long()
                    for name, value in batch.ids.items()
                }
                for batch in of_size
            ]

    def run(self, way: str, size: int) -> list[float]:
        """Seconds for each batch, until the result is an array.

        Args:
            way: "discriminate", of texts, "discriminate_ids", "encode_ids".
            size: of the batches.
        """
        with torch.inference_mode():
            if way == "discriminate":
                texts = [batch.texts for batch in self._batches[size]]
                return engine_batches.timed(self._discriminate, texts)
            call = {
                "discriminate_ids": self._logits,
                "encode_ids": self._features,
            }[way]
            return engine_batches.timed(call, self._ids[size])

    def logits(self, size: int) -> list[np.ndarray]:
        """What the model computes: float32 `[batch, length]` each."""
        with torch.inference_mode():
            return [self._logits(ids) for ids in self._ids[size]]

    def reads_alike(self, size: int) -> bool:
        """Whether its tokenizer makes the same ids of the texts."""
        return all(
            np.array_equal(self._read(batch.texts)[theirs], batch.ids[ours])
            for batch in self._batches[size]
            for ours, theirs in _THEIR_NAMES.items()
        )

    def _read(self, texts: list[str]):
        return self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._max_seq_length,
            return_tensors="pt",
        )

    def _discriminate(self, texts: list[str]) -> np.ndarray:
        logits = self._model(**self._read(texts)).logits
        return torch.sigmoid(logits).float().numpy()

    def _logits(self, ids: dict[str, torch.Tensor]) -> np.ndarray:
        return self._model(**ids).logits.float().numpy()

    def _features(self, ids: dict[str, torch.Tensor]) -> np.ndarray:
        hidden = self._model.electra(**ids).last_hidden_state
        return hidden.float().numpy()
