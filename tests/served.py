"""A server on this machine to download from, with the faults of servers."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

CONTENT = np.random.default_rng(0).bytes(100_000)


class Server(ThreadingHTTPServer):
    """Serves `content` under every path but /missing."""

    content = CONTENT
    ranges = True  # whether Range is honored
    stop_after: int | None = None  # bytes after which a connection breaks off
    garbage = False  # whether answers are not even HTTP

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []  # the Range header of each request

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if server.garbage:
            self.wfile.write(b"garbage\r\n\r\n")
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if first and first >= len(server.content):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(server.content) - first))
        self.end_headers()
        self.wfile.write(server.content[first:][: server.stop_after])

    def log_message(self, *_: object) -> None:
        pass
