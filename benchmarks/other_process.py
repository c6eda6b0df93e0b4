"""Objects that live in a process of their own, so that they share nothing.

Two libraries with pools of threads, or a server and its clients, would
otherwise slow each other down by more than the work that they do. What runs
there is named, "package.module:function", and imported only there.
"""

from concurrent import futures
import multiprocessing
import pkgutil
from typing import Any

# They fork from a process that has loaded nothing: a fork of this one would
# have copies of TensorFlow's locks, but not of its threads.
_CONTEXT = multiprocessing.get_context("forkserver")


class OtherProcess:
    """A process with one object, whose methods are called from here.

    Args:
        name: of the object's class.
        *args: for it.
    """

    def __init__(self, name: str, *args):
        self._name = name
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=_serve, args=(theirs, name, args), daemon=True
        )
        self._process.start()
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._connection.close()
        self._process.join()

    def wait_until_made(self):
        """Returns when the object is there."""
        self.result()

    def start(self, method: str, *args):
        """Begins a call of a method, which goes on there."""
        self._connection.send((method, args))

    def result(self) -> Any:
        """What the method returned that was started."""
        try:
            return self._connection.recv()
        except EOFError as error:
            raise RuntimeError(
                f"The process of {self._name} failed; its message is above."
            ) from error

    def call(self, method: str, *args) -> Any:
        """What a method returns."""
        self.start(method, *args)
        return self.result()


def event():
    """What one process sets, and others that are given it look at."""
    return _CONTEXT.Event()


def call(name: str, *args, **kwargs) -> Any:
    """What a function returns in a process that then ends."""
    with futures.ProcessPoolExecutor(1, mp_context=_CONTEXT) as pool:
        return pool.submit(_call, name, args, kwargs).result()


def _call(name: str, args: tuple, kwargs: dict[str, Any]) -> Any:
    return pkgutil.resolve_name(name)(*args, **kwargs)


def _serve(connection, name: str, args: tuple):
    """In the other process: until the connection is closed."""
    subject = _call(name, args, {})
    connection.send(None)
    while True:
        try:
            method, args = connection.recv()
        except (EOFError, ConnectionError):
            return
        result = getattr(subject, method)(*args)
        try:
            connection.send(result)
        except ConnectionError:
            return
