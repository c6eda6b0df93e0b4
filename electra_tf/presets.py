"""The published models by name, and a tiny one for tests and first steps.

    python -m electra_tf.run_pretraining --preset=small ...

Tables and figures are those of the ELECTRA paper. What was released as Base
and Large was trained on more text than the paper's Base and Large-400K.
"""

import dataclasses
from typing import NamedTuple

from electra_tf import config

# Some minutes on two CPU cores; learns enough to be seen working. What is
# unusual serves that: the generator is the same encoder as the discriminator,
# because in a few thousand steps most is learned from masked words; its
# samples are flattened, or the discriminator, which knows no more, would find
# nothing; narrow layers want a wider initialisation, a short run no dropout.
TINY = config.PretrainConfig(
    embedding_size=128,
    hidden_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=512,
    max_position_embeddings=128,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    initializer_range=0.05,
    tying="all",
    generator_hidden_size=1.0,
    temperature=2.0,
    disc_weight=10.0,
    learning_rate=1e-3,
    warmup_steps=1000,
    train_batch_size=16,
    num_train_steps=3000,
    eval_batch_size=32,
    log_steps=100,
    save_checkpoints_steps=500,
)

_SMALL = config.PretrainConfig()
_BASE = dataclasses.replace(
    _SMALL,
    embedding_size=768,
    hidden_size=768,
    num_attention_heads=12,
    intermediate_size=3072,
    # A third; the original rounds 0.33333 * 768 to 256 in the same way.
    generator_hidden_size=1 / 3,
    max_seq_length=512,
    learning_rate=2e-4,
    train_batch_size=256,
    num_train_steps=766_000,
)
_LARGE = dataclasses.replace(
    _BASE,
    embedding_size=1024,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    generator_hidden_size=0.25,
    mask_prob=0.25,
    train_batch_size=2048,
    num_train_steps=400_000,
)
# Weight tying and kinds of generators were compared after 500 thousand steps.
_BASE_500K = dataclasses.replace(_BASE, num_train_steps=500_000)


class Preset(NamedTuple):
    """A row of the paper that can be trained again.

    Attributes:
        config: what to compute.
        source: where its hyperparameters and its result were published.
        expected: the published result, or why there is none.
        train_flops: as published, by the original's counting; None if it was
            not.
    """

    config: config.PretrainConfig
    source: str
    expected: str
    train_flops: float | None = None


def _row(base: config.PretrainConfig, changes: dict, *about) -> Preset:
    return Preset(dataclasses.replace(base, **changes), *about)


