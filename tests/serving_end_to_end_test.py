"""The same answers from Python, a SavedModel, and a server by both protocols.

Of every kind of model, for texts of all sorts: 25, or 200 with --run_slow.
"""

import argparse
from collections.abc import Callable
import dataclasses
import functools
import logging
import os
import statistics
import subprocess
import tempfile

from absl.testing import parameterized
import numpy as np
import pytest
import tensorflow as tf

from data_prep import embedded_corpus
from electra_tf import checkpoints
from electra_tf import pretrained_export
from electra_tf import pretrained_networks
from electra_tf import pretraining
from electra_tf import served_texts
from electra_tf import signatures
from electra_tf import tokenization
from electra_tf.serving import serving_client
from electra_tf.serving import serving_server
from finetune import registry
from finetune import task_export
from tests import export_checks
from tests import random_finetuned
from tests import shared_tokenizers
from tests import testing

_BATCH = 25
_TASKS = {"labels": "rte", "scores": "sts", "tags": "chunk", "answers": "squad"}
_TAGS = ("B-NP", "E-NP", "O", "S-NP")


def _texts(count: int) -> list[str]:
    """Unusual texts, and then English prose."""
    prose = []
    for module in (argparse, logging, statistics, subprocess):
        with open(module.__file__, encoding="utf-8") as file:
            text = embedded_corpus.docstrings(file.read())
        prose += [" ".join(p.split()) for p in text.split("\n\n")]
    prose = [text for text in prose if len(text) > 20]
    unusual = [
        *signatures.SAMPLE_TEXTS,
        signatures.LONG_SAMPLE_TEXT,
        "\u202eright to left\u202c and \u0627\u0644\u0648\u0642\u062a",
        "they [MASK] it [MASK] the time",
        "\u0000\ufffd\u200b",
        '{"text": "\\"quoted\\"\\n"}',
    ]
    texts = [*unusual, *prose]
    return [texts[i % len(texts)] for i in range(count)]


def _batches(names: list[str], count: int) -> list[dict[str, tf.Tensor]]:
    """All texts, and for a second input the same ones in another order."""
    columns = [_texts(count), _texts(count)[::-1]]
    return [
        {
            name: tf.constant(column[start : start + _BATCH])
            for name, column in zip(names, columns)
        }
        for start in range(0, count, _BATCH)
    ]


def _pretrained() -> tuple[dict, dict]:
    """Signatures of a random model with a generator, and what they use."""
    run_config = testing.tiny_config(num_hidden_layers=1)
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.3, variable.shape))
    directory = tempfile.mkdtemp()
    tokenizer = shared_tokenizers.tiny()
    tokenizer.save(directory)
    vocab_file = os.path.join(directory, tokenization.VOCAB_FILE)
    texts = served_texts.ServedTexts(
        tokenizer=tokenizer,
        vocab_table=served_texts.vocab_table(vocab_file),
        max_seq_length=16,
    )
    networks = pretrained_networks.Networks(
        encoder=model.discriminator,
        head=model.heads.main,
        head_says="replaced",
        masked_model=model.generator,
        trained_length=16,
    )
    found = pretrained_export.all_signatures(networks, texts, fill_mask_top_k=3)
    variables = checkpoints.by_name(model.trainable_variables)
    return found, {"weights": variables, "vocab_table": texts.vocab_table}


def _finetuned(name: str) -> tuple[dict, dict]:
    """Signatures of a random model for a task, and what they use."""
    task = registry.get(_TASKS[name])
    if task.kind == "tagging":
        task = dataclasses.replace(task, labels=_TAGS)
    # Beams are loops in the graph, and that of one call after the other.
    served = random_finetuned.create(task, max_query_length=8, beam_size=4)
    weights = checkpoints.by_name(served.model.trainable_variables)
    return task_export.all_signatures(served), {"weights": weights}


