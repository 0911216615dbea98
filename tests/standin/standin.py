#!/usr/bin/python3
"""A strict stand-in for Amazon Redshift, for tests: PostgreSQL behind a door that lets pass what Redshift
lets pass, and loads from S3 as COPY does. What it refuses and imitates: docs/redshift_standin.md.

    standin.py --listen 127.0.0.1:5439 --s3-endpoint http://127.0.0.1:9000 --s3-access-key KEY \\
        --s3-secret-key SECRET --log /tmp/statements.log

Then: psql 'host=127.0.0.1 port=5439 dbname=dev user=loader password=loader-secret gssencmode=disable'
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lib")]
from control import Control  # noqa: E402  (beside this file)
from server import Server  # noqa: E402
from statement_log import StatementLog  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--listen", default="127.0.0.1:5439", metavar="HOST:PORT")
    add("--control", default="", metavar="HOST:PORT", help="HTTP for failures on request; see control.py")
    add("--postgres", default="", metavar="URL", help="of a PostgreSQL 15 and its superuser; default: starts its own")
    add("--database", default="dev")
    add("--user", action="append", default=[], metavar="NAME:PASSWORD", help="may be given more than once")
    add("--auth", default="md5", choices=("md5", "password", "sha256", "idp", "scram"))
    add("--tls-cert", default="", metavar="FILE")
    add("--tls-key", default="", metavar="FILE")
    add("--log", default="", metavar="FILE", help="every statement, a line of JSON each")
    add("--s3-endpoint", default="http://127.0.0.1:9000")
    add("--s3-access-key", default="")
    add("--s3-secret-key", default="")
    add("--s3-session-token", default=None)
    add("--s3-region", default="us-east-1", help="where the buckets are")
    add("--s3-retry-seconds", type=float, default=5)
    add("--cluster-region", default="us-east-1")
    add("--iam-role", default="", metavar="ARN", help="the only one that COPY may assume; default: any")
    add("--mode", default="provisioned", choices=("provisioned", "serverless"))
    add("--isolation", default="serializable", choices=("serializable", "snapshot"))
    add("--slices", type=int, default=4)
    add("--max-connections", type=int, default=500)
    add("--idle-session-seconds", type=float, default=4 * 3600)
    add("--idle-transaction-seconds", type=float, default=6 * 3600)
    add("--queue-seconds", type=float, default=0, help="each query waits so long, and statement_timeout counts it")
    switch = parser.add_argument_group("assumptions, the worst case being the default")
    add = switch.add_argument
    add("--quoted-marker-stays", dest="quoted_marker_is_null", action="store_false",
        help="COPY: a NULL marker in quotes is a text")
    add("--allow-endless", action="store_true", help="COPY takes infinity, NaN and BC")
    add("--no-table-locks", dest="table_locks", action="store_false",
        help="UPDATE and DELETE do not wait for other writers of the table")
    add("--super-csv-bytes", type=int, default=1 << 20, help="COPY: most of a SUPER field")
    add("--super-text-bytes", type=int, default=65535, help="most of a text inside SUPER")
    add("--queries-in-using", dest="refuse_queries_in_using", action="store_false",
        help="DELETE takes a query in USING, which AWS's pages do not show")
    add("--drop-after-add", dest="refuse_drop_after_add", action="store_false",
        help="DROP COLUMN works in a transaction that has added one and updated the table")
    add("--table-info", dest="table_info_granted", action="store_true", help="users may read svv_table_info")
    options = parser.parse_args()
    options.users = dict(user.split(":", 1) for user in options.user) or {"loader": "loader-secret"}
    return options


def serve(options):
    server = Server(options, StatementLog(options.log))
    control = Control(server, options.control) if options.control else None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.close).start())
    print(f"listening on {options.listen}", flush=True)
    server.serve()
    if control:
        control.close()


def main():
    options = arguments()
    if options.postgres:
        serve(options)
        return
    from postgres import Postgres
    with Postgres(settings={"max_connections": "600", "wal_level": "minimal", "max_wal_senders": "0"}) as postgres:
        options.postgres = postgres.url()
        serve(options)
    os._exit(0)  # Sessions' threads may be waiting for ever.


if __name__ == "__main__":
    main()
