"""Tests of what a profile says of a step."""

import tempfile

from absl.testing import absltest
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import step_profile


def _space(*threads):
    """A profile of threads with events `(name, milliseconds)`."""
    space = xplane_pb2.XSpace()
    plane = space.planes.add()
    for thread in threads:
        line = plane.lines.add()
        for name, milliseconds in thread:
            number = len(plane.event_metadata) + 1
            plane.event_metadata[number].name = name
            line.events.add(
                metadata_id=number, duration_ps=int(milliseconds * 1e9)
            )
    return space


class StepProfileTest(absltest.TestCase):
    def test_kinds_of_operations_are_summed_over_threads(self):
        space = _space(
            [
                ("layer_0/dense/MatMul:_MklMatMul", 30),
                ("add:AddV2", 10),
                ("ThreadpoolDevice::Run", 500),
                ("$training.py:12 step", 500),
                ("EagerExecute: __inference", 500),
            ],
            [("layer_1/dense/MatMul:_MklMatMul", 50)],
        )
        costs = step_profile.summed(space, num_steps=2)
        self.assertEqual(
            costs, [("_MklMatMul", 0.04, 1.0), ("AddV2", 0.005, 0.5)]
        )
        # 40 of 45 ms.
        self.assertEqual(
            step_profile.table(costs, num_rows=1).splitlines()[2:],
            ["| _MklMatMul | 40.00 | 88.9% | 1 |"],
        )

    def test_a_folder_without_a_profile_is_told(self):
        with tempfile.TemporaryDirectory() as directory:
            with self.assertRaisesRegex(ValueError, "no profile in"):
                step_profile.costs(directory, num_steps=1)


if __name__ == "__main__":
    absltest.main()
