"""Tests of reading and writing files of tensors."""

import json
import os
import sys
from unittest import mock

import numpy as np
import safetensors.numpy
import tensorflow as tf

from electra_tf import huggingface_files

_TENSORS = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b.bias": np.float32([1.5, -2.0]),
}


class HuggingfaceFilesTest(tf.test.TestCase):
    def _assert_tensors(self, directory: str):
        self.assertEqual(
            huggingface_files.read_shapes(directory),
            {"a.weight": (2, 3), "b.bias": (2,)},
        )
        read = huggingface_files.read(directory)
        self.assertEqual(set(read), set(_TENSORS))
        for name, value in _TENSORS.items():
            self.assertAllEqual(read[name], value)
            self.assertEqual(read[name].dtype, np.float32)

    def test_what_is_written_is_read_back(self):
        directory = self.create_tempdir().full_path
        path = huggingface_files.write(directory, _TENSORS)
        self._assert_tensors(directory)
        self.assertAllEqual(
            safetensors.numpy.load_file(path)["a.weight"], _TENSORS["a.weight"]
        )

    def test_a_transposed_array_is_written_as_it_looks(self):
        directory = self.create_tempdir().full_path
        huggingface_files.write(directory, {"x": _TENSORS["a.weight"].T})
        self.assertAllEqual(
            huggingface_files.read(directory)["x"], [[0, 3], [1, 4], [2, 5]]
        )

    def test_shards_are_put_together(self):
        directory = self.create_tempdir().full_path
        weight_map = {}
        for number, (name, value) in enumerate(_TENSORS.items()):
            weight_map[name] = f"model-0000{number}-of-00002.safetensors"
            safetensors.numpy.save_file(
                {name: value}, os.path.join(directory, weight_map[name])
            )
        index = os.path.join(directory, "model.safetensors.index.json")
        with open(index, "w") as file:
            json.dump({"weight_map": weight_map}, file)
        self._assert_tensors(directory)

    def test_half_precision_becomes_float32(self):
        directory = self.create_tempdir().full_path
        halves = {n: v.astype(np.float16) for n, v in _TENSORS.items()}
        huggingface_files.write(directory, halves)
        self._assert_tensors(directory)

    def test_a_damaged_file_is_named(self):
        directory = self.create_tempdir().full_path
        path = huggingface_files.write(directory, _TENSORS)
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) - 4)
        with self.assertRaisesRegex(ValueError, "model.safetensors' is damag"):
            huggingface_files.read(directory)

    def test_no_file_is_an_error(self):
        with self.assertRaisesRegex(
            ValueError, "neither model.safetensors nor pytorch_model.bin"
        ):
            huggingface_files.read(self.create_tempdir().full_path)

    def test_a_pickle_needs_pytorch(self):
        directory = self.create_tempdir().full_path
        with open(os.path.join(directory, "pytorch_model.bin"), "w"):
            pass
        with mock.patch.dict(sys.modules, {"torch": None}):
            with self.assertRaisesRegex(
                ValueError, "Install torch, or save the model as safetensors"
            ):
                huggingface_files.read_shapes(directory)


if __name__ == "__main__":
    tf.test.main()
