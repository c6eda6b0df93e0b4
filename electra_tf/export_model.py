"""Exports the discriminator of a pre-trained model as a SavedModel.

    python -m electra_tf.export_model --model_dir=MODEL --output_dir=SERVED

Signatures: `discriminate` (the default) and `encode` take texts,
`discriminate_ids` and `encode_ids` take the ids of word pieces.
"""

from absl import flags

from electra_tf import export
from electra_tf import pretrained_export
from electra_tf import program

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a pre-training run.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder that gets the SavedModel as a numbered version, such as 1/.",
    required=True,
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint",
    None,
    "Prefix of the checkpoint to export; the newest one by default.",
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer(
    "max_seq_length",
    None,
    "Texts are cut after so many tokens, [CLS] and [SEP] included; the "
    "length of the training data by default.",
    lower_bound=5,
)
_VERSION = flags.DEFINE_integer(
    "version",
    None,
    "Number of the version; one more than the newest by default.",
    lower_bound=0,
)


def main():
    exported = pretrained_export.export_pretrained(
        _MODEL_DIR.value,
        output_dir=_OUTPUT_DIR.value,
        checkpoint=_CHECKPOINT.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        version=_VERSION.value,
    )
    print(export.summary(exported))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
