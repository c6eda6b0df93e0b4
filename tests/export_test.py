"""Tests of saving and checking SavedModels, with functions of a line."""

import json
import os

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from electra_tf import export
from electra_tf import signatures

# All that tensorflow_text may add to the graph: TensorFlow Serving has had
# these operations since it has them at all. Everything else is TensorFlow's.
_TEXT_OPERATIONS = {
    "FastBertNormalize",
    "FastWordpieceTokenizeWithOffsets",
    "NormalizeUTF8",
}
_CORE_OPERATIONS = set(
    """
    AddV2 All ArgMax Assert AssignVariableOp BatchMatMulV2 BiasAdd
    BroadcastTo Cast ConcatV2 Const Cumsum DenseBincount DisableCopyOnRead
    DivNoNan Equal Erfc ExpandDims Fill GatherNd GatherV2 Greater
    GreaterEqual HashTableV2 Identity If InitializeTableFromTextFileV2 Less
    LessEqual LogicalNot LogicalOr LookupTableFindV2 MatMul Max Maximum Mean
    MergeV2Checkpoints Minimum Mul Neg NoOp OneHot OnesLike Pack Pad
    Placeholder Prod RaggedGather RaggedRange RaggedTensorToTensor Range
    ReadVariableOp Reshape ResourceGather RestoreV2 Rsqrt SaveV2 SegmentMax
    SegmentMin Select SelectV2 Shape ShardedFilename Sigmoid Size Softmax
    FloorDiv PartitionedCall
    SquaredDifference Squeeze StatefulPartitionedCall StatelessIf
    StaticRegexFullMatch StaticRegexReplace StopGradient StridedSlice
    StringJoin StringLength StringLower Sub Substr Sum TensorScatterUpdate
    Tile Transpose UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode
    Unique UnsortedSegmentSum VarHandleOp VarIsInitializedOp Where ZerosLike
    """.split()
)


def unexpected_operations(path: str) -> set[str]:
    """Operations of a SavedModel that are in neither of the lists above.

    A new operation of TensorFlow's own is added to the list; one that runs
    Python or is compiled by XLA never is.
    """
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        saved_model.ParseFromString(file.read())
    operations = set()
    for meta_graph in saved_model.meta_graphs:
        graph = meta_graph.graph_def
        operations |= {node.op for node in graph.node}
        for function in graph.library.function:
            operations |= {node.op for node in function.node_def}
            if function.attr["_XlaMustCompile"].b:
                operations.add("XLA")
    return operations - _TEXT_OPERATIONS - _CORE_OPERATIONS


def _save(function, output_dir, **kwargs) -> export.Exported:
    signature = signatures.Signature(
        function,
        inputs={"x": tf.TensorSpec([None], tf.float32, name="x")},
        samples=[{"x": tf.constant([1.0, 2.0])}],
    )
    return export.save(
        {signatures.DEFAULT: signature},
        info={"kind": "a test"},
        output_dir=output_dir,
        **{"resources": {}} | kwargs,
    )


class ExportTest(tf.test.TestCase):
    def test_the_next_version_is_saved_and_described(self):
        output_dir = self.create_tempdir().full_path
        os.makedirs(os.path.join(output_dir, "9"))
        os.makedirs(os.path.join(output_dir, "notes"))
        weight = tf.Variable(3.0)

        exported = _save(
            lambda x: {"y": weight * x},
            output_dir,
            resources={"weight": weight},
        )

        self.assertEqual(exported.path, os.path.join(output_dir, "10"))
        self.assertCountEqual(os.listdir(output_dir), ["9", "10", "notes"])
        loaded = tf.saved_model.load(exported.path)
        answer = loaded.signatures["serving_default"](x=tf.constant([2.0]))
        self.assertAllEqual(answer["y"], [6.0])
        self.assertEqual(loaded.weight.numpy(), 3.0)
        info = os.path.join(exported.path, "assets.extra", "model_info.json")
        with open(info, encoding="utf-8") as file:
            info = json.load(file)
        self.assertEqual(info["kind"], "a test")
        self.assertEqual(info["versions"]["tensorflow"], tf.__version__)
        text = export.summary(exported)
        self.assertIn("takes    x: float32 [?]", text)
        self.assertIn("returns  y: float32 [?]", text)
        self.assertIn(f"--model_base_path={output_dir}", text)

    def test_nothing_is_left_of_a_model_that_answers_differently(self):
        output_dir = self.create_tempdir().full_path
        with self.assertRaisesRegex(RuntimeError, "y differs by 2.0.*e-05"):
            # 1.00002 here, and 1 in the graph.
            _save(
                lambda x: {"y": 0 * x + 1 + 2e-5 * tf.executing_eagerly()},
                output_dir,
            )
        self.assertEmpty(os.listdir(output_dir))

    def test_a_version_is_not_overwritten(self):
        output_dir = self.create_tempdir().full_path
        os.makedirs(os.path.join(output_dir, "3"))
        with self.assertRaisesRegex(ValueError, "next free one is 4"):
            _save(lambda x: {"y": x}, output_dir, version=3)


if __name__ == "__main__":
    tf.test.main()
