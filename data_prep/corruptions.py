"""What pre-training does to examples: masks, replacements, verdicts.

All is computed by `pretraining.ElectraPretrainer` itself, on its own path, so
that what is shown is what training does.
"""

import dataclasses
from typing import Literal
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data_prep import data_folder
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import presets
from electra_tf import pretraining
from electra_tf import randomness
from electra_tf import sources

# No text is tokenized here, so that it does not matter whether a checkpoint
# tells it.
_UNTOLD = sources.Untold(lower_case=True)


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


def prepare(
    folder: data_folder.DataFolder,
    *,
    model_path: str | None = None,
    preset: str | None = None,
    seed: int = 0,
) -> tuple[data_folder.DataFolder, Corrupter | None]:
    """What corrupts the examples of a folder, if anything does.

    Args:
        folder: of the data. If it has no vocabulary, it gets the model's.
        model_path: a pre-trained model, as for `sources.load`; None shows no
            more than the masks of the preset.
        preset: whose masks are drawn; those of the model if None.
        seed: decides masks and samples.

    Returns:
        The folder; and None, if neither model nor preset is given.

    Raises:
        ValueError: no pre-trained model, one with another vocabulary, or no
            vocabulary at all.
    """
    if model_path is not None:
        source = _load_source(model_path)
        folder = _with_vocabulary_of(source, folder)
        return folder, _of_model(source, folder, preset=preset, seed=seed)
    if preset is None:
        return folder, None
    if folder.tokenizer is None:
        raise ValueError(
            f"{folder.path!r} has no vocabulary, which says what is never "
            f"masked: name it by --vocab_file."
        )
    return folder, _of_preset(preset, folder, seed=seed)


def _of_preset(
    preset: str, folder: data_folder.DataFolder, *, seed: int
) -> Corrupter:
    """Masks as a preset draws them, without any of its networks."""
    # Masks do not depend on the networks: the smallest will do.
    run_config = config.PretrainConfig(
        vocab_size=folder.tokenizer.vocab_size,
        embedding_size=1,
        hidden_size=1,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=1,
        max_position_embeddings=folder.info.max_seq_length,
        max_seq_length=folder.info.max_seq_length,
        generator="uniform",
        generator_hidden_size=1.0,
        **_mask_settings(preset),
    )
    model = pretraining.ElectraPretrainer.for_tokenizer(
        run_config, folder.tokenizer
    )
    return Corrupter(model, is_trained=False, seed=seed)


def _of_model(
    source: sources.Source,
    folder: data_folder.DataFolder,
    *,
    preset: str | None,
    seed: int,
) -> Corrupter:
    settings = {} if preset is None else _mask_settings(preset)
    run_config = dataclasses.replace(
        source.run_config,
        max_seq_length=folder.info.max_seq_length,
        **settings,
    )
    model = pretraining.ElectraPretrainer.for_tokenizer(
        run_config, folder.tokenizer
    )
    checkpoints.restore(model.trainable_variables, source.variables)
    return Corrupter(model, is_trained=True, seed=seed)


def _load_source(path: str) -> sources.Source:
    source = sources.load(path, _UNTOLD)
    if source.run_config is None:
        raise ValueError(
            f"{path!r} holds a model of kind {source.kind!r}, without the "
            f"heads of pre-training. Name a pre-trained model."
        )
    return source


def _with_vocabulary_of(
    source: sources.Source, folder: data_folder.DataFolder
) -> data_folder.DataFolder:
    """The folder with a vocabulary, which is that of the model, too."""
    theirs = source.read_tokenizer()
    ours = folder.tokenizer or theirs
    if ours is None:
        raise ValueError(
            f"Neither {folder.path!r} nor {source.path!r} has a vocabulary: "
            f"name it by --vocab_file."
        )
    # Some checkpoints have no vocabulary beside them, only its size.
    vocab_size = source.encoder.vocab_size
    if ours.vocab_size != vocab_size or ours.vocab != (theirs or ours).vocab:
        name = (
            f"SHA-256 {theirs.vocab_sha256[:8]}" if theirs else "not beside it"
        )
        raise ValueError(
            f"The model in {source.path!r} has another vocabulary than the "
            f"data in {folder.path!r}: {vocab_size:,} pieces ({name}), not "
            f"{ours.vocab_size:,} (SHA-256 {ours.vocab_sha256[:8]})."
        )
    return folder._replace(tokenizer=ours)


def _mask_settings(preset: str) -> dict[str, float | str]:
    run_config = presets.get(preset)
    return {
        name: getattr(run_config, name) for name in ("mask_prob", "masking")
    }


def _masked_places(output: pretraining.PretrainingOutput):
    """Rows and columns of the masked tokens, slot by slot."""
    is_used = output.masked.weights.numpy() > 0
    rows, _ = np.nonzero(is_used)
    return rows, output.masked.positions.numpy()[is_used]
