"""What a pre-training run will compute and need, before it is started."""

from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from electra_tf import config
from electra_tf import dataset_info
from electra_tf import flops
from electra_tf import input_pipeline
from electra_tf import masking
from electra_tf import presets
from electra_tf import pretraining

_BYTES = 4  # Of a float32.


def report(
    run_config: config.PretrainConfig,
    *,
    preset: str,
    infos: Sequence[dataset_info.DatasetInfo] = (),
    data_weights: Sequence[float] | None = None,
) -> str:
    """A text for people; nothing is allocated, read or written.

    Args:
        run_config: of the run.
        preset: the name that it was made from.
        infos: of the folders of training data, if they are there already.
        data_weights: of these folders.
    """
    about = presets.PRESETS[preset]
    counts = count_parameters(run_config)
    sections = (
        (f"Preset {preset}", _preset_lines(run_config, about)),
        ("Configuration", _config_lines(run_config)),
        ("Parameters", _parameter_lines(counts)),
        ("Compute", _compute_lines(run_config, about)),
        (
            "Memory, estimated for float32",
            _memory_lines(run_config, sum(counts.values())),
        ),
        ("Data", _data_lines(run_config, infos, data_weights)),
    )
    return "\n\n".join(
        "\n".join([f"=== {title} ===", *lines]) for title, lines in sections
    )


def count_parameters(run_config: config.PretrainConfig) -> dict[str, int]:
    """Parameters by scope, such as "electra" and "generator"."""
    with tf.Graph().as_default():  # Only describes variables.
        model = pretraining.ElectraPretrainer(
            run_config,
            masking.SpecialIds(cls=0, sep=0, mask=0),
            continues_word=[False] * run_config.vocab_size,
        )
    counts = {}
    for variable in model.trainable_variables:
        scope = variable.name.partition("/")[0]
        counts[scope] = counts.get(scope, 0) + variable.shape.num_elements()
    return counts


def activation_bytes(run_config: config.PretrainConfig) -> int:
    """What the forward pass keeps for the backward pass, about, in bytes.

    For each token and layer 12 vectors of the hidden size, 3 of the
    feed-forward size and 3 rows of attention scores a head; for each
    predicted token 3 rows of the vocabulary.
    """
    length = run_config.max_seq_length
    masked = run_config.max_predictions_per_seq
    numbers = _encoder_activations(run_config.encoder, length)
    rows = masked
    if run_config.objective == "all_tokens_mlm":
        rows += length
    if run_config.objective == "replace_mlm":
        rows += masked
    if run_config.has_discriminator:
        towers = {"transformer": 1, "two_tower": 2}.get(run_config.generator, 0)
        numbers += towers * _encoder_activations(
            run_config.generator_encoder, length
        )
        if run_config.generator == "two_tower":
            rows += length
    numbers += 3 * rows * run_config.vocab_size
    return _BYTES * numbers * run_config.train_batch_size


def _encoder_activations(shape: config.EncoderConfig, length: int) -> int:
    a_token = 12 * shape.hidden_size + 3 * shape.intermediate_size
    a_token += 3 * shape.num_attention_heads * length
    return shape.num_hidden_layers * a_token * length


def _preset_lines(run_config, about: presets.Preset) -> list[str]:
    changed = config.differences(about.config, run_config)
    return [
        f"Source: {about.source}",
        f"Expected: {about.expected}",
        "Changed: " + ("; ".join(changed) or "nothing"),
    ]


def _config_lines(run_config) -> list[str]:
    return [f"{n} = {v!r}" for n, v in config.to_dict(run_config).items()]


def _parameter_lines(counts: Mapping[str, int]) -> list[str]:
    lines = [f"{scope:<28}{count:>14,}" for scope, count in counts.items()]
    return [*lines, f"{'together':<28}{sum(counts.values()):>14,}"]


def _compute_lines(run_config, about: presets.Preset) -> list[str]:
    num_examples = run_config.train_batch_size * run_config.num_train_steps
    an_example = flops.training_example(run_config)
    published = f"{about.train_flops:.1e}" if about.train_flops else "none"
    return [
        f"An example: {an_example:.3e} FLOPs; a step: "
        f"{an_example * run_config.train_batch_size:.3e}",
        f"The whole run: {an_example * num_examples:.3e} "
        "(products, forward and backward)",
        f"As the original counts: {flops.original_training(run_config):.3e}; "
        f"published for this preset: {published}",
    ]


def _memory_lines(run_config, num_parameters: int) -> list[str]:
    # The weights, their gradients, and two moments of each.
    weights = 4 * _BYTES * num_parameters
    activations = activation_bytes(run_config)
    return [
        f"Weights, gradients, optimizer: {weights / 1e9:.2f} GB on each device",
        f"Activations: {activations / 1e9:.2f} GB for a batch of "
        f"{run_config.train_batch_size}, shared by all devices",
    ]


def _data_lines(run_config, infos, data_weights) -> list[str]:
    num_examples = run_config.train_batch_size * run_config.num_train_steps
    tokens = num_examples * run_config.max_seq_length
    lines = [f"Seen in all: {num_examples:,} examples, {tokens:.3e} tokens"]
    if not infos:
        return [*lines, "No --data_dir given."]
    counts = input_pipeline.cycle_counts(infos, data_weights)
    for info, count in zip(infos, counts):
        share = count / input_pipeline.CYCLE_SIZE
        passes = share * num_examples / info.num_examples
        lines.append(
            f"In --data_dir: {info.num_examples:,} examples of "
            f"{info.max_seq_length} tokens, so {passes:.1f} passes"
        )
    return lines
