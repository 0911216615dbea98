"""Stands between the daemon and PostgreSQL and ends connections at random bytes."""

import random

from server_proxy import ServerProxy, pass_on


class CuttingProxy(ServerProxy):
    """While `most` is set, each connection ends after so many bytes from the server at most, and half of
    it at least, drawn anew for each; with None it lives on. `cuts` counts them.
    """

    def __init__(self, server, seed):
        super().__init__(server)
        self.most, self.cuts = None, 0
        self._dice = random.Random(seed)

    def serve(self, client, server):
        left = None if self.most is None else self._dice.randint(self.most // 2, self.most)
        if pass_on(client, server, left):
            self.cuts += 1
