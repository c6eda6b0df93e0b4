"""Parts of a page on a run's data, size, configuration and origin."""

from collections.abc import Mapping
from collections.abc import Sequence
import shlex
from typing import Any

from electra_tf import config
from electra_tf import dataset_info
from electra_tf import dry_run
from electra_tf import flops
from electra_tf import html_page
from electra_tf import number_text
from electra_tf import presets
from electra_tf import run_record
from electra_tf import sample_corruptions
from electra_tf import throughput

tag = html_page.tag


def nearest_preset(run: run_record.Run) -> tuple[str, list[str]]:
    """The preset that a run was made from, and the settings it changed.

    It is the one that the command names, else the one with the fewest changes.
    """

    def changed(name: str) -> list[str]:
        theirs = config.to_dict(presets.get(name))
        ours = config.to_dict(run.pretrain_config)
        return [field for field in ours if ours[field] != theirs[field]]

    name = run.flag("preset")
    if name not in presets.PRESETS:
        name = min(presets.PRESETS, key=lambda name: len(changed(name)))
    return name, changed(name)


def configuration(run: run_record.Run) -> html_page.Markup:
    """What differs from the preset, and all of it to be unfolded."""
    parts: list[html_page.Child] = []
    marked: Sequence[str] = ()
    if run.kind == "pretraining":
        name, marked = nearest_preset(run)
        theirs = config.to_dict(presets.get(name))
        parts.append(_preset_facts(name))
        if marked:
            rows = [
                [field, _value(run.settings.get(field)), _value(theirs[field])]
                for field in marked
            ]
            header = ["changed", "this run", f"preset {name}"]
            parts.append(html_page.table(header, rows))
        else:
            parts.append(tag("p", "No setting differs from the preset."))
    rows = [
        [tag("mark", field) if field in marked else field, _value(value)]
        for field, value in run.settings.items()
    ]
    parts.append(
        tag(
            "details",
            tag("summary", f"All {len(rows)} settings"),
            html_page.table(["setting", "value"], rows),
        )
    )
    return html_page.section("Configuration", parts)


