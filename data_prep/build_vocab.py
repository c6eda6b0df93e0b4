"""Learns a WordPiece vocabulary from text, or checks an existing one.

    python -m data_prep.build_vocab --corpus=wiki/ --output=vocab.txt
    python -m data_prep.build_vocab --corpus=wiki/ --from_vocab=vocab.txt

The second command writes nothing. It refuses a file that is no vocabulary, and
says how it fits the text: how many words are unknown to it, for example.
"""

import time

from absl import flags
from absl import logging

from data_prep import documents
from electra_tf import config_flags
from electra_tf import program

_CORPUS = flags.DEFINE_multi_string(
    "corpus",
    None,
    "Text, as build_pretraining_data reads it; may be repeated.",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "File to write, one piece a line."
)
_FROM_VOCAB = flags.DEFINE_string(
    "from_vocab", None, "Vocabulary to check, instead of learning one."
)
_VOCAB_SIZE = flags.DEFINE_integer(
    "vocab_size",
    30522,
    "Entries, with the five special tokens.",
    lower_bound=1,
)
_LOWER_CASE = flags.DEFINE_bool("lower_case", True, "Lower-case the text.")
_STRIP_ACCENTS = flags.DEFINE_bool(
    "strip_accents", True, "Remove accents; only with --lower_case."
)
_SAMPLE_MEGABYTES = flags.DEFINE_float(
    "sample_megabytes",
    500.0,
    "About how much text is read: parts of a larger corpus, drawn at random.",
    lower_bound=0.001,
)
_MIN_FREQUENCY = flags.DEFINE_integer(
    "min_frequency",
    2,
    "Leave out words that occur less often; learning takes time for each.",
    lower_bound=1,
)
_SEED = flags.DEFINE_integer("seed", 0, "Decides which parts are drawn.")
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the output if it exists."
)
config_flags.define(documents.CorpusOptions, has_presets=False)
flags.adopt_module_key_flags(config_flags)  # Lists them in --help.


def _sample():
    from data_prep import corpus_sampling

    return corpus_sampling.sample_lines(
        _CORPUS.value,
        options=config_flags.override(documents.CorpusOptions()),
        max_bytes=int(1e6 * _SAMPLE_MEGABYTES.value),
        seed=_SEED.value,
    )


def _learn(settings: dict[str, bool]):
    from data_prep import vocab_learning

    start = time.monotonic()
    lines = _sample()
    with vocab_learning.output(
        _OUTPUT.value, overwrite=_OVERWRITE.value
    ) as temporary:
        tokenizer = vocab_learning.build_vocab(
            lines,
            vocab_size=_VOCAB_SIZE.value,
            min_frequency=_MIN_FREQUENCY.value,
            settings=settings,
        )
        vocab_learning.write(tokenizer, temporary)
    if tokenizer.vocab_size < _VOCAB_SIZE.value:
        logging.warning(
            "The text has only %d pieces, not %d: use more text or a lower "
            "--min_frequency if the size matters.",
            tokenizer.vocab_size,
            _VOCAB_SIZE.value,
        )
    print(
        f"Wrote {tokenizer.vocab_size} entries to {_OUTPUT.value} "
        f"in {time.monotonic() - start:.0f} s."
    )


def _check(settings: dict[str, bool]):
    from data_prep import vocab_check
    from data_prep import vocab_learning

    tokenizer = vocab_check.load(_FROM_VOCAB.value, settings)
    print("\n".join(vocab_check.describe(tokenizer)), flush=True)
    word_counts = vocab_learning.count_words(_sample(), tokenizer)
    print("\n".join(vocab_check.compare(tokenizer, word_counts)))


def main():
    if (_OUTPUT.value is None) == (_FROM_VOCAB.value is None):
        raise flags.Error("Give --output to learn, or --from_vocab to check.")
    for flag in (_VOCAB_SIZE, _MIN_FREQUENCY, _OVERWRITE):
        if flag.present and _FROM_VOCAB.value is not None:
            raise flags.Error(f"--{flag.name} is not for --from_vocab.")
    settings = {
        "lower_case": _LOWER_CASE.value,
        "strip_accents": _STRIP_ACCENTS.value,
    }
    if _FROM_VOCAB.value is None:
        _learn(settings)
    else:
        _check(settings)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
