"""Stands between the daemon and PostgreSQL as poolers do: drops parameters of the start-up packet."""

import shutil
import socket
import struct
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote


class DroppingPooler:
    """`with DroppingPooler(server) as pooler:`, and a client that connects to pooler.url().

    `drops` names the parameters of the start-up packet that the server does not get to see.
    """

    def __init__(self, server, drops=("options",)):
        self.drops = drops
        self._server = str(server.root / f".s.PGSQL.{server.port}")
        self._folder = Path(tempfile.mkdtemp(prefix="re_dms_pooler."))
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

    def _listen(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            server.sendall(self._start_up(client))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _start_up(self, client):
        """The client's start-up packet (PostgreSQL 15, protocol-message-formats) without what is dropped."""
        size, version = struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))
        words = client.recv(size - 8, socket.MSG_WAITALL).rstrip(b"\0").split(b"\0")
        kept = [name + b"\0" + value + b"\0" for name, value in zip(words[::2], words[1::2])
                if name.decode() not in self.drops]
        body = b"".join(kept) + b"\0"
        return struct.pack("!ii", len(body) + 8, version) + body

    @staticmethod
    def _copy(source, sink):
        with source, sink:
            try:
                while data := source.recv(1 << 16):
                    sink.sendall(data)
            except OSError:
                pass
