"""Shows a data set before days are spent on it: counts, lengths, examples.

    python -m data_prep.inspect_data --data_dir=DATA [--model_dir=MODEL]

A preset shows its masks; a model, also its replacements and its verdicts.
"""

import typing

from absl import flags

from data_prep import console as console_lib
from data_prep import corruptions
from data_prep import data_folder
from data_prep import data_report
from data_prep import example_report
from data_prep import inspection
from electra_tf import presets
from electra_tf import program

_DATA_DIR = flags.DEFINE_string("data_dir", None, "Data folder.", required=True)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary, if it is not in that folder."
)
_PRESET = flags.DEFINE_enum(
    "preset", None, list(presets.PRESETS), "Draw masks as it does."
)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Pre-trained model: folder or checkpoint of any format."
)
_SAMPLE_SIZE = flags.DEFINE_integer(
    "sample_size", 20_000, "Examples that are counted; 0: all.", lower_bound=0
)
_NUM_PIECES = flags.DEFINE_integer(
    "num_pieces", 20, "Most frequent pieces to list.", lower_bound=0
)
_NUM_EXAMPLES = flags.DEFINE_integer(
    "num_examples", 5, "Examples to show.", lower_bound=0
)
_SEED = flags.DEFINE_integer(
    "seed", 0, "Of examples, masks and samples.", lower_bound=0
)
_THRESHOLD = flags.DEFINE_float(
    "threshold", 0.5, "Above it, a token is said to be replaced.", 0.0, 0.99
)
_COLOR = flags.DEFINE_enum(
    "color",
    "auto",
    typing.get_args(console_lib.Choice),
    "auto: colours on a terminal, unless NO_COLOR is set.",
)
_JSON = flags.DEFINE_string("json", None, "File to write the counts to, too.")


def main():
    folder, corrupter = corruptions.prepare(
        data_folder.load(_DATA_DIR.value, _VOCAB_FILE.value),
        model_path=_MODEL_DIR.value,
        preset=_PRESET.value,
        seed=_SEED.value,
    )
    console = console_lib.create(_COLOR.value)
    print(data_report.description(folder, console), flush=True)
    counted = inspection.count(folder, _SAMPLE_SIZE.value)
    print(data_report.statistics(counted, _NUM_PIECES.value, console))
    if _JSON.value:
        data_report.write_json(counted, _NUM_PIECES.value, _JSON.value)
    numbers = folder.choose(_NUM_EXAMPLES.value, _SEED.value)
    for section in example_report.ExampleReport(
        folder, console, corrupter=corrupter, threshold=_THRESHOLD.value
    ).sections(numbers):
        print(section, flush=True)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
