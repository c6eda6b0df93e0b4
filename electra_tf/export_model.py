"""Exports a pre-trained model as a SavedModel that answers texts.

    python -m electra_tf.export_model --model_dir=MODEL --output_dir=SERVED

The model gets the signatures that its networks can answer: `discriminate`,
`encode`, `fill_mask` and `score` take texts; with `_ids` behind the name they
take the ids of word pieces. The default is the first that there is of
`discriminate`, `fill_mask`, `score` (as of Electric) and `encode`.
"""

from absl import flags

from electra_tf import export
from electra_tf import export_flags
from electra_tf import pretrained_export
from electra_tf import program

flags.adopt_module_key_flags(export_flags)  # Lists them in --help.

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Folder of a pre-training run, or of weights that convert_checkpoint "
    "wrote.",
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
_FILL_MASK_TOP_K = flags.DEFINE_integer(
    "fill_mask_top_k",
    10,
    "How many word pieces `fill_mask` names for each [MASK].",
    lower_bound=1,
)


def main():
    exported = pretrained_export.export_pretrained(
        _MODEL_DIR.value,
        checkpoint=_CHECKPOINT.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        fill_mask_top_k=_FILL_MASK_TOP_K.value,
        **export_flags.arguments(),
    )
    print(export.summary(exported))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
