"""What pre-training does to examples: masks, replacements, verdicts.

All is computed by `pretraining.ElectraPretrainer` itself, on its own path, so
that what is shown is what training does.
"""

from typing import Literal
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf import pretraining
from electra_tf import randomness

Shows = Literal["masks", "guesses", "replacements", "verdicts"]

# The last two of these predict words, not whether a word was replaced.
_SHOWN_OF_OBJECTIVE: dict[str, Shows] = {
    "mlm": "guesses",
    "electra": "verdicts",
    "electra_15": "verdicts",
    "electric": "verdicts",
    "replace_mlm": "replacements",
    "all_tokens_mlm": "replacements",
}


class Corruption(NamedTuple):
    """What was done to a batch, and what was said of it.

    Attributes:
        is_masked: bool `[batch, length]`.
        ids: int32 `[batch, length]`, with what the generator put at masked
            positions: its samples, which the discriminator reads; for "mlm"
            its best guesses. None if there is no trained model.
        is_noise: bool `[batch, length]`: where the discriminator should say
            "replaced". None if there is no discriminator that says so.
        probabilities: float32 `[batch, length]`, of "replaced"; not a number
            where the discriminator's word does not count. None likewise.
    """

    is_masked: np.ndarray
    ids: np.ndarray | None = None
    is_noise: np.ndarray | None = None
    probabilities: np.ndarray | None = None


class Corrupter:
    """Masks examples as training does, and runs the model on them.

    Args:
        model: whose masks they are.
        is_trained: whether what its networks compute is of interest.
        seed: decides masks and samples.

    Attributes:
        shows: what there is to see.
        about: what decides it, in words.
    """

    def __init__(
        self,
        model: pretraining.ElectraPretrainer,
        *,
        is_trained: bool,
        seed: int,
    ):
        self._model = model
        self._seed = seed
        run_config = model.config
        self.about = f"mask_prob {run_config.mask_prob:g}, {run_config.masking}"
        self.shows: Shows = "masks"
        if is_trained:
            self.shows = _SHOWN_OF_OBJECTIVE[run_config.objective]
            self.about += (
                f", objective {run_config.objective}, generator "
                f"{run_config.generator}, temperature "
                f"{run_config.temperature:g}"
            )

    def __call__(self, batch: dict[str, np.ndarray], step: int) -> Corruption:
        """The corruption of a batch in the step of that number."""
        output = self._model(batch, seed=randomness.step_seed(self._seed, step))
        places = _masked_places(output)
        is_masked = np.zeros(batch["input_ids"].shape, bool)
        is_masked[places] = True
        if self.shows == "masks":
            return Corruption(is_masked)
        if self.shows == "guesses":
            is_used = output.masked.weights.numpy() > 0
            ids = batch["input_ids"].copy()
            ids[places] = output.masked_lm_logits.numpy().argmax(-1)[is_used]
            return Corruption(is_masked, ids)
        ids, verdict = output.corruption.ids.numpy(), output.verdict
        if self.shows == "replacements":
            return Corruption(is_masked, ids)
        counts = verdict.weights.numpy() > 0
        probabilities = tf.sigmoid(verdict.logits).numpy()
        return Corruption(
            is_masked,
            ids,
            is_noise=verdict.labels.numpy().astype(bool) & counts,
            probabilities=np.where(counts, probabilities, np.nan),
        )


def _masked_places(output: pretraining.PretrainingOutput):
    """Rows and columns of the masked tokens, slot by slot."""
    is_used = output.masked.weights.numpy() > 0
    rows, _ = np.nonzero(is_used)
    return rows, output.masked.positions.numpy()[is_used]
