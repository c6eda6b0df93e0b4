"""Pages that show a run, or compare several: one HTML file each."""

from collections.abc import Sequence
import datetime
import os

from absl import logging
import tensorflow as tf

from electra_tf import html_page
from electra_tf import metric_sections
from electra_tf import number_text
from electra_tf import page_style
from electra_tf import run_record
from electra_tf import run_sections
from electra_tf import sample_corruptions
from electra_tf import sample_section
from electra_tf import task_sections

PAGE = "report.html"

tag = html_page.tag


def write(model_dir: str, *, output: str | None = None) -> str:
    """Writes the page of one run; returns where.

    Whatever the folder lacks is left out.

    Args:
        model_dir: of pre-training or fine-tuning; the run may go on.
        output: the file; `report.html` in the folder by default.

    Raises:
        ValueError: no model folder.
    """
    path = output or os.path.join(model_dir, PAGE)
    _write(path, page(run_record.load(model_dir)))
    return path


def write_comparison(
    model_dirs: Sequence[str], *, output: str | None = None
) -> str:
    """Writes a page that compares runs; returns where.

    Args:
        model_dirs: of the runs; 2 to 8 of them.
        output: the file; `report.html` in the current folder by default.

    Raises:
        ValueError: no model folder, or too many to tell their colours apart.
    """
    if not 2 <= len(model_dirs) <= page_style.NUM_COLORS:
        raise ValueError(
            f"2 to {page_style.NUM_COLORS} runs can be compared, got "
            f"{len(model_dirs)}."
        )
    path = output or PAGE
    _write(path, comparison([run_record.load(each) for each in model_dirs]))
    return path


def write_at_the_end(model_dir: str):
    """Writes the page of a run that has just ended.

    That there is no space left, say, is no reason for it to fail: it is only
    logged.
    """
    try:
        logging.info("Report: %s", write(model_dir))
    except tf.errors.OpError as error:
        logging.warning("No report: %s", error.message)


def page(run: run_record.Run) -> str:
    """The page of one run."""
    if run.kind == "pretraining":
        parts = _pretraining(run)
    elif run.kind == "finetuning":
        parts = _finetuning(run)
    else:
        raise ValueError(
            f"{run.path!r} holds a model of kind {run.kind!r}, which was not "
            "trained here: there is nothing to report."
        )
    return html_page.document(
        run.name,
        *parts,
        run_sections.configuration(run),
        run_sections.origin(run),
        _footer(),
    )


def comparison(runs: Sequence[run_record.Run]) -> str:
    """The page of several runs, in this order."""
    names = _distinct_names(runs)
    return html_page.document(
        "Comparison: " + ", ".join(names),
        tag("h1", f"{len(runs)} runs compared"),
        html_page.table(
            ["run", "state", "time of steps", "folder"],
            [
                [
                    [metric_sections.swatch(number), " ", name],
                    _state(run),
                    _time(run),
                    tag("code", run.path),
                ]
                for number, (run, name) in enumerate(zip(runs, names))
            ],
        ),
        html_page.section(
            "Configuration differences", run_sections.differences(runs, names)
        ),
        task_sections.comparison(runs, names),
        _final_metrics(runs, names),
        _curves(runs, names),
        _footer(),
    )


def _pretraining(run: run_record.Run) -> list[html_page.Child]:
    samples = sample_corruptions.collect(run)
    preset, changed = run_sections.nearest_preset(run)
    changes = f" with {len(changed)} changes" if changed else ""
    if len(changed) == 1:
        changes = f" but for {changed[0]}"
    settings = run.settings
    return [
        _header(
            run,
            f"Pre-training, objective {settings['objective']}; preset "
            f"{preset}{changes}; batches of {settings['train_batch_size']} "
            f"examples of {settings['max_seq_length']} tokens",
        ),
        metric_sections.tiles(run),
        metric_sections.expectations(run),
        _curves([run], [run.name]),
        sample_section.section(samples) if samples else None,
        run_sections.data(run),
        run_sections.compute(run),
    ]


def _finetuning(run: run_record.Run) -> list[html_page.Child]:
    tasks = [task["name"] for task in run.contents.get("tasks", ())]
    task = ", ".join(tasks) or "a task"
    trials = [trial for trial in run.trials if trial.entries]
    trials = trials[: page_style.NUM_COLORS]
    curves = None
    if run.entries:
        curves = _curves([run], [run.name])
    elif trials:
        curves = _curves(trials, [trial.name for trial in trials])
    source = run.settings.get("init_checkpoint")
    return [
        _header(run, f"Fine-tuning on {task}, from {source}"),
        task_sections.tiles(run),
        task_sections.results(run),
        curves,
    ]


def _final_metrics(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> html_page.Markup | None:
    if not any(run.entries for run in runs):
        return None
    return html_page.section(
        "Metrics at the end",
        metric_sections.final_table(runs, names),
        tag(
            "p",
            "The best value of a row is bold. Losses compare runs only "
            "where vocabulary, masking and data are the same.",
            class_="note",
        ),
    )


def _curves(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> html_page.Markup | None:
    charts = metric_sections.charts(runs, names)
    if not charts:
        return None
    return html_page.section(
        "Curves", metric_sections.legend(runs, names), charts
    )


def _header(run: run_record.Run, about: str) -> html_page.Markup:
    return tag(
        "header",
        tag("h1", run.name),
        tag("p", about + ". ", _state(run)),
    )


def _state(run: run_record.Run) -> html_page.Markup:
    """How far a run is."""
    total = run.settings.get("num_train_steps")
    if run.kind == "finetuning":
        is_done = run.results is not None
        text = "finished" if is_done else f"step {run.step:,}, not finished"
    elif total and run.step < total:
        is_done, text = False, f"at step {run.step:,} of {total:,}"
    else:
        is_done, text = True, f"finished: {run.step:,} steps"
    return tag("span", text, class_="state" + " good" * is_done)


def _time(run: run_record.Run) -> str:
    seconds = run.training_seconds
    return "–" if seconds is None else number_text.duration(seconds)


def _distinct_names(runs: Sequence[run_record.Run]) -> list[str]:
    """Names of the folders, with those above them as far as needed."""
    parts = [os.path.abspath(run.path).split(os.sep) for run in runs]
    for depth in range(1, max(map(len, parts)) + 1):
        names = [os.sep.join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    raise ValueError("A run is to be compared with itself: name others.")


def _footer() -> html_page.Markup:
    now = datetime.datetime.now(datetime.UTC)
    return tag(
        "footer",
        f"Written {now:%Y-%m-%d %H:%M} UTC by ",
        tag("code", "python -m electra_tf.report"),
        "; nothing is loaded from elsewhere.",
    )


def _write(path: str, text: str):
    """Writes a file whole or not at all."""
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        file.write(text)
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
