"""The server on a port of this machine, in a thread, for clients that need a real socket."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dicom_assets.serve.run import listen, running
from dicom_assets.serve.site import Site


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve a site until the context ends; yields its address, without a slash at the end."""
    listening = listen("127.0.0.1", 0)
    server = running(site)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
