r"""Measures a server under load, and checks every answer that it gives.

    python -m benchmarks.measure_serving --clients=8 --duration_s=60 \
        --protocol=both --swap_versions

By default a model with random weights is exported, and served by
`electra_tf.serving.local_server` in a process of its own; the clients are
threads in other processes. What the SavedModel answers in Python is computed
before. Halfway --swap_versions puts a second version there: then each answer
must be that of one of the two, and, once the server says that the second one
is there, that of the second. The exit code is 1 after any error or wrong
answer. For TensorFlow Serving name its model and its address:

    python -m benchmarks.measure_serving --server=HOST:8500 \
        --model_base_path=SERVED/electra
"""

from collections.abc import Sequence
import contextlib
import os
import sys
import tempfile

from absl import app
from absl import flags

from benchmarks import other_process
from benchmarks import own_server
from benchmarks import prose
from benchmarks import results_file
from benchmarks import serving_load
from benchmarks import serving_outcomes
from benchmarks import serving_trial
from electra_tf import program

_DURATION_S = flags.DEFINE_float(
    "duration_s",
    60.0,
    "For how long it is asked; swapping adds to it.",
    lower_bound=0.1,
)
_CLIENTS = flags.DEFINE_integer("clients", 8, "In all.", lower_bound=1)
_CLIENT_PROCESSES = flags.DEFINE_integer(
    "client_processes", 1, "That the clients are in.", lower_bound=1
)
_PROTOCOL = flags.DEFINE_enum(
    "protocol", "both", ["grpc", "rest", "both"], "Both: one after the other."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 1, "Examples of a request.", lower_bound=1
)
_SIGNATURE = flags.DEFINE_string(
    "signature", "serving_default", "The function; it has to take texts."
)
_PRESET = flags.DEFINE_string("preset", "small", "Of the random model.")
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Of the random model; else one of 30522 is made up."
)
_WARM_UP = flags.DEFINE_boolean(
    "warm_up", True, "Whether the server gets to warm the random model up."
)
_MODEL_BASE_PATH = flags.DEFINE_string(
    "model_base_path", None, "An exported model instead of a random one."
)
_SERVER = flags.DEFINE_string(
    "server", None, "HOST:PORT of one that serves the newest version there."
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name", None, "On --server; by default that of the folder."
)
_SWAP_VERSIONS = flags.DEFINE_boolean(
    "swap_versions", False, "Whether the model is replaced halfway."
)
_TEXT_FILE = flags.DEFINE_string(
    "text_file", None, "Sentences, one a line; else of installed packages."
)
_NUM_SENTENCES = flags.DEFINE_integer(
    "num_sentences", 256, "How many different ones.", lower_bound=1
)
_TOLERANCE = flags.DEFINE_float(
    "tolerance", 1e-4, "Largest difference of floating-point numbers."
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)


def main():
    _check_flags()
    sentences = prose.sentences(_NUM_SENTENCES.value, _TEXT_FILE.value)
    protocols = [_PROTOCOL.value]
    if _PROTOCOL.value == "both":
        protocols = ["grpc", "rest"]
    with tempfile.TemporaryDirectory() as directory:
        paths = _versions(directory)
        requests = other_process.call(
            "benchmarks.serving_answers:requests",
            paths,
            sentences,
            batch_size=_BATCH_SIZE.value,
            signature=_SIGNATURE.value,
            tolerance=_TOLERANCE.value,
        )
        figures = {}
        for protocol in protocols:
            place = os.path.join(directory, protocol)
            figures[protocol] = _measure(protocol, place, paths, requests)
    print(serving_outcomes.table(figures))
    results_file.append(_RESULTS.value, "serving", figures)
    if any(row["errors"] or row["wrong"] for row in figures.values()):
        sys.exit("There were errors or wrong answers.")


def _check_flags():
    if _SERVER.value and not _MODEL_BASE_PATH.value:
        raise app.UsageError(
            "--server needs --model_base_path, the folder of the model that "
            "it serves, to know what it has to answer."
        )
    if _SERVER.value and (_PROTOCOL.value == "both" or _SWAP_VERSIONS.value):
        raise app.UsageError(
            "--server has one port: choose --protocol=grpc or --protocol=rest; "
            "and its versions are not swapped: leave out --swap_versions."
        )
    if _BATCH_SIZE.value > _NUM_SENTENCES.value:
        raise app.UsageError("--batch_size is larger than --num_sentences.")


def _versions(directory: str) -> list[str]:
    """The folders of the one version, or the two, that are served."""
    sizes = [_BATCH_SIZE.value] if _WARM_UP.value else []
    count = 1 + _SWAP_VERSIONS.value
    base_path = _MODEL_BASE_PATH.value
    if base_path is None:
        print(f"Exporting {count} of {_PRESET.value}.", flush=True)
        base_path = other_process.call(
            "benchmarks.random_models:export_versions",
            directory,
            _PRESET.value,
            num_versions=count,
            vocab_file=_VOCAB_FILE.value,
            warmup_batch_sizes=sizes,
        )
    numbers = sorted(int(n) for n in os.listdir(base_path) if n.isdecimal())
    if len(numbers) < count:
        raise ValueError(
            f"{base_path!r} has versions {numbers}, and {count} are needed."
        )
    return [os.path.join(base_path, str(n)) for n in numbers[-count:]]


def _measure(
    protocol: serving_load.Protocol,
    directory: str,
    paths: list[str],
    requests: Sequence[serving_load.Request],
) -> serving_outcomes.Figures:
    """Asks the server, or one that is started for it."""
    base_path = (_MODEL_BASE_PATH.value or "model").rstrip("/")
    model = _MODEL_NAME.value or os.path.basename(base_path)
    server, address = None, _SERVER.value
    with contextlib.ExitStack() as stack:
        if address is None:
            server = own_server.OwnServer(directory, paths, model=model)
            address = stack.enter_context(server).addresses[protocol]
        load = serving_load.Load(
            server=address,
            model=model,
            protocol=protocol,
            signature=_SIGNATURE.value,
            num_clients=_CLIENTS.value,
            tolerance=_TOLERANCE.value,
        )
        return serving_trial.run(
            load,
            requests,
            duration_s=_DURATION_S.value,
            num_processes=_CLIENT_PROCESSES.value,
            swap=server.swap if _SWAP_VERSIONS.value else None,
        )


if __name__ == "__main__":
    program.run(main)
