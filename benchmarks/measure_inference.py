r"""Measures how fast a pre-trained model reads, beside Hugging Face's.

    python -m benchmarks.measure_inference --preset=small --batch_sizes=1,32

The weights are random, and the same for both. Ours is the exported model, and
its layers in a `tf.function`; theirs is `ElectraForPreTraining` of PyTorch, in
`inference_mode`. Each is in a process of its own on the CPU, and only one of
them works at a time: they take turns, block by block, and each block reads all
sentences in the same way. Batches are as long as their longest sentence.
Latencies are those of all turns, rates are of the median turn, and "times as
fast" is the median of what each turn says. It needs a machine that does
nothing else.
"""

import contextlib
from importlib import metadata
import importlib.util
import os
import tempfile

from absl import app
from absl import flags

from benchmarks import engine_batches
from benchmarks import idle_machine
from benchmarks import inference_turns
from benchmarks import other_process
from benchmarks import prose
from benchmarks import results_file
from electra_tf import presets
from electra_tf import program

_PRESET = flags.DEFINE_string("preset", "small", "Sizes of the model.")
_PRECISION = flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "bfloat16", "float16"],
    "What both compute in.",
)
_BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["1", "32"], "Of sentences.")
_SORTED = flags.DEFINE_boolean(
    "sorted", False, "Whether sentences are sorted by length: less padding."
)
_NUM_SENTENCES = flags.DEFINE_integer(
    "num_sentences", 128, "That a block reads.", lower_bound=1
)
_TURNS = flags.DEFINE_integer(
    "turns", 5, "After one that is not counted.", lower_bound=1
)
_TEXT_FILE = flags.DEFINE_string(
    "text_file", None, "Sentences, one a line; else of installed packages."
)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary; else one of 30522 is made up."
)
_THREADS = flags.DEFINE_integer(
    "threads", None, "By default as many as cores.", lower_bound=1
)
_OWN_THREADS = flags.DEFINE_integer(
    "own_threads", None, "Ours, if not --threads.", lower_bound=1
)
_PEERS = flags.DEFINE_boolean("peers", True, "Whether to measure theirs.")
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)

_PEER_PACKAGES = ("torch", "transformers")


def main():
    sizes = _sizes()
    # At a load of 10 a tiny model took 94 ms, and 1.3 ms with one thread.
    load = idle_machine.warn_if_busy(
        "PyTorch's threads wait for each other, so that on a busy machine its "
        "times mean nothing, unless with --threads=1."
    )
    sentences = prose.sentences(_NUM_SENTENCES.value, _TEXT_FILE.value)
    if _SORTED.value:
        sentences.sort(key=len)
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        own, peer = _engines(directory, stack)
        batches = {size: own.call("batches", sentences, size) for size in sizes}
        own.call("prepare", batches)
        lengths = engine_batches.lengths(batches[sizes[0]])
        print(prose.tokens_per_sentence(lengths), flush=True)
        if peer is not None:
            peer.call("prepare", batches)
            inference_turns.check_same(
                own, peer, batches, precision=_PRECISION.value
            )
        rows = [
            inference_turns.measure(
                own, peer, way, size=size, turns=_TURNS.value
            ).figures(batches[size])
            for size in sizes
            for way in inference_turns.WAYS
        ]
    versions = {}
    if peer is not None:
        versions = {name: metadata.version(name) for name in _PEER_PACKAGES}
    print(inference_turns.table(rows))
    results_file.append(
        _RESULTS.value,
        "inference",
        {"load_before": load, "peer": versions, "rows": rows},
    )


def _sizes() -> list[int]:
    wrong = [size for size in _BATCH_SIZES.value if not size.isdecimal()]
    if wrong or "0" in _BATCH_SIZES.value:
        raise app.UsageError(
            f"--batch_sizes are numbers of 1 and above, got "
            f"{','.join(_BATCH_SIZES.value)}."
        )
    return [int(size) for size in _BATCH_SIZES.value]


def _engines(directory: str, stack: contextlib.ExitStack):
    """Ours, and theirs or None, each in its process."""
    model_dir, path = other_process.call(
        "benchmarks.random_models:export_one",
        directory,
        _PRESET.value,
        vocab_file=_VOCAB_FILE.value,
        precision=_PRECISION.value,
    )
    threads = _THREADS.value or len(os.sched_getaffinity(0))
    own = other_process.OtherProcess(
        "benchmarks.own_engine:OwnEngine",
        model_dir,
        path,
        _PRECISION.value,
        _OWN_THREADS.value or threads,
    )
    stack.enter_context(own).wait_until_made()
    if not _has_peer():
        return own, None
    folder = other_process.call(
        "benchmarks.random_models:write_huggingface",
        model_dir,
        os.path.join(directory, "huggingface"),
    )
    peer = other_process.OtherProcess(
        "benchmarks.peer_engine:PeerEngine",
        folder,
        _PRECISION.value,
        threads,
        presets.get(_PRESET.value).max_seq_length,
    )
    stack.enter_context(peer).wait_until_made()
    return own, peer


def _has_peer() -> bool:
    if not _PEERS.value:
        return False
    missing = [
        name
        for name in _PEER_PACKAGES
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        print(
            f"Theirs is not measured, because {' and '.join(missing)} cannot "
            "be imported: pip install -r requirements-interop.txt"
        )
    return not missing


if __name__ == "__main__":
    program.run(main)
