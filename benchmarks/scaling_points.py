"""What a training step is measured at to see how its cost grows."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any

from benchmarks import trainer_settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """One training.

    Attributes:
        section: The table that it belongs to, of `SECTIONS`.
        value: What differs in the section, such as a length.
        settings: Of each process.
        num_devices: That share a batch.
        num_workers: Processes that share a batch.
    """

    section: str
    value: int
    settings: trainer_settings.TrainerSettings
    num_devices: int = 1
    num_workers: int = 1


def points(
    section: str,
    base: trainer_settings.TrainerSettings,
    values: Sequence[int],
) -> list[Point]:
    """The trainings of a section.

    Args:
        section: of `SECTIONS`.
        base: what is computed where nothing differs.
        values: what differs, in the order of the table.
    """
    return [SECTIONS[section](base, value, max(values)) for value in values]


def rows(
    measured: Sequence[tuple[Point, Mapping[str, float]]],
) -> list[dict[str, Any]]:
    """The lines of a section's table, compared with the first one.

    Args:
        measured: points, each with its figures, of which `examples_per_s`,
            `tokens_per_s` and `gflop_per_example` are compared.

    Returns:
        The figures, `value`, `ms_per_example` and how many times the first
        line's it is (`times_cost`), beside how many times its FLOPs
        (`times_flops`).
    """
    first = measured[0][1]
    return [
        {
            "value": point.value,
            "batch_size": point.settings.batch_size,
            "ms_per_example": 1e3 / figures["examples_per_s"],
            "times_cost": first["examples_per_s"] / figures["examples_per_s"],
            "times_flops": figures["gflop_per_example"]
            / first["gflop_per_example"],
        }
        | figures
        for point, figures in measured
    ]


def table(section: str, section_rows: Sequence[Mapping[str, float]]) -> str:
    """As Markdown."""
    columns = {
        "value": (section, "{:,d}"),
        "batch_size": ("batch size", "{:d}"),
        "examples_per_s": ("examples/s", "{:,.2f}"),
        "tokens_per_s": ("tokens/s", "{:,.0f}"),
        "gflops_per_s": ("GFLOP/s", "{:,.1f}"),
        "ms_per_example": ("ms an example", "{:,.2f}"),
        "times_cost": ("times cost", "{:.2f}"),
        "times_flops": ("times FLOPs", "{:.2f}"),
        "peak_memory_gb": ("peak memory GB", "{:.2f}"),
        "first_step_s": ("first step s", "{:.1f}"),
    }
    titles = [title for title, _ in columns.values()]
    lines = [f"| {' | '.join(titles)} |", "|" + "--:|" * len(titles)]
    for row in section_rows:
        cells = [form.format(row[name]) for name, (_, form) in columns.items()]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _length(base, value: int, largest: int) -> Point:
    """As many tokens a batch, whatever the length."""
    tokens = base.batch_size * base.max_seq_length
    if tokens % value:
        raise ValueError(
            f"A batch of {tokens} tokens ({base.batch_size} examples of "
            f"{base.max_seq_length}) is not divided evenly by length {value}."
        )
    run_config = base.run_config
    positions = max(run_config.max_position_embeddings, largest)
    settings = dataclasses.replace(
        base,
        max_seq_length=value,
        batch_size=tokens // value,
        changes={**base.changes, "max_position_embeddings": positions},
    )
    return Point(section="lengths", value=value, settings=settings)


def _batch(base, value: int, largest: int) -> Point:
    del largest
    settings = dataclasses.replace(base, batch_size=value)
    return Point(section="batches", value=value, settings=settings)


def _depth(base, value: int, largest: int) -> Point:
    del largest
    return Point(
        section="depths",
        value=value,
        settings=_changed(base, num_hidden_layers=value),
    )


def _vocabulary(base, value: int, largest: int) -> Point:
    del largest
    return Point(
        section="vocabularies",
        value=value,
        settings=_changed(base, vocab_size=value),
    )


def _devices(base, value: int, largest: int) -> Point:
    del largest
    return Point(
        section="devices", value=value, settings=base, num_devices=value
    )


def _workers(base, value: int, largest: int) -> Point:
    """Each worker has its share of the cores, however many there are."""
    settings = dataclasses.replace(
        base, num_threads=max(1, base.threads // largest)
    )
    return Point(
        section="workers", value=value, settings=settings, num_workers=value
    )


def _changed(base, **changes) -> trainer_settings.TrainerSettings:
    return dataclasses.replace(base, changes={**base.changes, **changes})


SECTIONS: dict[
    str, Callable[[trainer_settings.TrainerSettings, int, int], Point]
] = {
    "lengths": _length,
    "batches": _batch,
    "depths": _depth,
    "vocabularies": _vocabulary,
    "devices": _devices,
    "workers": _workers,
}
