"""What a request to a model server ends with, if not with an answer.

The codes are those of gRPC. What REST answers is told in the same codes, so
that a caller handles one set of errors.
"""

_OF_HTTP = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    411: "INVALID_ARGUMENT",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class RequestError(OSError):
    """A request that got no answer.

    Attributes:
        code: what gRPC calls it, such as "INTERNAL".
    """

    code = "UNKNOWN"

    def __init__(self, message: str, *, code: str | None = None):
        super().__init__(message)
        self.code = code or self.code


class InvalidArgument(RequestError):
    """The server, or its model, refuses the inputs."""

    code = "INVALID_ARGUMENT"


class NotFound(RequestError):
    """The server has no such model, or not in this version."""

    code = "NOT_FOUND"


class DeadlineExceeded(RequestError):
    """There was no answer in time."""

    code = "DEADLINE_EXCEEDED"


class Unavailable(RequestError):
    """There is no server, or it is not ready. Asking again may help."""

    code = "UNAVAILABLE"


_CLASSES = {
    error_class.code: error_class
    for error_class in (
        InvalidArgument,
        NotFound,
        DeadlineExceeded,
        Unavailable,
    )
}


def of_code(code: str, message: str) -> RequestError:
    """An error of the class that a code has."""
    return _CLASSES.get(code, RequestError)(message, code=code)


def code_of_http(status: int) -> str:
    """The code that stands for a status of HTTP."""
    if status in _OF_HTTP:
        return _OF_HTTP[status]
    return "INVALID_ARGUMENT" if 400 <= status < 500 else "INTERNAL"
