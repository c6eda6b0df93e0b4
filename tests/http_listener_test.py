"""Tests of what arrives at a socket, well formed or not."""

import http.client
import json
import socket
import threading
import time
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import http_listener
from electra_tf.serving import rest_service


class _Service:
    """Answers with what it was asked."""

    def __init__(self):
        self.may_answer = threading.Event()
        self.was_asked = threading.Event()

    def answer(self, method: str, path: str, body: bytes):
        if path == "/fail":
            raise KeyError("a mistake of the server")
        if path == "/wait":
            self.was_asked.set()
            self.may_answer.wait(60)
        content = f"{method} {path} {len(body)}".encode()
        return rest_service.Response(200, content, {"X-Test": "1"})


class HttpListenerTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.service = _Service()
        self._listen(io_timeout_s=60.0)

    def _listen(self, io_timeout_s: float):
        self.listener = http_listener.HttpListener(
            self.service,
            host="127.0.0.1",
            port=0,
            max_request_bytes=1000,
            io_timeout_s=io_timeout_s,
        )
        self.listener.start()
        self.addCleanup(self.listener.stop, 0.0)

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.listener.server_port, timeout=60
        )
        self.addCleanup(connection.close)
        return connection

    def _send(self, data: bytes) -> bytes:
        """All that is answered to raw bytes until the connection ends."""
        address = ("127.0.0.1", self.listener.server_port)
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(data)
            answer = b""
            while part := connection.recv(1 << 16):
                answer += part
        return answer

    def test_a_connection_answers_many_requests(self):
        connection = self._connect()
        for number in range(3):
            connection.request("POST", f"/{number}", b"x" * number)
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            self.assertEqual(response.headers["X-Test"], "1")
            answer = f"POST /{number} {number}".encode()
            self.assertEqual(response.read(), answer)

    def test_head_has_no_body(self):
        connection = self._connect()
        for _ in range(2):
            connection.request("HEAD", "/")
            response = connection.getresponse()
            self.assertEqual(response.headers["Content-Length"], "8")
            self.assertEqual(response.read(), b"")

    @parameterized.parameters(
        (b"POST / HTTP/1.1\r\n\r\n", 411),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
        ),
        (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1e2\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
            b"\r\nab",
            400,
        ),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 200 + b"\r\n", 431),
        (b"PROPFIND / HTTP/1.1\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    )
    def test_malformed_requests_are_refused_in_json(self, data, status):
        head, _, body = self._send(data).partition(b"\r\n\r\n")
        self.assertStartsWith(head, f"HTTP/1.1 {status} ".encode())
        self.assertIn(b"Connection: close", head)
        self.assertIn("error", json.loads(body))

    def test_a_body_that_is_too_long_is_answered_while_it_is_sent(self):
        connection = self._connect()
        connection.request("POST", "/", b"x" * 5_000_000)
        response = connection.getresponse()
        self.assertEqual(response.status, 413)
        self.assertIn(b"5000000 bytes; no more than 1000", response.read())

    def test_a_client_that_asks_before_it_sends_is_told(self):
        head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
        answer = self._send(head + b"Content-Length: 1001\r\n\r\n")
        self.assertStartsWith(answer, b"HTTP/1.1 413 ")
        answer = self._send(
            head + b"Connection: close\r\nContent-Length: 2\r\n\r\nab"
        )
        self.assertStartsWith(
            answer, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2"
        )

    @parameterized.parameters(b"ab", b"")
    def test_a_body_that_does_not_come_ends_the_connection(self, part):
        self._listen(io_timeout_s=0.5)
        start_time = time.monotonic()
        head = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
        answer = self._send(head + part)
        self.assertStartsWith(answer, b"HTTP/1.1 408 ")
        # 0.5 for the body, and no more than 2 to read what might still come.
        self.assertLess(time.monotonic() - start_time, 30.0)

    def test_a_body_that_drips_ends_the_connection(self):
        self._listen(io_timeout_s=0.5)
        address = ("127.0.0.1", self.listener.server_port)
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n"
            )
            answer = b""
            connection.settimeout(0.1)
            for _ in range(300):
                try:
                    connection.sendall(b"x")
                    answer = connection.recv(1 << 16)
                    break
                except TimeoutError:
                    pass  # Each part comes soon, but all of it does not.
        self.assertStartsWith(answer, b"HTTP/1.1 408 ")

    def test_a_body_that_ends_early_is_told(self):
        address = ("127.0.0.1", self.listener.server_port)
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"
            )
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1 << 16)
        self.assertStartsWith(answer, b"HTTP/1.1 400 ")

    def test_a_silent_connection_is_closed(self):
        self._listen(io_timeout_s=0.5)
        self.assertEqual(self._send(b""), b"")
        self.assertEqual(self._send(b"GET / HT"), b"")

    def test_a_mistake_of_the_server_is_500_and_only_one_answer(self):
        with self.assertLogs(level="ERROR") as logs:
            answer = self._send(b"GET /fail HTTP/1.1\r\n\r\n")
        self.assertStartsWith(answer, b"HTTP/1.1 500 ")
        self.assertIn("a mistake of the server", logs.output[0])
        connection = self._connect()
        connection.request("GET", "/")
        self.assertEqual(connection.getresponse().status, 200)

    def test_stopping_waits_for_answers_and_ends_idle_connections(self):
        idle = self._connect()
        idle.request("GET", "/")
        idle.getresponse().read()
        busy = self._connect()
        busy.request("GET", "/wait")
        self.assertTrue(self.service.was_asked.wait(60))
        stopping = threading.Thread(target=self.listener.stop, args=(60.0,))
        stopping.start()
        stopping.join(0.3)
        self.assertTrue(stopping.is_alive())
        self.service.may_answer.set()
        response = busy.getresponse()
        self.assertEqual(response.read(), b"GET /wait 0")
        self.assertEqual(response.headers["Connection"], "close")
        stopping.join(60)
        self.assertFalse(stopping.is_alive())
        with self.assertRaises(ConnectionError):
            self._connect().connect()
        self.assertEqual(idle.sock.recv(1), b"")

    def test_connections_beyond_the_limit_are_closed(self):
        with mock.patch.object(http_listener, "_MAX_CONNECTIONS", 1):
            connection = self._connect()
            connection.request("GET", "/")
            self.assertEqual(connection.getresponse().read(), b"GET / 0")
            self.assertEqual(self._send(b""), b"")
            connection.request("GET", "/again")
            self.assertEqual(connection.getresponse().read(), b"GET /again 0")

    def test_a_taken_port_is_told(self):
        with self.assertRaisesRegex(OSError, "Cannot listen at 127.0.0.1:"):
            http_listener.HttpListener(
                self.service,
                host="127.0.0.1",
                port=self.listener.server_port,
                max_request_bytes=1,
            )


if __name__ == "__main__":
    absltest.main()
