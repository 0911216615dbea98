"""Stands between the daemon and PostgreSQL and can have the connections for replication stand still."""

import selectors
import threading

from server_proxy import ServerProxy


class HoldingProxy(ServerProxy):
    """Between hold() and let_go() nothing passes on connections for replication, in either direction; others go on."""

    def __init__(self, server):
        super().__init__(server)
        self._goes_on = threading.Event()
        self._goes_on.set()

    def hold(self):
        self._goes_on.clear()

    def let_go(self):
        self._goes_on.set()

    def serve(self, client, server):
        # The packet that begins a connection says what it is for.
        data = client.recv(1 << 16)
        for_replication = b"replication\0" in data
        to = server
        with selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            while data:
                if for_replication:
                    self._goes_on.wait()
                to.sendall(data)
                key = both.select()[0][0]
                data, to = key.fileobj.recv(1 << 16), key.data
