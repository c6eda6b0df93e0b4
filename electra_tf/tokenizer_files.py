"""A tokenizer from what a folder of weights says of it, whoever wrote it."""

import json
import os

import tensorflow as tf

from electra_tf import tokenization

_HUGGINGFACE_FILE = "tokenizer_config.json"


def read(
    directory: str,
    *,
    vocab_file: str | None = None,
    lower_case: bool | None = None,
    strip_accents: bool | None = None,
) -> tokenization.Tokenizer | None:
    """The tokenizer that weights in a folder were trained with.

    Vocabularies are `vocab.txt`, or the one in the `tokenizer.json` of
    Hugging Face; settings are in our `tokenizer.json`, or in Hugging Face's
    `tokenizer_config.json` or `tokenizer.json`. A folder of the original has
    none; text is then lower-cased and loses its accents, as in the original.

    Args:
        directory: of the weights.
        vocab_file: goes before the vocabulary in the folder.
        lower_case: goes before the setting in the folder.
        strip_accents: likewise.

    Returns:
        None if the folder has no vocabulary and no other is given.

    Raises:
        ValueError: settings that no tokenizer of ours has; or nothing says
            whether text is lower-cased, and the vocabulary has capitals.
    """
    vocab = _read_vocab(directory, vocab_file)
    if vocab is None:
        return None
    settings = _read_settings(directory)
    if lower_case is not None:
        settings["lower_case"] = lower_case
    if strip_accents is not None:
        settings["strip_accents"] = strip_accents
    if "lower_case" not in settings and any(map(_has_capitals, vocab)):
        raise ValueError(
            f"The vocabulary of {directory!r} has capital letters, and "
            "nothing there says whether text is lower-cased: set --lower_case "
            "or --nolower_case."
        )
    try:
        return tokenization.Tokenizer(vocab, **settings)
    except ValueError as error:
        raise ValueError(f"{vocab_file or directory}: {error}") from error


def write_huggingface(
    directory: str, tokenizer: tokenization.Tokenizer, *, max_length: int
):
    """Writes `vocab.txt` and `tokenizer_config.json` for Hugging Face.

    Args:
        directory: of the model.
        tokenizer: of the model.
        max_length: most tokens of a text that is to be cut.
    """
    vocab = "".join(f"{token}\n" for token in tokenizer.vocab)
    settings = {
        "tokenizer_class": "ElectraTokenizer",
        "do_lower_case": tokenizer.lower_case,
        # As here: a cased tokenizer never strips accents.
        "strip_accents": tokenizer.lower_case and tokenizer.strip_accents,
        "tokenize_chinese_chars": True,
        "model_max_length": max_length,
        "unk_token": tokenization.UNK,
        "sep_token": tokenization.SEP,
        "pad_token": tokenization.PAD,
        "cls_token": tokenization.CLS,
        "mask_token": tokenization.MASK,
    }
    for name, text in (
        (tokenization.VOCAB_FILE, vocab),
        (_HUGGINGFACE_FILE, json.dumps(settings, indent=2) + "\n"),
    ):
        with tf.io.gfile.GFile(os.path.join(directory, name), "wb") as file:
            file.write(text.encode("utf-8"))


def _read_vocab(directory: str, vocab_file: str | None) -> list[str] | None:
    path = vocab_file or os.path.join(directory, tokenization.VOCAB_FILE)
    if vocab_file or tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path, "rb") as file:
            lines = file.read().decode("utf-8").rstrip().split("\n")
        return [line.strip() for line in lines]
    model = _read_json(directory, tokenization.SETTINGS_FILE).get("model")
    if model is None:
        return None
    if model.get("type") != "WordPiece":
        raise ValueError(
            f"The tokenizer.json in {directory!r} is of type "
            f"{model.get('type')!r}; only WordPiece can be read."
        )
    return sorted(model["vocab"], key=model["vocab"].get)


def _read_settings(directory: str) -> dict[str, bool]:
    """`lower_case` and `strip_accents`, as far as the folder tells them."""
    ours = _read_json(directory, tokenization.SETTINGS_FILE)
    theirs = _read_json(directory, _HUGGINGFACE_FILE)
    if "lower_case" in ours:
        theirs = {}
    elif not theirs and "normalizer" in ours:
        normalizer = ours["normalizer"] or {}
        theirs = {
            "do_lower_case": normalizer.get("lowercase"),
            "strip_accents": normalizer.get("strip_accents"),
            "tokenize_chinese_chars": normalizer.get(
                "handle_chinese_chars", True
            ),
        }
    if not theirs.get("tokenize_chinese_chars", True):
        raise ValueError(
            f"The tokenizer in {directory!r} keeps Chinese words whole "
            "(tokenize_chinese_chars); ours, as the original's, never does."
        )
    lower_case = ours.get("lower_case", theirs.get("do_lower_case"))
    # For Hugging Face, none means: if text is lower-cased.
    strip_accents = ours.get("strip_accents", theirs.get("strip_accents"))
    if theirs.get("strip_accents") and lower_case is False:
        raise ValueError(
            f"The tokenizer in {directory!r} strips accents and keeps "
            "capitals; ours, as the original's, cannot do both."
        )
    settings = {"lower_case": lower_case, "strip_accents": strip_accents}
    return {
        name: value for name, value in settings.items() if value is not None
    }


def _read_json(*path: str) -> dict:
    """What a JSON file holds; nothing if there is none."""
    if not tf.io.gfile.exists(os.path.join(*path)):
        return {}
    with tf.io.gfile.GFile(os.path.join(*path)) as file:
        return json.load(file)


def _has_capitals(token: str) -> bool:
    return token != token.lower() and not token.startswith("[")
