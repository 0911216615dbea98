"""Stands between the daemon and PostgreSQL as poolers do: drops parameters of the start-up packet."""

import socket
import struct

from server_proxy import ServerProxy, pass_on


class DroppingPooler(ServerProxy):
    """`drops` names the parameters of the start-up packet that the server does not get to see."""

    def __init__(self, server, drops=("options",)):
        super().__init__(server)
        self.drops = drops

    def serve(self, client, server):
        server.sendall(self._start_up(client))
        pass_on(client, server)

    def _start_up(self, client):
        """The client's start-up packet (PostgreSQL 15, protocol-message-formats) without what is dropped."""
        size, version = struct.unpack("!ii", client.recv(8, socket.MSG_WAITALL))
        words = client.recv(size - 8, socket.MSG_WAITALL).rstrip(b"\0").split(b"\0")
        kept = [name + b"\0" + value + b"\0" for name, value in zip(words[::2], words[1::2])
                if name.decode() not in self.drops]
        body = b"".join(kept) + b"\0"
        return struct.pack("!ii", len(body) + 8, version) + body
