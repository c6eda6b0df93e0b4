r"""Converts weights between our format, the original's and Hugging Face's.

    python -m electra_tf.convert_checkpoint --input=PATH --output=DIR \
        --format=huggingface

PATH may be of any of them. The output is loaded back and compared with the
input before it gets its name. "Untold": no file beside the weights says it.
"""

import typing

from absl import flags

from electra_tf import conversion
from electra_tf import program
from electra_tf import sources

_INPUT = flags.DEFINE_string(
    "input",
    None,
    "Model folder, checkpoint of the original or of BERT, or folder of one "
    "Hugging Face model or two (discriminator/, generator/).",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "New folder that is written.", required=True
)
_FORMAT = flags.DEFINE_enum(
    "format",
    None,
    typing.get_args(sources.Format),
    "electra_tf: a model folder to start from; original: a TensorFlow 1 "
    "checkpoint; huggingface: a folder for each network, for transformers.",
    required=True,
)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary, if it is not beside the input."
)
_LOWER_CASE = flags.DEFINE_boolean(
    "lower_case", None, "Whether text is lower-cased; yes, if untold."
)
_STRIP_ACCENTS = flags.DEFINE_boolean(
    "strip_accents", None, "Whether accents are removed; yes, if untold."
)
_NUM_ATTENTION_HEADS = flags.DEFINE_integer(
    "num_attention_heads",
    None,
    "Of the main encoder; a 64th of its width, if untold.",
    lower_bound=1,
)
_MAX_POSITION_EMBEDDINGS = flags.DEFINE_integer(
    "max_position_embeddings",
    None,
    "Extends position tables to this length by repeating them.",
    lower_bound=1,
)


def main():
    converted = conversion.convert(
        _INPUT.value,
        output=_OUTPUT.value,
        output_format=_FORMAT.value,
        untold=sources.Untold(
            vocab_file=_VOCAB_FILE.value,
            lower_case=_LOWER_CASE.value,
            strip_accents=_STRIP_ACCENTS.value,
            num_attention_heads=_NUM_ATTENTION_HEADS.value,
        ),
        max_position_embeddings=_MAX_POSITION_EMBEDDINGS.value,
    )
    print(conversion.summary(converted))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
