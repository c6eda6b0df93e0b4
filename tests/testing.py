"""What the tests share: a very small model, a vocabulary, golden numbers."""

import os
import string
import unittest

import numpy as np

from electra_tf import config

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_PAD_ID, _UNK_ID, _CLS_ID, _SEP_ID, _MASK_ID = range(5)
_WORDS = """
    the of and to in a is that for it as with was on be by at from this are
    or an have not which but they one all were their has there more when who
    will would if no out so up into about than them can only other new some
    time could these two may first then do any like my now over such our me
    even most made after also did many off before must well back through
""".split()


def tiny_config(**overrides) -> config.PretrainConfig:
    """A configuration whose model is made and trained in seconds."""
    values = dict(
        vocab_size=len(tiny_vocab()),
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        generator_hidden_size=0.5,
        max_seq_length=24,
        learning_rate=1e-3,
        warmup_steps=2,
        train_batch_size=4,
        num_train_steps=20,
        eval_batch_size=4,
        eval_steps=0,
        log_steps=5,
        save_checkpoints_steps=10,
    )
    return config.PretrainConfig(**values | overrides)


def special_ids():
    """The ids of [CLS], [SEP] and [MASK] in `tiny_vocab`."""
    # Here, because it needs TensorFlow.
    from electra_tf import masking

    return masking.SpecialIds(cls=_CLS_ID, sep=_SEP_ID, mask=_MASK_ID)


def random_weights(
    run_config: config.PretrainConfig, seed: int = 0
) -> dict[str, np.ndarray]:
    """Values for all variables of a run's model; none of them is 0."""
    from electra_tf import pretraining

    model = pretraining.ElectraPretrainer(
        run_config,
        special_ids(),
        continues_word=[False] * run_config.vocab_size,
    )
    rng = np.random.default_rng(seed)
    return {
        variable.name.partition(":")[0]: variable.numpy()
        + rng.normal(scale=0.1, size=variable.shape).astype(np.float32)
        for variable in model.trainable_variables
    }


def write_model_folder(
    directory: str, run_config: config.PretrainConfig, seed: int = 0
) -> dict[str, np.ndarray]:
    """A pre-training run's folder with `random_weights`, which it returns."""
    from electra_tf import checkpoints
    from electra_tf import model_folder
    from electra_tf import tokenization

    model_folder.start(directory, kind="pretraining", run_config=run_config)
    tokenization.Tokenizer(tiny_vocab()).save(directory)
    values = random_weights(run_config, seed)
    checkpoints.write_variables(
        model_folder.checkpoints(directory), values, step=3
    )
    return values


def tiny_vocab() -> list[str]:
    """Word pieces of which every ASCII text can be put together."""
    single = string.ascii_lowercase + string.digits
    pieces = [*SPECIAL_TOKENS, *single, *("##" + char for char in single)]
    return list(dict.fromkeys([*pieces, *string.punctuation, *_WORDS]))


def write_vocab(directory: str) -> str:
    """Writes `tiny_vocab` to `vocab.txt` in a directory; returns its path."""
    path = os.path.join(directory, "vocab.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(tiny_vocab()) + "\n")
    return path


def random_batch(
    run_config: config.PretrainConfig, batch_size: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """A batch of `[CLS] a [SEP] b [SEP]` with random tokens and lengths.

    The first example has no padding; every example has at least 8 tokens.
    """
    rng = np.random.default_rng(seed)
    length = run_config.max_seq_length
    shape = (batch_size, length)
    positions = np.arange(length)
    ends = rng.integers(8, length, size=(batch_size, 1), endpoint=True)
    ends[0] = length
    middles = ends // 2
    ids = rng.integers(len(SPECIAL_TOKENS), run_config.vocab_size, size=shape)
    ids[:, 0] = _CLS_ID
    ids = np.where(
        (positions == middles) | (positions == ends - 1), _SEP_ID, ids
    )
    mask = positions < ends
    return {
        "input_ids": np.where(mask, ids, _PAD_ID).astype(np.int32),
        "input_mask": mask.astype(np.int32),
        "segment_ids": (mask & (positions > middles)).astype(np.int32),
    }


def golden(*parts: str) -> str:
    """The path of numbers of the original, from `testdata` or elsewhere.

    Those that are too large for the repository are looked for in the folder
    that the environment variable ELECTRA_GOLDEN names; without it the test
    is skipped.
    """
    path = os.path.join(os.path.dirname(__file__), "testdata", *parts)
    if os.path.exists(path):
        return path
    return _in_environment("ELECTRA_GOLDEN", *parts)


def real_data(*parts: str) -> str:
    """The path of real text; without ELECTRA_TEST_DATA the test is skipped."""
    return _in_environment("ELECTRA_TEST_DATA", *parts)


def _in_environment(variable: str, *parts: str) -> str:
    directory = os.environ.get(variable)
    if not directory:
        raise unittest.SkipTest(
            f"Needs {os.path.join(*parts)}: set {variable} to its folder."
        )
    path = os.path.join(directory, *parts)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{variable} is set, but has no {path}.")
    return path
