"""Tests of SavedModels in memory."""

import json
import os
import shutil
import tempfile

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf.serving import loaded_version
from electra_tf.serving import serving_errors
from tests import handmade_models


class LoadedVersionTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base_path = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.path = handmade_models.save(base_path, 7, offset=3.0)
        cls.version = loaded_version.LoadedVersion(cls.path)

    def test_it_is_numbered_by_its_folder(self):
        self.assertEqual(self.version.number, 7)
        self.assertEqual(self.version.info, {})

    def test_fields_are_those_of_the_signature(self):
        fields = self.version.fields("echo")
        self.assertEqual(
            fields,
            {"text": (np.object_, (None,)), "x": (np.float32, (None,))},
        )
        self.assertEqual(
            self.version.fields("check"), {"x": (np.int32, (None, 2))}
        )

    def test_the_graph_answers(self):
        outputs = self.version.run(
            "echo",
            {
                "text": np.array([b"a", b"\xff"], object),
                "x": np.array([1.0, 2.0], np.float32),
            },
        )
        self.assertAllEqual(outputs["text"], [b"a", b"\xff"])
        self.assertAllEqual(outputs["y"], [5.0, 7.0])  # 2 x + 3.

    def test_an_empty_batch_is_answered_by_an_empty_one(self):
        empty = {"text": np.empty(0, object), "x": np.empty(0, np.float32)}
        self.assertEqual(self.version.run("echo", empty)["text"].shape, [0])

    def test_an_unknown_signature_is_told_with_those_there_are(self):
        with self.assertRaisesRegex(
            serving_errors.ServingError, "'nine'; the model has check, echo"
        ):
            self.version.fields("nine")

    def test_an_error_in_the_graph_is_the_client_s(self):
        with self.assertRaises(serving_errors.ServingError) as raised:
            self.version.run("check", {"x": np.array([[1, -1]], np.int32)})
        self.assertEqual(raised.exception.code.name, "INVALID_ARGUMENT")
        self.assertStartsWith(
            raised.exception.message, "assertion failed: [no negative x."
        )
        self.assertNotIn("{{node", raised.exception.message)

    def test_signature_defs_are_those_of_the_file(self):
        inputs = self.version.signature_defs["echo"].inputs
        self.assertCountEqual(inputs, ["text", "x"])
        self.assertEqual(inputs["text"].dtype, tf.string.as_datatype_enum)

    def test_what_the_export_says_is_kept(self):
        path = os.path.join(self.create_tempdir().full_path, "8")
        shutil.copytree(self.path, path)
        os.makedirs(os.path.join(path, "assets.extra"))
        info = os.path.join(path, "assets.extra", "model_info.json")
        with open(info, "w", encoding="utf-8") as file:
            json.dump({"kind": "a test"}, file)
        version = loaded_version.LoadedVersion(path)
        self.assertEqual(version.number, 8)
        self.assertEqual(version.info, {"kind": "a test"})


if __name__ == "__main__":
    tf.test.main()
