r"""Answers large files of records with a SavedModel, without a server.

    python -m electra_tf.serving.batch_predict --saved_model=served/sst \
        --input='reviews-*.jsonl' --output_dir=answers --num_shards=20

Records are lines of JSON whose keys are the inputs of the signature, such as
{"text": ...}; lines of plain text, for a signature of one text; or TFRecords
of tf.train.Example with features of these names. The shards of the output
have one JSON object for each record, in the records' order, without padding.
A stopped run goes on, by the same command, with the first shard that is not
complete.
"""

import time

from absl import flags

from electra_tf import program
from electra_tf.serving import served_signatures

_FORMATS = ("jsonl", "text", "tfrecord")
_STRATEGIES = ("one_device", "mirrored")

_SAVED_MODEL = flags.DEFINE_string(
    "saved_model",
    None,
    "Folder of a SavedModel, or of its numbered versions, of which the newest "
    "is taken.",
    required=True,
)
_INPUT = flags.DEFINE_multi_string(
    "input",
    None,
    "Pattern of the input files' names; may be given several times.",
    required=True,
)
_FORMAT = flags.DEFINE_enum(
    "format",
    None,
    _FORMATS,
    "Of the input; by default text for names that end in .txt, tfrecord for "
    "names with .tfrecord, otherwise jsonl.",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the shards of the output.", required=True
)
_NUM_SHARDS = flags.DEFINE_integer(
    "num_shards", 10, "Files of output; each is made at once.", lower_bound=1
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    32,
    "Records that the model reads at once, on all devices together.",
    lower_bound=1,
)
_SIGNATURE = flags.DEFINE_string(
    "signature", served_signatures.DEFAULT, "Function of the model to call."
)
_SKIP_MALFORMED = flags.DEFINE_bool(
    "skip_malformed",
    False,
    "Leave out malformed records, count them, and say in malformed-*.jsonl "
    "what is wrong with each; otherwise the first one is an error.",
)
_STRATEGY = flags.DEFINE_enum(
    "distribution_strategy",
    "one_device",
    _STRATEGIES,
    "one_device: the first GPU, or the CPU; mirrored: every GPU of this "
    "machine, or --num_gpus of them, each with a part of every batch.",
)
_NUM_GPUS = flags.DEFINE_integer(
    "num_gpus",
    None,
    "How many GPUs 'mirrored' takes; all, if not given.",
    lower_bound=1,
)


def main():
    # Here, so that --help does not wait for TensorFlow.
    from electra_tf import distribution
    from electra_tf.serving import batch_job
    from electra_tf.serving import batch_prediction

    started = time.monotonic()
    strategy = distribution.create(_STRATEGY.value, num_gpus=_NUM_GPUS.value)
    job = batch_job.plan(
        _INPUT.value,
        saved_model=_SAVED_MODEL.value,
        signature=_SIGNATURE.value,
        record_format=_FORMAT.value,
        num_shards=_NUM_SHARDS.value,
        skip_malformed=_SKIP_MALFORMED.value,
    )
    result = batch_prediction.run(
        job,
        _OUTPUT_DIR.value,
        batch_size=_BATCH_SIZE.value,
        strategy=strategy,
    )
    print(
        f"{len(result.paths)} shards in {_OUTPUT_DIR.value}, "
        f"{result.num_made} of them made now in "
        f"{time.monotonic() - started:.1f} s, from {job.num_records} lines or "
        f"records; {result.num_malformed} malformed ones are left out."
    )


def run():
    program.run(main)


if __name__ == "__main__":
    run()
