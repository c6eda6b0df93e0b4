r"""Turns text into a data folder that `electra_tf.run_pretraining` reads.

    python -m data_prep.build_pretraining_data --corpus=TEXT \
        --vocab_file=vocab.txt --output_dir=DATA --eval_fraction=0.01

By default a text has a sentence or paragraph a line and a blank line between
documents. The examples are those of the original's
`build_pretraining_dataset.py`, except that no token of a long line is lost.
The records depend on the text, the vocabulary, and the flags that are fields
of `build_config.BuildConfig`; not on the number of processes. The same command
again continues a build that was stopped.
"""

import dataclasses
import shlex

from absl import flags

from data_prep import build_config
from data_prep import workers
from electra_tf import config_flags
from electra_tf import program

_CORPUS = flags.DEFINE_multi_string(
    "corpus",
    None,
    "Text: a file, a folder, a pattern, 'tfds:NAME', or 'embedded'; may be "
    "repeated. Files may be plain (.txt or any other name), .jsonl, or "
    "archives (.tar, OpenWebText's .xz), and compressed (.gz, .bz2, .xz, "
    ".zst).",
    required=True,
)
_CORPUS_WEIGHTS = flags.DEFINE_list(
    "corpus_weights",
    None,
    "How often the text of each --corpus is used, in their order: 2.5 means "
    "twice, and half of the documents a third time; 0.1 a tenth of them.",
)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary, one word piece a line.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Data folder to write.", required=True
)
_OVERWRITE = flags.DEFINE_boolean(
    "overwrite", False, "Replace the data set in a folder that is not empty."
)
_BLANKS_SEPARATE_DOCS = flags.DEFINE_boolean(
    "blanks_separate_docs",
    None,
    "As in the original: true is --documents=blank_lines, false is "
    "--documents=file.",
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes",
    workers.num_processors(),
    "Processes that work; the processors of this machine, by default.",
    lower_bound=1,
)
_RUNNER = flags.DEFINE_enum(
    "runner",
    "local",
    ["local", "beam"],
    "What does the work: this machine, or Apache Beam (pip install "
    "'electra_tf[beam]').",
)
_BEAM_OPTIONS = flags.DEFINE_string(
    "beam_options",
    "",
    "Flags of Beam's own pipeline, such as '--runner=DataflowRunner "
    "--project=P --region=R'; all paths must then be where its workers can "
    "reach them.",
)
config_flags.define(build_config.BuildConfig, has_presets=False)
flags.adopt_module_key_flags(config_flags)  # Lists them in --help.


def _config() -> build_config.BuildConfig:
    config = config_flags.override(build_config.BuildConfig())
    if _BLANKS_SEPARATE_DOCS.value is None:
        return config
    if config_flags.given("documents"):
        raise flags.Error("Give --documents or --blanks_separate_docs.")
    documents = "blank_lines" if _BLANKS_SEPARATE_DOCS.value else "file"
    return dataclasses.replace(config, documents=documents)


def _weights() -> list[float] | None:
    if _CORPUS_WEIGHTS.value is None:
        return None
    try:
        return list(map(float, _CORPUS_WEIGHTS.value))
    except ValueError as error:
        raise flags.Error(f"--corpus_weights: {error}.") from error


def main():
    config, weights = _config(), _weights()
    for flag, runner in ((_BEAM_OPTIONS, "beam"), (_NUM_PROCESSES, "local")):
        if flag.present and _RUNNER.value != runner:
            raise flags.Error(f"--{flag.name} needs --runner={runner}.")
    if _RUNNER.value == "local" and _NUM_PROCESSES.value > 1:
        # While TensorFlow is imported here, other processes import it, too.
        workers.prepare(["data_prep.dataset_building"])
    from data_prep import dataset_building

    summary = dataset_building.build(
        _CORPUS.value,
        vocab_file=_VOCAB_FILE.value,
        output_dir=_OUTPUT_DIR.value,
        config=config,
        weights=weights,
        overwrite=_OVERWRITE.value,
        num_processes=_NUM_PROCESSES.value,
        beam_options=shlex.split(_BEAM_OPTIONS.value)
        if _RUNNER.value == "beam"
        else None,
    )
    print(summary)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
