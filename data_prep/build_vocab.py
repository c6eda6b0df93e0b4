"""Learns a WordPiece vocabulary from text.

python -m data_prep.build_vocab --corpus=wiki/ --output=vocab.txt
"""

import time

from absl import flags
from absl import logging
import tensorflow as tf

from data_prep import vocab_learning
from electra_tf import program
from electra_tf import tokenization

_CORPUS = flags.DEFINE_multi_string(
    "corpus",
    None,
    "Text file, folder, pattern, or 'embedded'; may be given several times.",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "File to write, one piece a line.", required=True
)
_VOCAB_SIZE = flags.DEFINE_integer(
    "vocab_size", 30522, "Entries, with the five special tokens."
)
_LOWER_CASE = flags.DEFINE_bool("lower_case", True, "Lower-case the text.")
_STRIP_ACCENTS = flags.DEFINE_bool(
    "strip_accents", True, "Remove accents; only with --lower_case."
)
_MAX_LINES = flags.DEFINE_integer(
    "max_lines",
    None,
    "Learn from that many lines, drawn at random; from all if not given.",
    lower_bound=1,
)
_MIN_FREQUENCY = flags.DEFINE_integer(
    "min_frequency",
    2,
    "Leave out words that occur less often; learning takes time for each.",
    lower_bound=1,
)
_SEED = flags.DEFINE_integer("seed", 0, "Decides which lines are drawn.")
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the output if it exists."
)


def main():
    start = time.time()
    lines = vocab_learning.read_lines(
        _CORPUS.value, max_lines=_MAX_LINES.value, seed=_SEED.value
    )
    temporary = vocab_learning.check_output(
        _OUTPUT.value, overwrite=_OVERWRITE.value
    )
    tokenizer = vocab_learning.build_vocab(
        lines,
        vocab_size=_VOCAB_SIZE.value,
        min_frequency=_MIN_FREQUENCY.value,
        settings={
            "lower_case": _LOWER_CASE.value,
            "strip_accents": _STRIP_ACCENTS.value,
        },
    )
    if tokenizer.vocab_size < _VOCAB_SIZE.value:
        logging.warning(
            "The text has only %d pieces, not %d: use more text or a lower "
            "--min_frequency if the size matters.",
            tokenizer.vocab_size,
            _VOCAB_SIZE.value,
        )
    with tf.io.gfile.GFile(temporary, "w") as file:
        file.write("".join(f"{token}\n" for token in tokenizer.vocab))
    tokenization.Tokenizer.from_vocab_file(temporary)  # Or it is not kept.
    tf.io.gfile.rename(temporary, _OUTPUT.value, overwrite=True)
    print(
        f"Wrote {tokenizer.vocab_size} entries to {_OUTPUT.value} "
        f"in {time.time() - start:.0f} s."
    )


def run():
    program.run(main)


if __name__ == "__main__":
    run()
