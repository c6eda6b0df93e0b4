"""Tests of the configuration files, against what reads them."""

import os
import pathlib
import re
import subprocess

from absl.testing import absltest
from absl.testing import parameterized
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2
import jsonschema
from tensorflow_serving.config import model_server_config_pb2
import yaml

from electra_tf.serving import serving_configs
from tests import stub_model

# What the package of the protocol lacks, from TensorFlow Serving's
# servables/tensorflow/session_bundle_config.proto and
# config/monitoring_config.proto.
_INT64_VALUE = ".google.protobuf.Int64Value"
_MESSAGES = {
    "BatchingParameters": (
        ("max_batch_size", _INT64_VALUE),
        ("batch_timeout_micros", _INT64_VALUE),
        ("max_enqueued_batches", _INT64_VALUE),
        ("num_batch_threads", _INT64_VALUE),
        ("thread_pool_name", ".google.protobuf.StringValue"),
        ("allowed_batch_sizes", "repeated int64"),
        ("pad_variable_length_inputs", "bool"),
    ),
    "PrometheusConfig": (("enable", "bool"), ("path", "string")),
    "MonitoringConfig": (("prometheus_config", ".serving.PrometheusConfig"),),
}
# The part of https://github.com/compose-spec/compose-spec that is used.
_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING, "minItems": 1}
_DURATION = {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$"}
_COMPOSE_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["services"],
    "properties": {
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["image"],
                "properties": {
                    "image": _STRING,
                    "command": _STRINGS,
                    "ports": _STRINGS,
                    "restart": {
                        "enum": ["no", "always", "on-failure", "unless-stopped"]
                    },
                    "volumes": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["type"],
                            "properties": {
                                "type": {"enum": ["bind", "volume", "tmpfs"]},
                                "source": _STRING,
                                "target": _STRING,
                                "read_only": {"type": "boolean"},
                            },
                        },
                    },
                    "healthcheck": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "test": _STRINGS,
                            "interval": _DURATION,
                            "timeout": _DURATION,
                            "start_period": _DURATION,
                            "retries": {"type": "integer"},
                        },
                    },
                },
            },
        }
    },
}


def _message_class(name: str):
    """A class of `_MESSAGES`."""
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for number, (field_name, kind) in enumerate(fields, start=1):
            field = message.field.add(name=field_name, number=number)
            field.label = kinds.LABEL_OPTIONAL
            if kind.startswith("repeated "):
                field.label = kinds.LABEL_REPEATED
                kind = kind.removeprefix("repeated ")
            if kind.startswith("."):
                field.type, field.type_name = kinds.TYPE_MESSAGE, kind
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"serving.{name}")
    )


class ServingConfigsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def base_path(self, name):
        path = os.path.join(self.folder, "served $1", name)
        os.makedirs(os.path.join(path, "1"), exist_ok=True)
        return path

    def config(self, *names, **options):
        paths = tuple(self.base_path(name) for name in names or ("sst",))
        return serving_configs.ServingConfig(base_paths=paths, **options)

    def test_models_are_named_as_their_folders(self):
        text = serving_configs.models_config(self.config("sst", "squad-2.0"))
        message = text_format.Parse(
            text, model_server_config_pb2.ModelServerConfig()
        )
        self.assertEqual(
            [
                (model.name, model.base_path, model.model_platform)
                for model in message.model_config_list.config
            ],
            [
                ("sst", "/models/sst", "tensorflow"),
                ("squad-2.0", "/models/squad-2.0", "tensorflow"),
            ],
        )

    def test_batching_parameters_are_those_of_the_message(self):
        config = self.config(
            max_batch_size=8,
            allowed_batch_sizes=(1, 4, 8),
            batch_timeout_micros=1000,
            num_batch_threads=2,
            max_enqueued_batches=50,
        )
        message = text_format.Parse(
            serving_configs.batching_parameters(config),
            _message_class("BatchingParameters")(),
        )
        self.assertEqual(message.max_batch_size.value, 8)
        self.assertEqual(message.batch_timeout_micros.value, 1000)
        self.assertEqual(message.num_batch_threads.value, 2)
        self.assertEqual(message.max_enqueued_batches.value, 50)
        self.assertEqual([*message.allowed_batch_sizes], [1, 4, 8])
        self.assertFalse(message.pad_variable_length_inputs)

    def test_metrics_are_where_the_documentation_has_them(self):
        message = text_format.Parse(
            serving_configs.monitoring_config(),
            _message_class("MonitoringConfig")(),
        )
        self.assertTrue(message.prometheus_config.enable)
        self.assertEqual(
            message.prometheus_config.path, "/monitoring/prometheus/metrics"
        )

    def test_the_container_finds_every_file_it_is_told_of(self):
        config = self.config("sst", "squad")
        compose = yaml.safe_load(serving_configs.docker_compose(config))
        jsonschema.validate(compose, _COMPOSE_SCHEMA)
        service = compose["services"]["serving"]
        self.assertEqual(service["image"], "tensorflow/serving:2.20.0")
        volumes = {
            volume["target"]: volume["source"] for volume in service["volumes"]
        }
        # Compose reads $$ as $.
        self.assertEqual(
            {target: s.replace("$$", "$") for target, s in volumes.items()},
            {
                "/config": ".",
                "/models/sst": self.base_path("sst"),
                "/models/squad": self.base_path("squad"),
            },
        )
        output_dir = os.path.join(self.folder, "deploy")
        written = serving_configs.write_all(output_dir, config)
        named = re.findall(r"=/config/(.*)", "\n".join(service["command"]))
        self.assertLen(named, 3)
        self.assertContainsSubset(
            named, [os.path.basename(path) for path in written]
        )

    @parameterized.parameters(
        ("AVAILABLE", [stub_model.NAME], 0),
        ("LOADING", [stub_model.NAME], 1),
        ("AVAILABLE", [stub_model.NAME, "other"], 1),
    )
    def test_the_health_check_asks_for_all_models(self, state, names, code):
        compose = yaml.safe_load(
            serving_configs.docker_compose(self.config(*names))
        )
        check = compose["services"]["serving"]["healthcheck"]["test"]
        self.assertEqual(check[0], "CMD")
        with stub_model.RestServer() as server:
            server.state = state
            command = [
                word.replace("$$", "$").replace(
                    "/8501", f"/{server.server_port}"
                )
                for word in check[1:]
            ]
            result = subprocess.run(command, capture_output=True, timeout=5)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertNotEqual(subprocess.run(command).returncode, 0)  # Gone.

    def test_what_is_there_is_kept_unless_asked_for(self):
        path = os.path.join(self.folder, "monitoring.config")
        pathlib.Path(path).write_text("mine")
        with self.assertRaisesRegex(ValueError, "monitoring.config exist"):
            serving_configs.write_all(self.folder, self.config())
        self.assertEqual(pathlib.Path(path).read_text(), "mine")
        self.assertNotIn("models.config", os.listdir(self.folder))
        serving_configs.write_all(self.folder, self.config(), overwrite=True)
        self.assertIn("prometheus", pathlib.Path(path).read_text())

    @parameterized.parameters(
        (dict(max_batch_size=0), "max_batch_size must be at least 1, got 0"),
        (dict(batch_timeout_micros=-1), "must not be negative, got -1"),
        (dict(allowed_batch_sizes=(1, 8)), r"which is 32, got \[1, 8\]"),
        (dict(allowed_batch_sizes=(8, 4, 32)), "must ascend"),
        (dict(allowed_batch_sizes=(0, 32)), "must ascend"),
        (dict(base_paths=()), "at least one model_base_path"),
        (dict(base_paths=("no",)), "'no' holds no version of a model"),
        (dict(base_paths=("a b",)), "'a b' cannot name a model"),
    )
    def test_wrong_settings_are_told(self, options, message):
        values = dict(base_paths=(self.base_path("sst"),)) | options
        with self.assertRaisesRegex(ValueError, message):
            serving_configs.ServingConfig(**values)

    def test_two_models_of_one_name_are_an_error(self):
        path = self.base_path("sst")
        with self.assertRaisesRegex(ValueError, "Two models have one name"):
            serving_configs.ServingConfig(base_paths=(path, path + "/"))


if __name__ == "__main__":
    absltest.main()
