"""A server that answers as AWS does, on a free port of the loopback interface.

    python server.py [--port 0]

It prints `listening on http://127.0.0.1:PORT` when it is ready and ends when its standard input
closes.  See README.md.
"""

import argparse
import os
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

# The 1,300 machine images that moto gives to every new account take a tenth of a second to make,
# and nothing here starts an instance.  Must be set before moto is imported.
os.environ.setdefault("MOTO_AMIS_PATH", os.path.join(os.path.dirname(os.path.abspath(__file__)), "no_images.json"))

from strict.gateway import answer  # noqa: E402


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open between requests
    disable_nagle_algorithm = True
    wbufsize = 65536  # the head and the body of an answer leave in one packet

    def handle_expect_100(self):
        # Nobody waits for a "100 Continue" that stays in the buffer.
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self.chunks()
        try:
            status, headers, content = answer(self.environ(body), body)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            status, headers, content = 500, {}, repr(error).encode()
        self.send_response_only(status)
        # Every answer of AWS says what time it is there.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html
        self.send_header("Date", self.date_time_string())
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "date", "transfer-encoding", "status"):
                self.send_header(name, str(value))
        if not any(name.lower() == "content-type" for name in headers):
            self.send_header("Content-Type", "text/xml")
        length = str(len(content))
        if self.command == "HEAD":  # which tells the length of what GET would answer
            length = next((value for name, value in headers.items() if name.lower() == "content-length"), length)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = serve

    def chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def environ(self, body: bytes) -> dict:
        """The request as WSGI describes it, which is what moto reads."""
        url = urlsplit(self.path)
        host, port = self.server.server_address
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(url.path, "latin-1"),
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ["HTTP_" + key] = value
        return environ

    def log_message(self, *_):
        """Requests are kept by /_ecsctl/calls, not printed."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024  # callers of many tests at once, which must not wait for a second try
    address_family = socket.AF_INET

    def handle_error(self, request, client_address):
        """A caller that was killed is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    server = Server(("127.0.0.1", arguments.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        while sys.stdin.buffer.read(65536):
            pass
    except KeyboardInterrupt:
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
