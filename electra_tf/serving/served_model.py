"""The versions of one model: the newest is served, and replaced in service."""

import contextlib
import dataclasses
import enum
import gc
import os
import threading
from typing import NamedTuple

from absl import logging
import tensorflow as tf

from electra_tf.serving import loaded_version
from electra_tf.serving import serving_errors
from electra_tf.serving import warmup_replay

# What a damaged SavedModel was seen to raise.
_LOADING_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RuntimeError,
    tf.errors.OpError,
    serving_errors.ServingError,
)


class State(enum.IntEnum):
    """Numbered as TensorFlow Serving's ModelVersionStatus.State."""

    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


class VersionStatus(NamedTuple):
    """What is known of one version.

    Attributes:
        number: of the version.
        state: what it does.
        code: not OK if it could not be loaded.
        message: why.
    """

    number: int
    state: State
    code: serving_errors.Code = serving_errors.Code.OK
    message: str = ""


@dataclasses.dataclass
class _Service:
    """A version and how many requests use it."""

    version: loaded_version.LoadedVersion | None
    number: int
    users: int = 0
    is_replaced: bool = False


class ServedModel:
    """A folder of numbered versions, of which the newest answers.

    Args:
        name: under which it is served.
        base_path: its folder.
    """

    def __init__(self, name: str, base_path: str):
        self.name = name
        self.base_path = base_path
        self._lock = threading.Lock()
        self._service = None
        self._statuses = {}
        # What was on disk of versions that could not be loaded.
        self._broken = {}
        self._has_garbage = False

    def poll(self):
        """Loads the newest version on disk, and serves it instead of others.

        Returns when it is loaded, or could not be: then what was served goes
        on, and the version is tried again when its files have changed. The
        newest one on disk may also be an older one, if others were removed.
        If there is none at all, what was served goes on, too.
        """
        if self._has_garbage:
            # What is left of a version refers to itself.
            self._has_garbage = False
            gc.collect()
        number = self._newest_on_disk()
        service = self._service
        if number is None or (service and service.number == number):
            return
        path = os.path.join(self.base_path, str(number))
        files = _files(path)
        if self._broken.get(number) == files:
            return
        self._set_status(VersionStatus(number, State.LOADING))
        try:
            version = loaded_version.LoadedVersion(path)
            num_requests = warmup_replay.replay(version)
        except _LOADING_ERRORS as error:
            self._broken[number] = files
            status = _failed(number, error)
            self._set_status(status)
            logging.error(
                "Model %s: version %d cannot be loaded: %s",
                self.name,
                number,
                status.message,
            )
            return
        self._broken.pop(number, None)
        self._replace(_Service(version, number))
        logging.info(
            "Model %s: version %d is available, after %d requests to warm up.",
            self.name,
            number,
            num_requests,
        )

    @contextlib.contextmanager
    def use(self, number: int | None = None):
        """Gives the served version, which stays in memory meanwhile.

        Args:
            number: of the version; None for the newest.

        Raises:
            ServingError: it is not served.
        """
        with self._lock:
            service = self._service
            if service is None or number not in (None, service.number):
                raise self._not_served(number)
            service.users += 1
        try:
            yield service.version
        finally:
            with self._lock:
                service.users -= 1
                self._drop_if_unused(service)

    def statuses(self, number: int | None = None) -> list[VersionStatus]:
        """Of all versions, newest first, or of one; ServingError if none."""
        with self._lock:
            statuses = sorted(self._statuses.values(), reverse=True)
        if number is not None:
            statuses = [item for item in statuses if item.number == number]
        if not statuses:
            raise serving_errors.ServingError(
                serving_errors.Code.NOT_FOUND,
                f"Could not find {_version_text(number)} of model "
                f"{self.name!r}.",
            )
        return statuses

    def problem(self) -> str | None:
        """Why no version is served; None if one is."""
        with self._lock:
            if self._service is not None:
                return None
            failed = [
                f"version {status.number}: {status.message}"
                for status in self._statuses.values()
                if status.code != serving_errors.Code.OK
            ]
        if failed:
            return f"Model {self.name!r} cannot be loaded. {'; '.join(failed)}"
        return (
            f"Model {self.name!r} has no version yet: {self.base_path!r} needs "
            f"a folder such as {os.path.join(self.base_path, '1')!r} with a "
            "saved_model.pb."
        )

    def _newest_on_disk(self) -> int | None:
        try:
            names = tf.io.gfile.listdir(self.base_path)
        except tf.errors.OpError as error:
            logging.log_every_n_seconds(
                logging.ERROR, "Model %s: %s", 60, self.name, error.message
            )
            return None
        names = [name.rstrip("/") for name in names]
        # Also not 01, whose number is another folder's name.
        numbers = [
            int(name)
            for name in names
            if name.isascii() and name.isdecimal() and str(int(name)) == name
        ]
        return max(numbers, default=None)

    def _set_status(self, status: VersionStatus):
        with self._lock:
            self._statuses[status.number] = status

    def _replace(self, service: _Service):
        with self._lock:
            replaced, self._service = self._service, service
            self._statuses[service.number] = VersionStatus(
                service.number, State.AVAILABLE
            )
            if replaced is not None:
                replaced.is_replaced = True
                self._statuses[replaced.number] = VersionStatus(
                    replaced.number, State.UNLOADING
                )
                self._drop_if_unused(replaced)

    def _drop_if_unused(self, service: _Service):
        if service.is_replaced and not service.users:
            service.version = None
            self._has_garbage = True
            self._statuses[service.number] = VersionStatus(
                service.number, State.END
            )

    def _not_served(self, number: int | None) -> serving_errors.ServingError:
        states = {
            status.number: status.state for status in self._statuses.values()
        }
        if number is None or states.get(number) == State.LOADING:
            return serving_errors.ServingError(
                serving_errors.Code.UNAVAILABLE,
                f"Model {self.name!r} is not available yet; its state is at "
                f"/v1/models/{self.name}.",
            )
        return serving_errors.ServingError(
            serving_errors.Code.NOT_FOUND,
            f"Servable not found for request: {_version_text(number)} of "
            f"model {self.name!r}. Only the newest version is served.",
        )


def _version_text(number: int | None) -> str:
    return "any version" if number is None else f"version {number}"


def _failed(number: int, error: Exception) -> VersionStatus:
    if isinstance(error, tf.errors.OpError):
        error = loaded_version.of_operation(error)
    code = getattr(error, "code", serving_errors.Code.FAILED_PRECONDITION)
    return VersionStatus(number, State.END, code, str(error))


def _files(directory: str) -> tuple:
    """Names, sizes and times of all that is in a folder."""
    files = []
    for folder, _, names in tf.io.gfile.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            try:
                stat = tf.io.gfile.stat(path)
            except tf.errors.NotFoundError:
                continue  # Somebody is still writing; there is a next time.
            files.append((path, stat.length, stat.mtime_nsec))
    return tuple(sorted(files))
