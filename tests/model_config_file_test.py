"""Tests of reading models.config."""

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import model_config_file

_ONE = 'name: "sst" base_path: "/models/sst" '


def _config(*models: str) -> str:
    entries = "".join(f"config {{ {model} }}\n" for model in models)
    return f"model_config_list {{\n{entries}}}"


class ModelConfigFileTest(parameterized.TestCase):
    def _read(self, text: str) -> dict[str, str]:
        return model_config_file.read(self.create_tempfile(content=text))

    def test_models_are_found_by_name(self):
        text = "# A comment.\n" + _config(
            _ONE + 'model_platform: "tensorflow"',
            'name: "qa" base_path: "qa" model_version_policy { latest {} }',
        )
        self.assertEqual(self._read(text), {"sst": "/models/sst", "qa": "qa"})

    @parameterized.parameters(
        ("model_config_list", "no ModelServerConfig"),
        ("", "has no model"),
        (_config('name: "sst"'), "without a name or a base_path"),
        (_config(_ONE, _ONE), "two models 'sst'"),
        (_config(_ONE + 'model_platform: "torch"'), "platform 'torch'"),
        (
            _config(_ONE + "model_version_policy { specific { versions: 1 } }"),
            "serves only the newest one",
        ),
        (
            _config(
                _ONE + "model_version_policy { latest { num_versions: 2 } }"
            ),
            "serves only the newest one",
        ),
        (
            _config(_ONE + 'version_labels { key: "a" value: 1 }'),
            "version_labels",
        ),
    )
    def test_what_cannot_be_served_is_told(self, text, message):
        with self.assertRaisesRegex(ValueError, message):
            self._read(text)


if __name__ == "__main__":
    absltest.main()
