"""Stands between the daemon and PostgreSQL and ends connections at random bytes."""

import random
import selectors
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote


class CuttingProxy:
    """`with CuttingProxy(server) as proxy:`, and a daemon that connects to proxy.url().

    While `most` is set, each connection ends after so many bytes from the server at most, and half of
    it at least, drawn anew for each; with None it lives on. `cuts` counts them.
    """

    def __init__(self, server, seed):
        self.most, self.cuts = None, 0
        self._dice = random.Random(seed)
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

    def url(self):
        return f"postgresql:///postgres?host={quote(str(self._folder), '')}&port=5432&user=postgres"

    def _listen(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            left = None if self.most is None else self._dice.randint(self.most // 2, self.most)
            threading.Thread(target=self._serve, args=(client, left), daemon=True).start()

    def _serve(self, client, left):
        with client, socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as both:
            try:
                server.connect(self._server)
                both.register(client, selectors.EVENT_READ, server)
                both.register(server, selectors.EVENT_READ, client)
                while True:
                    for key, _ in both.select():
                        data = key.fileobj.recv(1 << 16)
                        if not data:
                            return
                        if key.fileobj is server and left is not None:
                            data = data[:left]
                            left -= len(data)
                        key.data.sendall(data)
                        if left == 0:
                            self.cuts += 1
                            return
            except OSError:
                return
