"""Sockets for the REST side: whole requests in, whole answers out.

Whatever arrives, a connection gets an answer or is closed in bounded time.
"""

import contextlib
import http.server
import re
import socket
import socketserver
import threading
import time

from absl import logging

from electra_tf.serving import rest_service
from electra_tf.serving import serving_errors

_LENGTH = re.compile(r"[0-9]{1,18}")
# Each takes a thread; those beyond are closed.
_MAX_CONNECTIONS = 512
# Seconds to read what a client still sends when it was refused. If its
# connection were closed at once, it might not get to read why.
_LINGER_S = 2.0
_INTERNAL_ERROR = rest_service.of_error(
    500, "Internal error; the server's log has more."
)


class HttpListener(http.server.ThreadingHTTPServer):
    """A server of HTTP/1.1 with a thread for each connection.

    Args:
        service: what answers.
        host: address to listen at.
        port: of it; 0 for any free one.
        max_request_bytes: of a body.
        io_timeout_s: seconds that a client may take to send a body, or be
            silent between requests.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        service: rest_service.RestService,
        *,
        host: str,
        port: int,
        max_request_bytes: int,
        io_timeout_s: float = 30.0,
    ):
        self.service = service
        self.max_request_bytes = max_request_bytes
        self.io_timeout_s = io_timeout_s
        self.is_stopping = False
        self._state = threading.Condition()
        self._connections = set()
        self._num_running = 0
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise OSError(
                f"Cannot listen at {host}:{port} for HTTP: {error.strerror}. "
                "Is another server running there? Port 0 takes any free one."
            ) from error
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="http"
        )

    def start(self):
        """Begins to accept connections, in the background."""
        self._thread.start()

    def stop(self, grace_s: float):
        """Accepts no more, and lets running requests end.

        Args:
            grace_s: seconds after which their connections are closed.
        """
        self.is_stopping = True
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        with self._state:
            self._state.wait_for(lambda: not self._num_running, grace_s)
            connections = list(self._connections)
        for connection in connections:
            _wake(connection)
        self.server_close()

    def server_bind(self):
        # Not HTTPServer's, which asks for the host's name: for seconds, where
        # no name server answers.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request, client_address):
        with self._state:
            is_full = len(self._connections) >= _MAX_CONNECTIONS
            if not is_full:
                self._connections.add(request)
        if is_full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._state:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        # Called where an exception is being handled.
        logging.exception("Request from %s failed.", client_address)

    @contextlib.contextmanager
    def running(self):
        """Counts a request that `stop` waits for."""
        with self._state:
            self._num_running += 1
        try:
            yield
        finally:
            with self._state:
                self._num_running -= 1
                self._state.notify_all()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "electra_tf"
    sys_version = ""
    # Headers and body go out together, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self):
        self.timeout = self.server.io_timeout_s
        super().setup()

    def handle(self):
        try:
            super().handle()
        except ConnectionError as error:  # The client has gone away.
            logging.debug("%s: %s", self.client_address, error)
            self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except OSError as error:  # What was left to send.
            logging.debug("%s: %s", self.client_address, error)

    def handle_expect_100(self):
        # A client that asks before it sends too much is told not to.
        return self._length_problem() is not None or super().handle_expect_100()

    def do_GET(self):
        with self.server.running():
            problem = self._length_problem()
            body = None
            if problem is None:
                body, problem = self._read_body()
            if problem is not None:
                self._refuse(problem)
                return
            response = _INTERNAL_ERROR
            try:
                response = self.server.service.answer(
                    self.command, self.path, body
                )
            finally:  # An error is answered, and goes on to `handle_error`.
                self._send(response)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def send_error(self, code, message=None, explain=None):
        """What `http.server` finds wrong, as JSON instead of its HTML."""
        # Of a malformed request the version is unknown, or taken for 0.9,
        # which has no status.
        self.request_version = self.protocol_version
        message = message or self.responses.get(code, ("Error",))[0]
        self._refuse(rest_service.of_error(code, str(message)))

    def log_message(self, format, *arguments):
        logging.debug("%s: " + format, self.client_address, *arguments)

    def _length_problem(self) -> rest_service.Response | None:
        """What is wrong with the length that a body is said to have."""
        lengths = set(self.headers.get_all("Content-Length", ()))
        if self.headers.get("Transfer-Encoding") or (
            not lengths and self.command in ("POST", "PUT", "PATCH")
        ):
            return rest_service.of_error(
                411, "The request needs a Content-Length, and no chunks."
            )
        if not lengths:
            return None
        length = lengths.pop()
        if lengths or not _LENGTH.fullmatch(length):
            return rest_service.of_error(
                400,
                "Content-Length must be one number, not "
                f"{serving_errors.shown(length)}.",
            )
        if int(length) > self.server.max_request_bytes:
            return rest_service.of_error(
                413,
                f"The body has {length} bytes; no more than "
                f"{self.server.max_request_bytes} are taken.",
            )
        return None

    def _read_body(self) -> tuple[bytes, rest_service.Response | None]:
        """The body, or what is wrong with it."""
        missing = int(self.headers.get("Content-Length", 0))
        deadline = time.monotonic() + self.server.io_timeout_s
        parts = []
        while missing:
            try:
                part = self.rfile.read1(min(missing, 1 << 16))
            except TimeoutError:
                part = b""
                deadline = 0.0
            if time.monotonic() > deadline:
                return b"", rest_service.of_error(
                    408,
                    f"The body did not arrive within "
                    f"{self.server.io_timeout_s} seconds.",
                )
            if not part:
                return b"", rest_service.of_error(
                    400, f"The body ends {missing} bytes too early."
                )
            parts.append(part)
            missing -= len(part)
        return b"".join(parts), None

    def _refuse(self, response: rest_service.Response):
        """Answers, and gives up a connection whose next bytes are unknown."""
        self.close_connection = True
        self._send(response)
        self.wfile.flush()
        deadline = time.monotonic() + _LINGER_S
        try:
            self.connection.shutdown(socket.SHUT_WR)  # Nothing more is sent.
            while (remaining := deadline - time.monotonic()) > 0:
                self.connection.settimeout(remaining)
                if not self.connection.recv(1 << 16):
                    return
        except OSError:
            pass  # It has gone, or it still sends: both are closed.

    def _send(self, response: rest_service.Response):
        self.close_connection |= self.server.is_stopping
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.content)
        self.wfile.flush()


def _wake(connection: socket.socket):
    """Ends the wait of the thread that reads from a connection."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # It has ended meanwhile.
