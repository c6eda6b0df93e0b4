"""The published models by name, and a tiny one for tests and first steps.

    python -m electra_tf.run_pretraining --preset=small ...

Hyperparameters: Table 6 of the ELECTRA paper; expected results: Table 1.
"""

import dataclasses

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

# 14M parameters, 4 days on one V100 in the paper; GLUE dev average 79.9.
SMALL = config.PretrainConfig()

# The released ELECTRA-Small: longer sequences, 4 times the steps, and a
# generator as wide as the discriminator. README of the original: CoLA 57.0,
# SST-2 91.2, MRPC 88.0, STS-B 87.5, QQP 89.0, MNLI 81.3, QNLI 88.4, RTE 66.7.
SMALL_PLUS_PLUS = dataclasses.replace(
    SMALL,
    max_seq_length=512,
    generator_hidden_size=1.0,
    num_train_steps=4_000_000,
)

# 110M parameters, 4 days on 16 TPUv3 in the paper; GLUE dev average 85.1.
BASE = dataclasses.replace(
    SMALL,
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

# 335M parameters; ELECTRA-400K of Table 2, GLUE dev average 89.0.
LARGE = dataclasses.replace(
    BASE,
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

PRESETS = {
    "tiny": TINY,
    "small": SMALL,
    "small_plus_plus": SMALL_PLUS_PLUS,
    "base": BASE,
    "large": LARGE,
}


def get(name: str) -> config.PretrainConfig:
    """The preset of that name."""
    if name not in PRESETS:
        raise ValueError(
            f"Unknown preset {name!r}. Presets: {', '.join(PRESETS)}."
        )
    return PRESETS[name]
