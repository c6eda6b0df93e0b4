"""How fast a pre-training run is: tokens and useful FLOPs a second.

Useful are the products of the model itself, forward and backward, as `flops`
counts them: what is computed again to save memory, or for padding that fills
a batch up, makes a run slower but not its figures higher.
"""

from electra_tf import config
from electra_tf import flops


def step_flops(run_config: config.PretrainConfig) -> float:
    """FLOPs of one training step: three times those of the forward pass."""
    return run_config.train_batch_size * flops.training_example(run_config)


def tokens_per_second(
    run_config: config.PretrainConfig, examples_per_second: float
) -> float:
    """Positions that are trained on, padding included."""
    return examples_per_second * run_config.max_seq_length


def model_flops_per_second(
    run_config: config.PretrainConfig, examples_per_second: float
) -> float:
    """Useful FLOPs a second, of all devices together."""
    return examples_per_second * flops.training_example(run_config)


def peak_flops_share(
    run_config: config.PretrainConfig, examples_per_second: float
) -> float | None:
    """The share of what the devices are capable of; None if that is unknown."""
    if not run_config.peak_flops:
        return None
    achieved = model_flops_per_second(run_config, examples_per_second)
    return achieved / run_config.peak_flops


def metrics(
    run_config: config.PretrainConfig, examples_per_second: float
) -> dict[str, float]:
    """What a log line has beside `examples_per_second`, by name."""
    values = {
        "tokens_per_second": tokens_per_second(run_config, examples_per_second),
        "model_flops_per_second": model_flops_per_second(
            run_config, examples_per_second
        ),
    }
    share = peak_flops_share(run_config, examples_per_second)
    return values if share is None else values | {"peak_flops_share": share}
