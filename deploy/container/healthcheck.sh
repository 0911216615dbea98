#!/bin/sh
# Whether the daemon of this container answers. One that waits for its source or its target, or has
# tables that wait for a person (3), does: to start it anew would change nothing.
re_dms status >/dev/null && exit 0
[ $? -eq 3 ]
