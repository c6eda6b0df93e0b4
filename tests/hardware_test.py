import os
from unittest import mock

from absl.testing import absltest
import tensorflow as tf

from electra_tf import hardware


class HardwareTest(absltest.TestCase):
    def test_this_machine_has_cores(self):
        self.assertIn(f"{os.cpu_count()} CPU cores, ", hardware.describe())

    def test_accelerators_are_counted_by_name(self):
        devices = [
            tf.config.PhysicalDevice(f"/physical_device:{kind}:0", kind)
            for kind in ("CPU", "GPU", "GPU", "TPU_SYSTEM", "TPU")
        ]
        with (
            mock.patch.object(
                tf.config, "list_physical_devices", return_value=devices
            ),
            mock.patch.object(
                tf.config.experimental,
                "get_device_details",
                side_effect=lambda device: (
                    {"device_name": "Fast One"}
                    if device.device_type == "GPU"
                    else {}
                ),
            ),
        ):
            self.assertStartsWith(
                hardware.describe(), "2 x Fast One; 1 x TPU; "
            )


if __name__ == "__main__":
    absltest.main()