_ONLY_PLOTTED = "published in a plot only"
# A BERT has the shape, the sequences and the batch of its ELECTRA, and more
# steps, so that both take about the same compute.
PRESETS = {
    "tiny": Preset(TINY, "this project", "see the README"),
    "small": _row(_SMALL, {}, "Tables 1 and 6", "GLUE dev 79.9", 1.4e18),
    "small_500k": _row(
        _SMALL,
        dict(num_train_steps=500_000),
        "Table 1, 50 % trained",
        "GLUE dev 79.0",
        7.1e17,
    ),
    "small_250k": _row(
        _SMALL,
        dict(num_train_steps=250_000),
        "Table 1, 25 % trained",
        "GLUE dev 77.7",
        3.6e17,
    ),
    "small_125k": _row(
        _SMALL,
        dict(num_train_steps=125_000),
        "Table 1, 12.5 % trained",
        "GLUE dev 76.0",
        1.8e17,
    ),
    "small_62k": _row(
        _SMALL,
        dict(num_train_steps=62_500),
        "Table 1, 6.25 % trained",
        "GLUE dev 74.1",
        8.9e16,
    ),
    "small_plus_plus": _row(
        _SMALL,
        dict(
            max_seq_length=512,
            generator_hidden_size=1.0,
            num_train_steps=4_000_000,
        ),
        "the original's README: the released Small",
        "CoLA 57.0, SST-2 91.2, MRPC 88.0, STS-B 87.5, QQP 89.0, MNLI 81.3, "
        "QNLI 88.4, RTE 66.7",
    ),
    "bert_small": _row(
        _SMALL,
        dict(objective="mlm", num_train_steps=1_450_000),
        "Tables 1 and 6",
        "GLUE dev 75.1",
        1.4e18,
    ),
    "base": _row(_BASE, {}, "Tables 1 and 6", "GLUE dev 85.1", 6.4e19),
    "bert_base": _row(
        _BASE,
        dict(objective="mlm", num_train_steps=1_000_000),
        "Tables 1 and 6",
        "GLUE dev 82.2",
        6.4e19,
    ),
    "large": _row(_LARGE, {}, "Tables 2 and 6", "GLUE dev 89.0", 7.1e20),
    "large_1.75m": _row(
        _LARGE,
        dict(num_train_steps=1_750_000),
        "Table 2; the released Large",
        "GLUE dev 89.5",
        3.1e21,
    ),
    "bert_large": _row(
        _LARGE,
        dict(objective="mlm", num_train_steps=464_000),
        'Tables 2 and 6, "BERT (ours)"',
        "GLUE dev 87.2",
        7.1e20,
    ),
    "base_electra_15": _row(
        _BASE, dict(objective="electra_15"), "Table 5", "GLUE dev 82.4"
    ),
    # The paper gives no weight for the next two; theirs is a loss over word
    # pieces, as large as the generator's.
    "base_replace_mlm": _row(
        _BASE,
        dict(objective="replace_mlm", disc_weight=1.0),
        "Table 5",
        "GLUE dev 82.4",
    ),
    "base_all_tokens_mlm": _row(
        _BASE,
        dict(objective="all_tokens_mlm", disc_weight=1.0),
        "Table 5",
        "GLUE dev 84.3",
    ),
    "base_untied": _row(
        _BASE_500K,
        dict(generator_hidden_size=1.0, tying="none"),
        "Section 3.2, weight tying",
        "GLUE dev 83.6",
    ),
    "base_tied_embeddings": _row(
        _BASE_500K,
        dict(generator_hidden_size=1.0),
        "Section 3.2, weight tying",
        "GLUE dev 84.3",
    ),
    "base_tied_all": _row(
        _BASE_500K,
        dict(generator_hidden_size=1.0, tying="all"),
        "Section 3.2, weight tying",
        "GLUE dev 84.4",
    ),
    **{
        f"base_generator_{width}": _row(
            _BASE_500K,
            dict(generator_hidden_size=width / 768),
            "Figure 3, left: a generator of that width",
            _ONLY_PLOTTED,
        )
        for width in (64, 128, 256, 512, 768)
    },
    "base_unigram": _row(
        _BASE_500K, dict(generator="unigram"), "Figure 3, left", _ONLY_PLOTTED
    ),
    "base_two_stage": _row(
        _BASE,
        dict(
            generator_training="two_stage",
            tying="none",
            generator_hidden_size=1.0,
            num_train_steps=1_000_000,  # Half of them for each network.
        ),
        "Figure 3, right",
        _ONLY_PLOTTED,
    ),
    "base_adversarial": _row(
        _BASE_500K,
        dict(generator_training="adversarial"),
        "Figure 3, right, and Appendix F",
        _ONLY_PLOTTED,
    ),
    "electric_base": _row(
        _BASE,
        dict(objective="electric", generator="two_tower"),
        "Electric, https://arxiv.org/abs/2012.08561, in the size of Base",
        "not checked against that paper's hyperparameters",
    ),
}


def get(name: str) -> config.PretrainConfig:
    """The preset of that name."""
    if name not in PRESETS:
        raise ValueError(
            f"Unknown preset {name!r}. Presets: {', '.join(PRESETS)}."
        )
    return PRESETS[name].config