def _on_texts(
    signature: signatures.Signature, count: int
) -> signatures.Signature:
    """The signature with the texts as what it is tried on, if it reads any."""
    names = sorted(signature.inputs)
    if any(signature.inputs[name].dtype != tf.string for name in names):
        return signature
    return signature._replace(samples=_batches(names, count))


def _remembering(function: Callable) -> Callable:
    """A function that computes its answers to the same tensors only once."""
    known = {}

    def answer(**inputs):
        if not tf.executing_eagerly():
            return function(**inputs)
        key = frozenset((name, t.ref()) for name, t in inputs.items())
        if key not in known:
            known[key] = function(**inputs)
        return known[key]

    return answer


def _decoded(outputs: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as the client has them: strings are `str`."""
    arrays = {name: value.numpy() for name, value in outputs.items()}
    for name, array in arrays.items():
        if array.dtype == object:
            texts = [text.decode() for text in array.flat]
            arrays[name] = np.array(texts, object).reshape(array.shape)
    return arrays


class ServingEndToEndTest(tf.test.TestCase, parameterized.TestCase):
    NUM_TEXTS = 25

    @classmethod
    def setUpClass(cls):
        """Exports all models, and serves them."""
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.checks = export_checks.Together(directory.name)
        made = {"pretrained": _pretrained()}
        made |= {name: _finetuned(name) for name in _TASKS}
        # One function of two names, the default's and its own, stays one.
        remembering = functools.cache(_remembering)
        cls.signatures, models = {}, {}
        for name, (found, resources) in made.items():
            found = {
                key: _on_texts(item, cls.NUM_TEXTS)._replace(
                    function=remembering(item.function)
                )
                for key, item in found.items()
            }
            models[name] = os.path.join(directory.name, name)
            cls.checks.save(
                found,
                resources=resources,
                info={"kind": name},
                output_dir=models[name],
            )
            cls.signatures[name] = found
        cls.server = serving_server.Server(models)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def client(self, model: str, protocol: str) -> serving_client.Client:
        server = self.server
        port = server.grpc_port if protocol == "grpc" else server.rest_port
        client = serving_client.Client(
            f"{server.host}:{port}", model=model, protocol=protocol
        )
        self.addCleanup(client.close)
        return client

    @parameterized.product(
        model=("pretrained", *_TASKS), protocol=("grpc", "rest")
    )
    def test_the_client_gets_the_answers_of_the_python_functions(
        self, model, protocol
    ):
        client = self.client(model, protocol)
        for key, signature in self.signatures[model].items():
            for inputs in signature.samples:
                expected = _decoded(signature.function(**inputs))
                answer = client.predict(_decoded(inputs), signature=key)
                self.assertEqual(set(answer), set(expected))
                for name, value in expected.items():
                    message = f"{key}, {name}"
                    self.assertEqual(answer[name].dtype, value.dtype, message)
                    self.assertEqual(answer[name].shape, value.shape, message)
                    if value.dtype.kind == "f":
                        self.assertAllClose(
                            answer[name],
                            value,
                            rtol=1e-6,
                            atol=1e-5,
                            msg=message,
                        )
                    else:
                        self.assertAllEqual(answer[name], value, message)

    def test_a_process_without_this_project_gets_these_answers_too(self):
        result = self.checks.check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        *compared, imported = result.stdout.splitlines()
        self.assertLen(compared, 1 + len(_TASKS))
        self.assertEqual(imported, "Of this project: []")

    def test_every_signature_of_texts_was_tried_on_all_of_them(self):
        counted = {
            (model, key): sum(len(next(iter(s.values()))) for s in item.samples)
            for model, found in self.signatures.items()
            for key, item in found.items()
            if all(spec.dtype == tf.string for spec in item.inputs.values())
        }
        # Four of the pre-trained model, its default, and one of each task.
        self.assertLen(counted, 9)
        self.assertEqual(set(counted.values()), {self.NUM_TEXTS})


@pytest.mark.slow
class ManyTextsTest(ServingEndToEndTest):
    NUM_TEXTS = 200


if __name__ == "__main__":
    tf.test.main()
