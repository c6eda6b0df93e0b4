"""Turns text into a data folder that `electra_tf.run_pretraining` reads.

    python -m data_prep.build_pretraining_data --corpus=TEXT \
        --vocab_file=vocab.txt --output_dir=DATA

The text has a sentence or paragraph a line and a blank line between
documents. The examples are those of the original's
`build_pretraining_dataset.py`, except that no token of a long line is lost.
Those of a document depend on the seed and the document's number only.
"""

from absl import flags

from data_prep import dataset_building
from electra_tf import config_flags
from electra_tf import program

_CORPUS = flags.DEFINE_multi_string(
    "corpus",
    None,
    "Text file, folder, pattern, or 'embedded'; may be repeated.",
    required=True,
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
config_flags.define(dataset_building.BuildConfig)
flags.adopt_module_key_flags(config_flags)  # Lists them in --help.


def main():
    summary = dataset_building.build(
        _CORPUS.value,
        vocab_file=_VOCAB_FILE.value,
        output_dir=_OUTPUT_DIR.value,
        build_config=config_flags.override(dataset_building.BuildConfig()),
        overwrite=_OVERWRITE.value,
    )
    print(summary)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
