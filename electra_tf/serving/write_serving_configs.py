r"""Writes the files with which TensorFlow Serving serves exported models.

    python -m electra_tf.serving.write_serving_configs \
        --model_base_path=served/sst --model_base_path=served/squad \
        --output_dir=deploy
    cd deploy; docker compose up --detach --wait

models.config, batching_parameters.txt, monitoring.config and
docker-compose.yml; each explains itself.
"""

from absl import flags

from electra_tf import program
from electra_tf.serving import serving_configs

_MODEL_BASE_PATHS = flags.DEFINE_multi_string(
    "model_base_path",
    None,
    "Folder with the numbered versions of a model, which has the folder's "
    "name; may be given several times.",
    required=True,
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the files.", required=True
)
_MAX_BATCH_SIZE = flags.DEFINE_integer(
    "max_batch_size", 32, "Rows in a batch, of all requests in it."
)
_ALLOWED_BATCH_SIZES = flags.DEFINE_list(
    "allowed_batch_sizes",
    [],
    "Sizes that batches are filled up to, such as 1,8,32; any by default.",
)
_BATCH_TIMEOUT_MICROS = flags.DEFINE_integer(
    "batch_timeout_micros", 0, "How long a request may wait for others."
)
_NUM_BATCH_THREADS = flags.DEFINE_integer(
    "num_batch_threads",
    4,
    "Batches that are computed at once; the number of cores of the server.",
)
_MAX_ENQUEUED_BATCHES = flags.DEFINE_integer(
    "max_enqueued_batches", 100, "Batches that may wait."
)
_IMAGE = flags.DEFINE_string(
    "image", serving_configs.IMAGE, "Image of the container."
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace files that are there."
)


def main():
    config = serving_configs.ServingConfig(
        base_paths=tuple(_MODEL_BASE_PATHS.value),
        max_batch_size=_MAX_BATCH_SIZE.value,
        allowed_batch_sizes=_sizes(_ALLOWED_BATCH_SIZES.value),
        batch_timeout_micros=_BATCH_TIMEOUT_MICROS.value,
        num_batch_threads=_NUM_BATCH_THREADS.value,
        max_enqueued_batches=_MAX_ENQUEUED_BATCHES.value,
        image=_IMAGE.value,
    )
    for path in serving_configs.write_all(
        _OUTPUT_DIR.value, config, overwrite=_OVERWRITE.value
    ):
        print(path)


def _sizes(words: list[str]) -> tuple[int, ...]:
    if not all(word.strip().isdecimal() for word in words):
        raise ValueError(
            "--allowed_batch_sizes must be numbers with commas between, such "
            f"as 1,8,32, got {','.join(words)!r}."
        )
    return tuple(int(word) for word in words)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
