"""What every protocol of the server answers, without the protocols."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import tensorflow as tf

from electra_tf.serving import admission
from electra_tf.serving import loaded_version
from electra_tf.serving import served_model
from electra_tf.serving import served_models
from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields

# Makes tensors by name of what a protocol has received.
Decode = Callable[[dict[str, tensor_fields.Field]], dict[str, Any]]


class Target(NamedTuple):
    """Who is to answer.

    Attributes:
        model: its name.
        version: None for the newest.
        signature_name: empty for the default one.
    """

    model: str
    version: int | None = None
    signature_name: str = ""


class Prediction(NamedTuple):
    """An answer.

    Attributes:
        version: that answered.
        signature_name: that answered.
        outputs: tensors by name.
    """

    version: int
    signature_name: str
    outputs: dict[str, tf.Tensor]


class PredictApi:
    """Predictions, metadata and states of models.

    Args:
        models: the served ones.
        limits: of all protocols together.
    """

    def __init__(
        self,
        models: served_models.ServedModels,
        limits: admission.Admission,
    ):
        self.models = models
        self.limits = limits

    def predict(
        self,
        target: Target,
        decode: Decode,
        *,
        output_names: Sequence[str] = (),
        deadline: float | None = None,
    ) -> Prediction:
        """Runs a signature.

        Args:
            target: which one.
            decode: gives the inputs for the fields of the signature.
            output_names: which outputs; all if empty.
            deadline: of `time.monotonic`, until which it must have begun.

        Raises:
            ServingError: the request is wrong, too late, or one too many.
        """
        name = target.signature_name or loaded_version.DEFAULT_SIGNATURE
        model = self.models.get(target.model)
        with model.use(target.version) as version:
            inputs = decode(version.fields(name))
            with self.limits.computing(deadline):
                outputs = version.run(name, inputs)
            return Prediction(
                version.number, name, _select(outputs, output_names)
            )

    def signature_defs(self, target: Target) -> tuple[int, dict[str, Any]]:
        """Number of the version, and its SignatureDef messages by name."""
        with self.models.get(target.model).use(target.version) as version:
            return version.number, version.signature_defs

    def statuses(self, target: Target) -> list[served_model.VersionStatus]:
        """Of the versions of a model, newest first."""
        return self.models.get(target.model).statuses(target.version)


def _select(
    outputs: dict[str, tf.Tensor], names: Sequence[str]
) -> dict[str, tf.Tensor]:
    unknown = sorted(set(names) - set(outputs))
    if unknown:
        raise serving_errors.invalid(
            f"Unknown output {serving_errors.shown(unknown[0])}; the signature "
            f"gives {', '.join(sorted(outputs))}."
        )
    return {name: outputs[name] for name in names} if names else outputs
