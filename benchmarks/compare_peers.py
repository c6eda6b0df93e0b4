r"""Measures how fast we train, beside Hugging Face and tf-models-official.

    python -m benchmarks.compare_peers --work=pretraining --precision=float32
    python -m benchmarks.compare_peers --work=finetuning \
      --sst_file=GLUE/SST-2/train.tsv --vocab_file=vocab.txt

Each implementation is in a process of its own on the CPU, and one works at a
time, in turn: A B C A B C. Weights are random, networks of the same sizes.
Rates are those of the median turn, and "times as fast" is the median of what
each turn says. Pre-training reads random tokens of full length; fine-tuning
reads sentences of GLUE's SST-2, the same ones in a turn: ours in batches of
about the same length, theirs in random order, padded to --max_seq_length
(hf_padded) or to the longest of the batch (hf_dynamic). It needs a machine
that does nothing else, and memory for all of them.
"""

import contextlib
import dataclasses

from absl import flags

from benchmarks import idle_machine
from benchmarks import other_process
from benchmarks import prose
from benchmarks import results_file
from benchmarks import sst_input
from benchmarks import trainer_settings
from benchmarks import training_peers
from benchmarks import training_turns
from electra_tf import program

_WORK = flags.DEFINE_enum(
    "work", "pretraining", list(training_peers.PEERS), "What is trained."
)
_PEERS = flags.DEFINE_list(
    "peers",
    [],
    "By default all that have the precision. For pretraining: "
    f"{', '.join(training_peers.PEERS['pretraining'])}; for finetuning: "
    f"{', '.join(training_peers.PEERS['finetuning'])}.",
)
_PRESET = flags.DEFINE_string("preset", "small", "Sizes of the networks.")
_PRECISION = flags.DEFINE_enum(
    "precision", "float32", ["float32", "bfloat16"], "What all compute in."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "Examples a step.", lower_bound=1
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer(
    "max_seq_length", 128, "Longest example in tokens.", lower_bound=5
)
_TURNS = flags.DEFINE_integer("turns", 5, "That count.", lower_bound=1)
_WARMUP_TURNS = flags.DEFINE_integer(
    "warmup_turns",
    1,
    "Before them. In finetuning our step is compiled for each new length of a "
    "batch: with few of them that counts, too.",
    lower_bound=1,
)
_STEPS_PER_TURN = flags.DEFINE_integer(
    "steps_per_turn",
    None,
    "Of each implementation. By default 4, for finetuning 16, of which it must "
    "be a multiple there.",
    lower_bound=1,
)
_THREADS = flags.DEFINE_integer(
    "threads", None, "By default as many as cores.", lower_bound=1
)
_SST_FILE = flags.DEFINE_string(
    "sst_file", None, "GLUE's SST-2 train.tsv, for finetuning."
)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary of finetuning; else one is made up."
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)


def main():
    settings = trainer_settings.TrainerSettings(
        preset=_PRESET.value,
        changes=training_peers.USUAL,
        precision=_PRECISION.value,
        batch_size=_BATCH_SIZE.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        num_threads=_THREADS.value,
    )
    peers = training_peers.select(_WORK.value, _PEERS.value, _PRECISION.value)
    measure = {"pretraining": _pretraining, "finetuning": _finetuning}
    load = idle_machine.warn_if_busy()
    with contextlib.ExitStack() as stack:
        rows = measure[_WORK.value](settings, peers, stack).figures()
    print(training_turns.table(rows))
    print(training_turns.verdict(rows))
    results_file.append(
        _RESULTS.value,
        "peers",
        {
            "work": _WORK.value,
            "settings": dataclasses.asdict(settings),
            "load_before": load,
            "peers": training_peers.versions(),
            "rows": rows,
        },
    )


def _pretraining(settings, peers, stack) -> training_turns.Turns:
    own = other_process.OtherProcess(
        "benchmarks.own_trainer:OwnTrainer", settings
    )
    trainers = training_peers.start(own, settings, peers, stack)
    return _take_turns(trainers, _STEPS_PER_TURN.value or 4)


def _finetuning(settings, peers, stack) -> training_turns.Turns:
    examples = sst_input.read_examples(_SST_FILE.value)
    num_turns = _WARMUP_TURNS.value + _TURNS.value
    steps_per_turn = _STEPS_PER_TURN.value or sst_input.BUCKET_BATCHES
    sst_input.check(
        examples,
        num_turns=num_turns,
        steps_per_turn=steps_per_turn,
        batch_size=settings.batch_size,
    )
    own = other_process.OtherProcess(
        "benchmarks.own_finetuner:OwnFinetuner",
        settings,
        examples,
        sst_input.read_vocab(_VOCAB_FILE.value, settings.run_config.vocab_size),
    )
    trainers = training_peers.start(own, settings, peers, stack)
    batches = own.call(
        "examples", sst_input.num_batches(num_turns, steps_per_turn)
    )
    lengths = [len(ids) for batch in batches for ids in batch.ids]
    print(prose.tokens_per_sentence(lengths), flush=True)
    for name in peers:
        trainers[name].call("prepare", batches)
    return _take_turns(trainers, steps_per_turn)


def _take_turns(trainers: dict, steps_per_turn: int) -> training_turns.Turns:
    return training_turns.measure(
        trainers,
        turns=_TURNS.value,
        warmup_turns=_WARMUP_TURNS.value,
        steps_per_turn=steps_per_turn,
        batch_size=_BATCH_SIZE.value,
    )


if __name__ == "__main__":
    program.run(main)
