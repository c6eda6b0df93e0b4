"""Which module may import what, read from the source."""

import ast
import pathlib
import subprocess
import sys

from absl.testing import absltest
from absl.testing import parameterized

_ROOT = pathlib.Path(__file__).parent.parent
_PACKAGES = ("electra_tf", "data_prep", "finetune")
_MAY_IMPORT = {
    "electra_tf": {"electra_tf"},
    "data_prep": {"data_prep", "electra_tf"},
    "finetune": {"finetune", "electra_tf"},
}
# Text, configurations and metrics are plain Python: importing TensorFlow
# takes seconds.
_WITHOUT_TENSORFLOW = (
    "data_prep.segments",
    "electra_tf.architecture",
    "electra_tf.config",
    "electra_tf.config_flags",
    "electra_tf.expected_ranges",
    "electra_tf.flops",
    "electra_tf.html_page",
    "electra_tf.line_charts",
    "electra_tf.metric_notes",
    "electra_tf.mismatch",
    "electra_tf.number_text",
    "electra_tf.page_style",
    "electra_tf.presets",
    "electra_tf.serving.admission",
    "electra_tf.serving.answer_rows",
    "electra_tf.serving.backoff",
    "electra_tf.serving.page_files",
    "electra_tf.serving.record_lines",
    "electra_tf.serving.record_requests",
    "electra_tf.serving.request_errors",
    "electra_tf.serving.rest_tensors",
    "electra_tf.serving.rest_transport",
    "electra_tf.serving.served_signatures",
    "electra_tf.serving.server_address",
    "electra_tf.serving.server_metrics",
    "electra_tf.serving.serving_client",
    "electra_tf.serving.serving_configs",
    "electra_tf.serving.serving_errors",
    "electra_tf.serving.string_arrays",
    "electra_tf.serving.tensor_fields",
    "electra_tf.serving.tensor_json",
    "electra_tf.throughput",
    "finetune.answer_text",
    "finetune.classification_answers",
    "finetune.context_words",
    "finetune.finetune_config",
    "finetune.glue",
    "finetune.metrics",
    "finetune.prediction_input",
    "finetune.published",
    "finetune.qa_metrics",
    "finetune.readers",
    "finetune.registry",
    "finetune.results",
    "finetune.span_answers",
    "finetune.span_decoding",
    "finetune.squad",
    "finetune.tag_schemes",
    "finetune.tagging",
    "finetune.tagging_answers",
    "finetune.task",
    "finetune.task_data",
    "finetune.task_files",
)
_BANNED = ("keras", "tensorflow.keras", "tensorflow.compat.v1")


def _sources(package: str) -> list[pathlib.Path]:
    return sorted((_ROOT / package).rglob("*.py"))


def _tree(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(tree: ast.Module) -> set[str]:
    """Full names of all that is imported, inside of functions, too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _attributes(tree: ast.Module) -> set[str]:
    """Dotted names, such as `tensorflow.io.gfile` for `tf.io.gfile`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if name.startswith("tf."):
                name = "tensorflow." + name.removeprefix("tf.")
            names.add(name)
    return names


def _begins_with(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


class LayeringTest(parameterized.TestCase):
    @parameterized.parameters(*_PACKAGES)
    def test_a_package_imports_only_those_above_it(self, package):
        self.assertNotEmpty(_sources(package))
        for path in _sources(package):
            imported = {
                name.partition(".")[0] for name in _imports(_tree(path))
            }
            self.assertContainsSubset(
                imported & set(_PACKAGES), _MAY_IMPORT[package], path
            )

    @parameterized.parameters(*_PACKAGES)
    def test_keras_is_tf_keras(self, package):
        for path in _sources(package):
            tree = _tree(path)
            named = [
                name
                for name in _imports(tree) | _attributes(tree)
                if any(_begins_with(name, banned) for banned in _BANNED)
            ]
            self.assertEmpty(named, path)

    def test_plain_modules_do_not_import_tensorflow(self):
        lines = ["import sys"]
        for module in _WITHOUT_TENSORFLOW:
            lines.append(f"import {module}")
            lines.append(f"assert 'tensorflow' not in sys.modules, '{module}'")
        result = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)],
            cwd=_ROOT,
            capture_output=True,
            text=True,
        )
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    absltest.main()
