"""Tests of saving and checking SavedModels, with functions of a line."""

import json
import os
from unittest import mock

import tensorflow as tf

from electra_tf import export
from electra_tf import graph_operations
from electra_tf import signatures
from electra_tf.serving import warmup
from tests import export_checks

# All that tensorflow_text may add to the graph: TensorFlow Serving has had
# these operations since it has them at all. Everything else is TensorFlow's.
_TEXT_OPERATIONS = {
    "FastBertNormalize",
    "FastWordpieceTokenizeWithOffsets",
    "NormalizeUTF8",
}
_CORE_OPERATIONS = set(
    """
    AddV2 All Any ArgMax AsString Assert AssignVariableOp BatchMatMulV2
    BiasAdd BroadcastTo Cast ConcatV2 Const Cumsum DenseBincount
    DisableCopyOnRead DivNoNan Einsum EnsureShape Equal Erfc Exp ExpandDims
    Fill FloorDiv GatherNd GatherV2 Greater GreaterEqual HashTableV2
    Identity IdentityN If InitializeTableFromTextFileV2 IsFinite Less
    LessEqual Log LogSoftmax LogicalAnd LogicalNot LogicalOr
    LookupTableFindV2 MatMul Max Maximum Mean MergeV2Checkpoints Minimum Mul
    Neg NoOp NotEqual OneHot OnesLike Pack Pad PadV2 PartitionedCall
    Placeholder Prod RaggedGather RaggedRange RaggedTensorToTensor Range
    ReadVariableOp Reshape ResourceGather RestoreV2 Rsqrt SaveV2 ScatterNd
    SegmentMax SegmentMin Select SelectV2 Shape ShardedFilename Sigmoid Size
    Softmax SparseSoftmaxCrossEntropyWithLogits Split Square
    SquaredDifference Squeeze StatefulPartitionedCall StatelessIf
    StaticRegexFullMatch StaticRegexReplace StopGradient StridedSlice
    StringJoin StringLength StringLower StringSplitV2 Sub Substr Sum
    TensorListFromTensor TensorListGetItem TensorListReserve
    TensorListSetItem TensorListStack TensorScatterUpdate Tile TopKV2
    Transpose UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode Unique
    Unpack UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentSum
    VarHandleOp VarIsInitializedOp Where While ZerosLike
    """.split()
)


def unexpected_operations(path: str) -> set[str]:
    """Operations of a SavedModel that are in neither of the lists above.

    A new operation of TensorFlow's own is added to the list; one that runs
    Python or is compiled by XLA never is.
    """
    operations = graph_operations.of_saved_model(path)
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

    def test_in_half_precision_the_graph_is_what_counts(self):
        with export_checks.in_this_process():
            exported = _save(
                lambda x: {"y": 0 * x + 1 + 2e-5 * tf.executing_eagerly()},
                self.create_tempdir().full_path,
                precision="bfloat16",
            )
        info = os.path.join(exported.path, "assets.extra", "model_info.json")
        with open(info, encoding="utf-8") as file:
            info = json.load(file)
        self.assertEqual(info["precision"], "bfloat16")
        self.assertEqual(info["signatures"], [signatures.DEFAULT])

    def test_answers_that_are_no_numbers_are_compared_too(self):
        path = self.create_tempdir().full_path
        with (
            self.assertRaisesRegex(RuntimeError, "y differs by inf"),
            export_checks.in_this_process(),
            mock.patch.object(
                export, "_expected", return_value={"y": tf.constant(["b"])}
            ),
        ):
            _save(lambda x: {"y": tf.fill([tf.size(x)], "a")}, path)

    def test_python_functions_are_refused(self):
        def function(x):
            double = tf.numpy_function(lambda values: 2 * values, [x], x.dtype)
            return {"y": tf.ensure_shape(double, [None])}

        output_dir = self.create_tempdir().full_path
        with self.assertRaisesRegex(RuntimeError, "graph holds PyFunc"):
            _save(function, output_dir)
        self.assertEmpty(os.listdir(output_dir))

    def test_functions_for_xla_alone_are_refused(self):
        function = tf.function(lambda x: x + x, jit_compile=True)
        output_dir = self.create_tempdir().full_path
        with self.assertRaisesRegex(RuntimeError, "graph holds XlaMustComp"):
            _save(lambda x: {"y": function(x)}, output_dir)
        self.assertEmpty(os.listdir(output_dir))

    def test_requests_for_warming_up_are_the_first_sample(self):
        output_dir = os.path.join(self.create_tempdir().full_path, "doubler")
        with export_checks.in_this_process():
            exported = _save(
                lambda x: {"y": 2 * x}, output_dir, warmup_batch_sizes=[1, 3]
            )
        requests = [
            entry.predict_log.request for entry in warmup.read(exported.path)
        ]
        self.assertEqual(
            [tf.make_ndarray(r.inputs["x"]).tolist() for r in requests],
            [[1.0], [1.0, 2.0, 1.0]],
        )
        for request in requests:
            self.assertEqual(request.model_spec.name, "doubler")
            self.assertEqual(
                request.model_spec.signature_name, signatures.DEFAULT
            )

    def test_a_version_is_not_overwritten(self):
        output_dir = self.create_tempdir().full_path
        os.makedirs(os.path.join(output_dir, "3"))
        with self.assertRaisesRegex(ValueError, "next free one is 4"):
            _save(lambda x: {"y": x}, output_dir, version=3)


if __name__ == "__main__":
    tf.test.main()
