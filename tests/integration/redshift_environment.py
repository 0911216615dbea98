#!/usr/bin/python3
"""Goal: PG* variables are about the source alone: whatever they say, the target is the one of warehouse.url. A variable
can still be named in the configuration. The bucket's region that AWS's variables say is told to COPY too."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from scenario import expect, scenario  # noqa: E402
from targets import RedshiftTarget  # noqa: E402

TABLES = "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, d date); INSERT INTO t VALUES (1, now(), '2026-02-03');"
# With which no session of Redshift would be opened, or another one.
VARIABLES = {
    "PGHOST": "192.0.2.1", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGDATABASE": "nowhere", "PGUSER": "nobody",
    "PGPASSWORD": "wrong", "PGPASSFILE": "/nonexistent", "PGOPTIONS": "-c geqo=off", "PGAPPNAME": "other",
    "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nonexistent", "PGSSLCERT": "/nonexistent", "PGSSLKEY": "/nonexistent",
    "PGSSLCRL": "/nonexistent", "PGSSLCRLDIR": "/nonexistent", "PGSSLSNI": "0", "PGSSLMINPROTOCOLVERSION": "TLSv1.3",
    "PGREQUIREPEER": "nobody", "PGREQUIRESSL": "1", "PGCHANNELBINDING": "require", "PGGSSENCMODE": "require",
    "PGKRBSRVNAME": "nobody", "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "2", "PGCLIENTENCODING": "LATIN1",
    "PGTZ": "No/Where", "PGDATESTYLE": "nonsense", "PGGEQO": "nonsense", "PGSERVICE": "elsewhere",
}
SERVICE = "[elsewhere]\nhost=192.0.2.1\nport=1\ndbname=nowhere\nuser=nobody\noptions=-c nonsense=1\n"
# What the variables say of these would keep the source away.
SOURCE = ("hostaddr=127.0.0.1&sslmode=disable&channel_binding=prefer&gssencmode=disable&target_session_attrs=any"
          "&options=-c%20geqo%3Doff")


def main():
    with scenario(TABLES, tls=True, target=RedshiftTarget("--cluster-region", "eu-west-1")) as (server, daemon):
        service = daemon.folder / "services"
        service.write_text(SERVICE, encoding="utf-8")
        daemon.environment |= VARIABLES | {"PGSERVICEFILE": str(service)}
        source = f"postgresql://postgres@localhost:{server.port}/postgres?{SOURCE}"
        daemon.environment["AWS_REGION"] = daemon.target.options["stage.region"]
        daemon.configure({"source.url": source, "stage.region": None})
        code, printed, said = daemon.run("check")
        expect(code == 0, f"check ends with {code}: {printed}{said}")
        daemon.start().wait_ready()
        server.psql("UPDATE t SET at = at + interval '1 day', d = '2026-03-04'")
        daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        # Of the source they count, and they can be referred to.
        daemon.environment |= {"PGHOST": "localhost", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(server.port),
                               "PGUSER": "postgres", "PGDATABASE": "postgres", "PGSERVICE": ""}
        told = f"postgresql:///${{PGDATABASE}}?{SOURCE}".replace("hostaddr=127.0.0.1&", "")
        daemon.config.write_text(daemon.config.read_text(encoding="utf-8").replace(source, told), encoding="utf-8")
        daemon.start().wait_ready()
        server.psql("UPDATE t SET d = '2026-03-05'")
        daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")
        # A service counts more than variables about the same.
        service.write_text(f"[source]\nhost=localhost\nhostaddr=127.0.0.1\nport={server.port}\nuser=postgres\n",
                           encoding="utf-8")
        daemon.environment |= {name: VARIABLES[name] for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER")}
        daemon.environment["PGSERVICE"] = "source"
        daemon.start().wait_ready()
        server.psql("UPDATE t SET d = '2026-03-06'")
        daemon.catch_up()
        daemon.compare()
        expect(daemon.stop() == 0, "SIGTERM ends it with 0")


main()
