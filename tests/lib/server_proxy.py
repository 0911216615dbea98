"""Listens on a Unix socket of its own in place of a PostgreSQL server; what becomes of a connection is
for the classes that build on it."""

import selectors
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote


def pass_on(client, server, left=None):
    """Passes on what comes from either side until one of them ends: False; or until LEFT bytes came from
    the server: True."""
    with selectors.DefaultSelector() as both:
        both.register(client, selectors.EVENT_READ, server)
        both.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in both.select():
                data = key.fileobj.recv(1 << 16)
                if not data:
                    return False
                if key.fileobj is server and left is not None:
                    data = data[:left]
                    left -= len(data)
                key.data.sendall(data)
                if left == 0:
                    return True


class ServerProxy:
    """`with SomeProxy(server) as proxy:`, and a client that connects to proxy.url()."""

    def __init__(self, server):
        self._server = str(server.root / f".s.PGSQL.{server.port}")
        self._folder = Path(tempfile.mkdtemp(prefix="re_dms_proxy."))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / ".s.PGSQL.5432"))
        self._listener.listen()

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        # A thread in accept() is woken by this, not by close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self._folder)

    def url(self, database="postgres"):
        return f"postgresql:///{database}?host={quote(str(self._folder), '')}&port=5432&user=postgres"

    def serve(self, client, server):
        """Passes on what comes until one side ends; in a thread of the connection's own. CLIENT and SERVER
        are sockets, SERVER connected already."""
        raise NotImplementedError

    def _listen(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(self._server)
                self.serve(client, server)
            except OSError:
                return
