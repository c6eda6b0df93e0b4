r"""Asks a model server, TensorFlow Serving or the local one, about a file.

    python -m electra_tf.serving.client --server=localhost:8500 \
        --model=electra --input=texts.jsonl --output=answers.jsonl
    echo '{"text": "A fine film."}' | python -m electra_tf.serving.client \
        --server=localhost:8501 --rest --model=sst

A record of the input is a JSON object whose keys are the inputs of the
signature, such as {"text": ...} or {"question": ..., "context": ...}; or, for
a signature of one text, a line of plain text. The output has one JSON object
for each, in the same order; padding is left out where the model's answer has
a mask.
"""

import contextlib
import json
import os
import sys
import time

from absl import flags
from absl import logging

from electra_tf import program
from electra_tf.serving import answer_rows
from electra_tf.serving import record_lines
from electra_tf.serving import record_requests
from electra_tf.serving import served_signatures
from electra_tf.serving import serving_client

_SERVER = flags.DEFINE_string(
    "server",
    "localhost:8500",
    "HOST:PORT of the server; the port of gRPC, or of REST with --rest.",
)
_MODEL = flags.DEFINE_string(
    "model", None, "Name of the model on the server.", required=True
)
_VERSION = flags.DEFINE_integer(
    "version", None, "Version of the model; the newest by default."
)
_SIGNATURE = flags.DEFINE_string(
    "signature", served_signatures.DEFAULT, "Function of the model to call."
)
_REST = flags.DEFINE_bool(
    "rest", False, "Speak REST, which needs no TensorFlow, instead of gRPC."
)
_INPUT = flags.DEFINE_string("input", "-", 'File of records; "-" for stdin.')
_OUTPUT = flags.DEFINE_string(
    "output", "-", 'File for the JSON lines; "-" for stdout.'
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the output if it exists."
)
_FORMAT = flags.DEFINE_enum(
    "format",
    None,
    record_lines.FORMATS,
    "Of the input; by default text for a name that ends in .txt, otherwise "
    "jsonl.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 8, "Records in a request.", lower_bound=1
)
_CONCURRENCY = flags.DEFINE_integer(
    "concurrency", 4, "Requests under way at once.", lower_bound=1
)
_TIMEOUT_S = flags.DEFINE_float(
    "timeout_s", 30.0, "Seconds for a request, with all its attempts."
)
_MAX_ATTEMPTS = flags.DEFINE_integer(
    "max_attempts",
    5,
    "How often a request is sent while the server is not available.",
    lower_bound=1,
)
_WAIT_S = flags.DEFINE_float(
    "wait_s", 0.0, "Seconds to wait for the model to be available, at first."
)
_TLS = flags.DEFINE_bool("tls", False, "Encrypt the connection.")
_ROOT_CERTIFICATES = flags.DEFINE_string(
    "root_certificates",
    None,
    "PEM file of the certificates to trust with --tls; the usual ones by "
    "default.",
)


def main():
    started, count = time.monotonic(), 0
    client = serving_client.Client(
        _SERVER.value,
        model=_MODEL.value,
        protocol="rest" if _REST.value else "grpc",
        version=_VERSION.value,
        timeout_s=_TIMEOUT_S.value,
        max_attempts=_MAX_ATTEMPTS.value,
        tls=_TLS.value,
        root_certificates=_ROOT_CERTIFICATES.value,
    )
    with client, _opened_input() as lines, _opened_output() as output:
        if _WAIT_S.value > 0.0:
            client.wait_until_available(_WAIT_S.value)
        answers = record_requests.predict_records(
            client,
            _records(client, lines),
            batch_size=_BATCH_SIZE.value,
            concurrency=_CONCURRENCY.value,
            signature=_SIGNATURE.value,
        )
        for row in answers:
            answer = json.dumps(answer_rows.to_json(row), ensure_ascii=False)
            output.write(answer + "\n")
            count += 1
    seconds = time.monotonic() - started
    logging.info("%d answers in %.1f s", count, seconds)


def _records(client: serving_client.Client, lines):
    signature = served_signatures.find(client.metadata(), _SIGNATURE.value)
    return record_lines.read(
        lines,
        line_format=_FORMAT.value or record_lines.guess_format(_INPUT.value),
        inputs=signature.inputs,
        source="stdin" if _INPUT.value == "-" else _INPUT.value,
    )


def _opened_input():
    if _INPUT.value == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    if not os.path.isfile(_INPUT.value):
        raise ValueError(f"No file {_INPUT.value!r}.")
    return open(_INPUT.value, "rb")


@contextlib.contextmanager
def _opened_output():
    """The file appears under its name when it is complete."""
    path = _OUTPUT.value
    if path == "-":
        # Whatever the locale of the terminal: JSON is UTF-8.
        sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    if os.path.exists(path) and not _OVERWRITE.value:
        raise ValueError(f"{path!r} exists. Say --overwrite to replace it.")
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        yield file
    os.replace(path + ".tmp", path)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
