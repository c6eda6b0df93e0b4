"""Exports the discriminator of a pre-trained model as a SavedModel.

    python -m electra_tf.export_model --model_dir=MODEL --output_dir=SERVED

Signatures: `discriminate` (the default) and `encode` take texts,
`discriminate_ids` and `encode_ids` take the ids of word pieces.
"""

import os

from absl import flags
from absl import logging

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder
from electra_tf import export
from electra_tf import model_folder
from electra_tf import pretraining
from electra_tf import program
from electra_tf import signatures
from electra_tf import tokenization

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
    lower_bound=3,
)
_VERSION = flags.DEFINE_integer(
    "version",
    None,
    "Number of the version; one more than the newest by default.",
    lower_bound=0,
)


def export_pretrained(
    model_dir: str,
    *,
    output_dir: str,
    checkpoint: str | None = None,
    max_seq_length: int | None = None,
    version: int | None = None,
) -> export.Exported:
    """Exports the discriminator of a pre-training run.

    Args:
        model_dir: folder of the run.
        output_dir: folder that gets the numbered version.
        checkpoint: as for `checkpoints.find`; the run's newest if None.
        max_seq_length: most tokens of a text; as in training if None.
        version: the next one if None.
    """
    contents = model_folder.read(model_dir)
    if contents["kind"] != "pretraining":
        raise ValueError(
            f"{model_dir!r} holds a {contents['kind']} run; this program "
            "exports pre-trained models. Use python -m finetune.export_task."
        )
    run_config = config.from_dict(config.PretrainConfig, contents["config"])
    max_seq_length = max_seq_length or run_config.max_seq_length
    if max_seq_length > run_config.max_position_embeddings:
        raise ValueError(
            f"max_seq_length {max_seq_length} is longer than the "
            f"{run_config.max_position_embeddings} positions of the model."
        )
    if max_seq_length > run_config.max_seq_length:
        logging.warning(
            "The model was trained on no more than %d of the %d tokens.",
            run_config.max_seq_length,
            max_seq_length,
        )
    checkpoint = checkpoints.find(checkpoint or model_dir)
    discriminator, head = _load_discriminator(run_config, checkpoint)
    tokenizer = tokenization.Tokenizer.load(model_dir)
    functions = signatures.PretrainedFunctions(
        encoder=discriminator,
        head=head,
        tokenizer=tokenizer,
        vocab_file=os.path.join(model_dir, tokenization.VOCAB_FILE),
        max_seq_length=max_seq_length,
    )
    variables = discriminator.variables + head.variables
    return export.save(
        functions.signatures(),
        resources={
            "weights": checkpoints.by_name(variables),
            "vocab_table": functions.vocab_table,
        },
        info={
            "kind": contents["kind"],
            "checkpoint": checkpoint,
            "config": contents["config"],
            "max_seq_length": max_seq_length,
            "tokenizer": tokenizer.settings(),
            "vocab_sha256": tokenizer.vocab_sha256,
        },
        output_dir=output_dir,
        version=version,
    )


def _load_discriminator(run_config: config.PretrainConfig, checkpoint: str):
    discriminator = encoder.Encoder(run_config.discriminator)
    head = pretraining.ReplacedTokenHead(run_config.discriminator)
    encoder.build_in_scope(head, [None, None, run_config.hidden_size])
    restored = checkpoints.restore(
        discriminator.variables + head.variables,
        checkpoints.read_variables(checkpoint),
        may_be_unused=("generator/", "generator_predictions/"),
    )
    checkpoints.log_restored(restored, checkpoint)
    return discriminator, head


def main():
    exported = export_pretrained(
        _MODEL_DIR.value,
        output_dir=_OUTPUT_DIR.value,
        checkpoint=_CHECKPOINT.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        version=_VERSION.value,
    )
    sample = {"text": "The chef ate the meal."}
    print(export.summary(exported, sample=sample))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
