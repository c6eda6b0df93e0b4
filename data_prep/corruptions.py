"""What corrupts the examples of a data folder: a preset, or a trained model."""

import dataclasses

from data_prep import data_folder
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import corrupter
from electra_tf import presets
from electra_tf import pretraining
from electra_tf import sources

# No text is tokenized here, so that it does not matter whether a checkpoint
# tells it.
_UNTOLD = sources.Untold(lower_case=True)


def prepare(
    folder: data_folder.DataFolder,
    *,
    model_path: str | None = None,
    preset: str | None = None,
    seed: int = 0,
) -> tuple[data_folder.DataFolder, corrupter.Corrupter | None]:
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
) -> corrupter.Corrupter:
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
    return corrupter.Corrupter(model, is_trained=False, seed=seed)


def _of_model(
    source: sources.Source,
    folder: data_folder.DataFolder,
    *,
    preset: str | None,
    seed: int,
) -> corrupter.Corrupter:
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
    return corrupter.Corrupter(model, is_trained=True, seed=seed)


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
