"""A proxy before an object store, which breaks off answers as a bad line does."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}


class BreakingProxy:
    """Passes requests on to a server; of some answers to listings only a half comes back.

    Parameters
    ----------
    endpoint
        ``http://`` address of the server.
    breaks
        Tells of the n-th listing, counted from 0, whether its answer breaks off.

    """

    def __init__(self, endpoint, breaks):
        proxy = self
        self.listings = []
        self._lock = threading.Lock()
        target = urlsplit(endpoint)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
                upstream.request("GET", self.path, headers=dict(self.headers))  # the signature covers Host
                answer = upstream.getresponse()
                body = answer.read()
                upstream.close()
                broken = "list-type=2" in self.path and breaks(proxy._count(self.path))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if broken else body)
                if broken:
                    self.wfile.flush()
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _count(self, path):
        with self._lock:
            self.listings.append(path)
            return len(self.listings) - 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
