"""A build of records as an Apache Beam pipeline, for more than one machine.

The work is that of `build_tasks`, on the direct runner, Dataflow, Spark or
Flink: the records are those of a local build, byte for byte. All paths must be
where every worker can reach them.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options import pipeline_options

from data_prep import build_plan
from data_prep import build_tasks
from data_prep import work_folder


def parse_options(
    options: Sequence[str],
) -> pipeline_options.PipelineOptions:
    """Beam's options of its flags, such as `--runner=FlinkRunner`.

    Raises:
        ValueError: Beam does not know one of them.
    """
    known = pipeline_options.PipelineOptions(list(options))
    unknown = set(known.get_all_options(retain_unknown_options=True)) - set(
        known.get_all_options()
    )
    if unknown:
        raise ValueError(f"Apache Beam has no option {sorted(unknown)}.")
    return known


def run(
    work: work_folder.WorkFolder,
    plan: build_plan.Plan,
    options: pipeline_options.PipelineOptions,
) -> None:
    """Does all work of a planned build; returns when it is done."""
    with beam.Pipeline(options=options) as pipeline:
        examples = (
            pipeline
            | "Tasks" >> beam.Create(range(len(plan.tasks)))
            | "SpreadTasks" >> beam.Reshuffle()
            | "MakeExamples" >> beam.FlatMap(_task_examples, path=work.path)
        )
        # Files without an example are written, too.
        empty = (
            pipeline
            | "Files" >> beam.Create(range(len(plan.files)))
            | "NoExamples" >> beam.Map(lambda file: (file, b""))
        )
        _ = (
            (examples, empty)
            | "AllExamples" >> beam.Flatten()
            | "ByFile" >> beam.GroupByKey()
            | "WriteFiles" >> beam.Map(_write_file, path=work.path)
        )


def _task_examples(number: int, path: str) -> Iterator[tuple[int, bytes]]:
    """The examples of a task, with the numbers of their files."""
    with build_tasks.clear_errors():
        for run_ in build_tasks.task_runs(build_tasks.load(path), number):
            for file, content in enumerate(run_):
                if content:
                    yield file, content


def _write_file(examples: tuple[int, Iterable[bytes]], path: str) -> None:
    file, contents = examples
    with build_tasks.clear_errors():
        build_tasks.write_records(build_tasks.load(path), file, contents)