def differences(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> html_page.Markup:
    """The settings that not all runs have in common."""
    fields = dict.fromkeys(field for run in runs for field in run.settings)
    rows = []
    for field in fields:
        values = [_value(run.settings.get(field, "–")) for run in runs]
        if len(set(values)) > 1:
            rows.append([field, *values])
    values = [_data_text(run) for run in runs]
    if len(set(values)) > 1:
        rows.append(["data", *values])
    if not rows:
        return tag("p", "All runs have the same configuration and data.")
    return html_page.table(["setting", *names], rows)


def _data_text(run: run_record.Run) -> str:
    """The data folders and their shares; equal for equal data."""
    return "; ".join(
        f"{entry['num_examples']:,} examples ({entry['fingerprint'][:8]}), "
        f"{entry['examples_per_thousand']} of 1,000"
        for entry in run.contents.get("data", ())
    )


def _preset_facts(name: str) -> html_page.Markup:
    about = presets.PRESETS[name]
    return html_page.facts(
        [
            ("preset", name),
            ("published in", about.source),
            ("expected of it", about.expected),
        ]
    )


def data(run: run_record.Run) -> html_page.Markup | None:
    """The data folders, as far as they still tell of themselves."""
    entries = run.contents.get("data", ())
    if not entries:
        return None
    cards = [_data_card(run, entry) for entry in entries]
    return html_page.section("Data", tag("div", cards, class_="cards"))


def _data_card(
    run: run_record.Run, entry: Mapping[str, Any]
) -> html_page.Markup:
    share = entry["examples_per_thousand"] / 1000
    seen = share * run.step * run.settings["train_batch_size"]
    facts = [
        ("examples", f"{entry['num_examples']:,}"),
        ("share of the examples seen", number_text.percent(share)),
        ("passes so far", f"{seen / entry['num_examples']:.2f}"),
    ]
    info = sample_corruptions.read_info(entry["data_dir"])
    if info is not None and info.fingerprint == entry["fingerprint"]:
        facts += _info_facts(info)
        lengths = info.length_counts
    else:
        facts.append(("description", "no longer at this path"))
        lengths = None
    facts.append(("fingerprint", entry["fingerprint"]))
    return tag(
        "div",
        tag("code", entry["data_dir"]),
        html_page.facts(facts),
        _histogram(lengths) if lengths else None,
        class_="card",
    )


def _info_facts(info: dataset_info.DatasetInfo) -> list[tuple]:
    counts = info.counts or {}
    facts = [
        (name, f"{counts[name]:,}")
        for name in ("documents", "tokens")
        if name in counts
    ]
    if counts.get("tokens") and "unknown_tokens" in counts:
        share = counts["unknown_tokens"] / counts["tokens"]
        text = number_text.percent(share, digits=3)
        facts.append(("[UNK] among them", text))
    facts.append(("tokens an example, at most", info.max_seq_length))
    if info.source:
        facts.append(("sources", ", ".join(map(str, info.source))))
    return facts


def _histogram(counts: Mapping[str, int]) -> html_page.Markup:
    total = sum(counts.values()) or 1
    most = max(counts.values()) or 1
    rows = [
        [
            tag("span", f"{length} tokens"),
            tag("i", style=f"width:{100 * count / most:.1f}%"),
            tag("span", number_text.percent(count / total)),
        ]
        for length, count in counts.items()
    ]
    return tag("div", rows, class_="bars")


def compute(run: run_record.Run) -> html_page.Markup:
    """Parameters and FLOPs, and how fast they were done."""
    run_config = run.pretrain_config
    counts = dry_run.count_parameters(run_config)
    total = sum(counts.values())
    rows = [[tag("code", scope), f"{n:,}"] for scope, n in counts.items()]
    rows.append([tag("strong", "together"), tag("strong", f"{total:,}")])
    step_flops = throughput.step_flops(run_config)
    whole = step_flops * run_config.num_train_steps
    facts = [
        ("an example", _flops(flops.training_example(run_config))),
        ("a step", _flops(step_flops)),
        ("steps so far", _flops(step_flops * run.step)),
        ("whole run", _flops(whole)),
        (
            "whole run, as the original counts",
            _flops(flops.original_training(run_config)),
        ),
    ]
    name, changed = nearest_preset(run)
    published = presets.PRESETS[name].train_flops
    if published and set(changed) <= config.PretrainConfig.MAY_CHANGE:
        facts.append(("published for the preset", _flops(published)))
    rate = run.examples_per_second
    if rate:
        facts += _speed_facts(run_config, rate)
    return html_page.section(
        "Size and compute",
        tag(
            "div",
            html_page.table(["parameters of", "number"], rows, numeric=[1]),
            html_page.facts(facts),
            class_="cards",
        ),
        tag(
            "p",
            "Products only, forward and backward (three times forward); "
            "nothing for looking embeddings up. Rates are medians of the log.",
            class_="note",
        ),
    )


def _speed_facts(run_config: config.PretrainConfig, rate: float) -> list[tuple]:
    achieved = throughput.model_flops_per_second(run_config, rate)
    tokens = throughput.tokens_per_second(run_config, rate)
    facts = [
        ("achieved", number_text.scaled(achieved, "FLOP/s")),
        ("tokens a second", number_text.exact(tokens)),
    ]
    share = throughput.peak_flops_share(run_config, rate)
    if share is not None:
        peak = number_text.scaled(run_config.peak_flops, "FLOP/s")
        facts.append((f"of a peak of {peak}", number_text.percent(share)))
    return facts


def origin(run: run_record.Run) -> html_page.Markup:
    """Command, versions and hardware."""
    contents = run.contents
    facts = [("folder", run.path)]
    if "hardware" in contents:
        facts.append(("hardware", contents["hardware"]))
    facts += [
        (name, version)
        for name, version in contents.get("versions", {}).items()
    ]
    if "command" in contents:
        command = shlex.join(map(str, contents["command"]))
        facts.append(("command", tag("code", command)))
    return html_page.section("Where it comes from", html_page.facts(facts))


def _flops(count: float) -> str:
    return f"{count:.3e} FLOPs"


def _value(value: Any) -> str:
    """A setting as text: `0.15`, `""`, `none`."""
    if value is None:
        return "none"
    if value == "":
        return '""'
    return str(value)
