"""Tests of versions that come and go."""

import os
import shutil
import tempfile
import weakref

import numpy as np
import tensorflow as tf

from electra_tf.serving import served_model
from electra_tf.serving import serving_errors
from electra_tf.serving import warmup_replay
from tests import handmade_models


class ServedModelTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.saved = cls.enterClassContext(tempfile.TemporaryDirectory())
        # The offset tells which version has answered.
        for number in (1, 2):
            handmade_models.save(cls.saved, number, offset=float(number))

    def setUp(self):
        super().setUp()
        self.base_path = self.create_tempdir().full_path
        self.model = served_model.ServedModel("line", self.base_path)

    def _add(self, number: int):
        shutil.copytree(
            os.path.join(self.saved, str(number)), self._path(number)
        )

    def _path(self, number: int) -> str:
        return os.path.join(self.base_path, str(number))

    def _answer(self, number: int | None = None) -> float:
        """The offset of the version that answers."""
        with self.model.use(number) as version:
            outputs = version.run("serving_default", {"x": np.float32([0])})
        return float(outputs["y"][0])

    def _states(self) -> dict[int, str]:
        return {
            status.number: status.state.name for status in self.model.statuses()
        }

    def _error(self, number: int | None = None) -> str:
        with self.assertRaises(serving_errors.ServingError) as raised:
            with self.model.use(number):
                self.fail("It is served.")
        return raised.exception.code.name

    def test_the_newest_version_is_loaded(self):
        self._add(1)
        self._add(2)
        for name in ("tmp-3", "03", "x", "-4"):
            os.makedirs(os.path.join(self.base_path, name))
        self.model.poll()
        self.assertEqual(self._answer(), 2.0)
        self.assertEqual(self._answer(2), 2.0)
        self.assertEqual(self._error(1), "NOT_FOUND")
        self.assertEqual(self._states(), {2: "AVAILABLE"})
        self.assertIsNone(self.model.problem())

    def test_without_a_version_it_is_unavailable_until_there_is_one(self):
        self.model.poll()
        self.assertEqual(self._error(), "UNAVAILABLE")
        self.assertIn("has no version yet", self.model.problem())
        with self.assertRaises(serving_errors.ServingError) as raised:
            self.model.statuses()
        self.assertEqual(raised.exception.code.name, "NOT_FOUND")
        self._add(1)
        self.model.poll()
        self.assertEqual(self._answer(), 1.0)

    def test_a_missing_folder_is_no_version(self):
        model = served_model.ServedModel("none", self._path(5))
        model.poll()
        self.assertIn("has no version yet", model.problem())

    def test_a_new_version_replaces_one_when_its_last_request_is_done(self):
        self._add(1)
        self.model.poll()
        with self.model.use() as first:
            with self.model.use():
                self._add(2)
                self.model.poll()
                self.assertEqual(self._answer(), 2.0)
            self.assertEqual(self._states(), {2: "AVAILABLE", 1: "UNLOADING"})
            outputs = first.run("serving_default", {"x": np.float32([0])})
            self.assertAllEqual(outputs["y"], [1.0])
        self.assertEqual(self._states(), {2: "AVAILABLE", 1: "END"})

    def test_a_replaced_version_leaves_memory(self):
        self._add(1)
        self.model.poll()
        with self.model.use() as version:
            first = weakref.ref(version)
        del version
        self._add(2)
        self.model.poll()
        self.model.poll()  # The next look cleans up.
        self.assertIsNone(first())

    def test_a_removed_version_gives_way_to_the_one_before(self):
        self._add(1)
        self._add(2)
        self.model.poll()
        shutil.rmtree(self._path(2))
        self.model.poll()
        self.assertEqual(self._answer(), 1.0)
        shutil.rmtree(self._path(1))
        self.model.poll()
        self.assertEqual(self._answer(), 1.0)  # Better than none.

    def test_a_broken_version_is_told_and_the_old_one_stays(self):
        self._add(1)
        self.model.poll()
        self._add(2)
        graph = os.path.join(self._path(2), "saved_model.pb")
        with open(graph, "rb+") as file:
            file.truncate(os.path.getsize(graph) // 2)
        self.model.poll()
        self.assertEqual(self._answer(), 1.0)
        status = self.model.statuses(2)[0]
        self.assertEqual(status.state.name, "END")
        self.assertEqual(status.code.name, "FAILED_PRECONDITION")
        self.assertIn("saved_model.pb' is damaged", status.message)

        # It is tried again when it has changed.
        shutil.copy(os.path.join(self.saved, "2", "saved_model.pb"), graph)
        self.model.poll()
        self.assertEqual(self._answer(), 2.0)
        self.assertEqual(self.model.statuses(2)[0].code.name, "OK")

    def test_parts_of_a_version_that_are_missing_are_told(self):
        os.makedirs(self._path(1))
        self.model.poll()
        self.assertIn("saved_model.pb", self.model.statuses(1)[0].message)
        self.assertIn("cannot be loaded. version 1", self.model.problem())
        self._add(2)
        shutil.rmtree(os.path.join(self._path(2), "variables"))
        self.model.poll()
        self.assertIn("variables", self.model.statuses(2)[0].message)

    def test_a_version_with_a_broken_warm_up_file_is_not_served(self):
        self._add(1)
        path = os.path.join(self._path(1), warmup_replay.WARMUP_FILE)
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(b"torn")
        self.model.poll()
        self.assertEqual(self._error(), "UNAVAILABLE")
        self.assertIn("is damaged", self.model.problem())


if __name__ == "__main__":
    tf.test.main()
