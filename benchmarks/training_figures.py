"""What the times of training steps say: rates, shares and phases."""

from collections.abc import Mapping
from collections.abc import Sequence
import math
import statistics

from benchmarks import trainer_settings
from electra_tf import flops

# Of a classifier that is fine-tuned.
_NUM_LABELS = 2
PHASES = ("input", "forward", "backward", "optimizer")


def example_flops(
    settings: trainer_settings.TrainerSettings, stage: str
) -> float:
    """Useful FLOPs of training on one example: three times those forward.

    Products only, and nothing for looking embeddings up.

    Args:
        settings: what is computed.
        stage: "pretraining", or "finetuning" of a classifier of two labels.
    """
    run_config = settings.run_config
    if stage == "pretraining":
        return flops.training_example(run_config)
    forward = flops.encoder_forward(
        run_config.encoder, run_config.max_seq_length
    )
    return 3.0 * (forward + 2.0 * run_config.hidden_size * _NUM_LABELS)


def rates(
    settings: trainer_settings.TrainerSettings,
    stage: str,
    step_seconds: Sequence[float],
) -> dict[str, float]:
    """Those of the median step.

    Args:
        settings: what was computed.
        stage: as for `example_flops`.
        step_seconds: of each step.
    """
    step_s = statistics.median(step_seconds)
    examples_per_s = settings.batch_size / step_s
    gflop_per_example = example_flops(settings, stage) / 1e9
    return {
        "step_s": step_s,
        "fastest_step_s": min(step_seconds),
        "slowest_step_s": max(step_seconds),
        "examples_per_s": examples_per_s,
        "tokens_per_s": examples_per_s * settings.max_seq_length,
        "gflop_per_example": gflop_per_example,
        "gflops_per_s": examples_per_s * gflop_per_example,
    }


def share_of_ceiling(
    gflops_per_s: float, ceilings: Sequence[Mapping[str, float]]
) -> dict[str, float | dict[str, float]]:
    """How near training comes to the best product of matrices.

    Args:
        gflops_per_s: of the training.
        ceilings: FLOPs a second of products, by their shapes, as they were
            measured several times; of each the best counts.
    """
    products = {
        name: max(ceiling[name] for ceiling in ceilings) / 1e9
        for name in ceilings[0]
    }
    best = max(products.values())
    return {
        "products_gflops_per_s": products,
        "ceiling_gflops_per_s": best,
        "share_of_ceiling": gflops_per_s / best,
    }


def phases(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Seconds of the phases of a step, by name; but for "input" they add up.

    Args:
        seconds: as `OwnTrainer.phases` returns them.

    Returns:
        For each of `PHASES`; "optimizer" is all that comes after gradients:
        it clips and applies them, and counts metrics. A difference of parts
        that take almost as long may be below 0.
    """
    medians = {name: statistics.median(s) for name, s in seconds.items()}
    return {
        "input": medians["input"],
        "forward": medians["forward"],
        "backward": medians["gradients"] - medians["forward"],
        "optimizer": medians["step"] - medians["gradients"],
        "step": medians["step"],
    }


def check_finite(loss: float):
    """Raises RuntimeError if what was trained is not worth measuring."""
    if not math.isfinite(loss):
        raise RuntimeError(f"The loss of the last step is {loss}.")


def table(rows: Sequence[Mapping[str, float]]) -> str:
    """As Markdown: a line for each training.

    Args:
        rows: with `name`, `rates`, `share_of_ceiling` if it was measured,
            `peak_memory_gb` and `first_step_s`.
    """
    columns = {
        "examples_per_s": ("examples/s", "{:.2f}"),
        "tokens_per_s": ("tokens/s", "{:,.0f}"),
        "step_s": ("step s", "{:.3f}"),
        "gflops_per_s": ("GFLOP/s", "{:,.1f}"),
        "share_of_ceiling": ("share of ceiling", "{:.1%}"),
        "peak_memory_gb": ("peak memory GB", "{:.2f}"),
        "first_step_s": ("first step s", "{:.1f}"),
    }
    titles = [title for title, _ in columns.values()]
    lines = [
        f"| training | {' | '.join(titles)} |",
        f"|---|{'--:|' * len(titles)}",
    ]
    for row in rows:
        cells = [
            form.format(row[name]) if name in row else ""
            for name, (_, form) in columns.items()
        ]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def phase_table(seconds: Mapping[str, float]) -> str:
    """As Markdown: milliseconds of each phase, and their share of a step."""
    lines = ["| phase | ms | share of step |", "|---|--:|--:|"]
    for name in (*PHASES, "step"):
        share = seconds[name] / seconds["step"]
        lines.append(f"| {name} | {1e3 * seconds[name]:,.2f} | {share:.1%} |")
    return "\n".join(lines)
