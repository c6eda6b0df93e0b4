"""All models of a server, and the thread that looks for new versions."""

import threading

from electra_tf.serving import served_model
from electra_tf.serving import serving_errors


class ServedModels:
    """Models by name.

    Args:
        base_paths: their folders, by name.
        poll_wait_s: seconds between looks at the folders; 0 to look once.
    """

    def __init__(self, base_paths: dict[str, str], *, poll_wait_s: float):
        self._models = {
            name: served_model.ServedModel(name, path)
            for name, path in base_paths.items()
        }
        self._poll_wait_s = poll_wait_s
        self._was_polled = threading.Event()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="models")

    def start(self):
        """Begins to load, in the background."""
        self._thread.start()

    def wait_until_loaded(self):
        """Raises ValueError if a model has no version that can be served."""
        self._was_polled.wait()
        problems = [model.problem() for model in self.all()]
        problems = [problem for problem in problems if problem]
        if problems:
            raise ValueError(" ".join(problems))

    def stop(self):
        """Stops looking for new versions; what is loaded goes on."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def all(self) -> list[served_model.ServedModel]:
        return list(self._models.values())

    def get(self, name: str) -> served_model.ServedModel:
        """The model of a name; ServingError if there is none."""
        if name not in self._models:
            raise serving_errors.ServingError(
                serving_errors.Code.NOT_FOUND,
                f"Servable not found: there is no model "
                f"{serving_errors.shown(name)}. Served models: "
                f"{', '.join(sorted(self._models))}.",
            )
        return self._models[name]

    def metrics_name(self, name: str) -> str:
        """A name to count by: empty for what is not served."""
        return name if name in self._models else ""

    def _poll(self):
        try:
            self._poll_models()
        finally:  # Whatever happens, nobody waits for it.
            self._was_polled.set()

    def _poll_models(self):
        while not self._is_stopping.is_set():
            for model in self.all():
                model.poll()
            self._was_polled.set()
            if not self._poll_wait_s:
                return
            self._is_stopping.wait(self._poll_wait_s)
