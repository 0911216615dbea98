#!/usr/bin/python3
"""Goal: in a clean Debian, a new user comes from the packages to a running service whose rows arrive and whose figures
can be read; then upgrade, removal and purge. Secrets are seen nowhere on the way.

    new_user.py PACKAGES     those that build.sh made. RE_DMS_TEST_TARGET=redshift: into the stand-in, through S3
"""

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from clean_root import CleanRoot, require_root  # noqa: E402
from duckdb_file import DuckdbFile  # noqa: E402
from postgres import free_port  # noqa: E402
from redshift import Standin  # noqa: E402
from scenario import expect  # noqa: E402
from targets import RedshiftTarget, is_redshift  # noqa: E402

PASSWORD = "Planted-Secret-7f3c@/x"
CONFIG = "/etc/re_dms/re_dms.toml"
WAREHOUSE = "/var/lib/re_dms/warehouse.duckdb"
# As the service finds its keys; commands of a person are told.
AWS = {"AWS_SHARED_CREDENTIALS_FILE": "/etc/credstore/re_dms.aws_credentials"}


class Source:
    """The PostgreSQL that Debian installs, in the root."""

    def __init__(self, root):
        self.root, self.port = root, free_port()
        root.run("apt-get install -q -y --no-install-recommends postgresql-15")
        root.write("/etc/postgresql/15/main/conf.d/re_dms.conf",
                   f"wal_level = logical\nport = {self.port}\nlisten_addresses = '127.0.0.1'\n")
        root.run("systemctl restart postgresql")
        self.sql("CREATE DATABASE app", "postgres")
        self.sql(f"CREATE ROLE re_dms LOGIN REPLICATION PASSWORD '{PASSWORD}'; GRANT CREATE ON DATABASE app TO re_dms;"
                 " CREATE TABLE orders (id bigint PRIMARY KEY, state text);"
                 " INSERT INTO orders SELECT g, 'new' FROM generate_series(1, 1000) g; ALTER TABLE orders OWNER TO re_dms")

    def sql(self, text, database="app"):
        done = subprocess.run(self.root.command(f"psql -XAtq -v ON_ERROR_STOP=1 -p {self.port} {database}", "postgres"),
                              input=text, capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"psql: {done.stderr}")
        return done.stdout.strip()


class Figures:
    """What the service says of itself over HTTP."""

    def __init__(self, port):
        self.port = port

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", answer.read().decode(), re.M)
        return float(found[1]) if found else None


def rows(root, target):
    """[(id, state)] in the target."""
    sql = "SELECT id, state FROM public.orders ORDER BY id"
    if target:
        found = target.query(sql)
    else:
        with DuckdbFile(str(root.path(WAREHOUSE))) as duck:
            found = duck.query(sql)
    return [(int(number), state) for number, state in found]


def wait_rows(root, target, wanted, seconds=90):
    deadline, found = time.monotonic() + seconds, None
    while found != wanted:
        expect(time.monotonic() < deadline, f"not arrived: {wanted[:3]}… of {len(wanted)}; there is {found and found[:3]}\n"
               + root.run("systemctl status --no-pager re_dms; journalctl -u re_dms --no-pager | tail -n 20", check=False)[1])
        time.sleep(0.3)
        try:
            found = rows(root, target)
        except Exception as error:  # pylint: disable=broad-except
            # The daemon holds the file while it loads, and before the first load there is no table.
            found = [str(error)]


def expected(count, *more):
    """The first ten were sent."""
    return [(number, "sent" if number <= 10 else "new") for number in range(1, count + 1)] + list(more)


def target_sections(root, target):
    """The configuration for the stand-in, with its secrets where they belong."""
    secret, keys = target.standin.password, target.environment
    root.write("/etc/credstore/re_dms.warehouse_password", secret + "\n", 0o600)
    root.write("/etc/credstore/re_dms.aws_credentials",
               f"[default]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
               f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n", 0o600)
    options = {**target.options, "warehouse.url": target.options["warehouse.url"].replace(
        ":" + secret, ":${credential:warehouse_password}")}
    text = ""
    for section in ("stage", "warehouse"):
        lines = {key.partition(".")[2]: value for key, value in options.items() if key.startswith(section + ".")}
        text += f"\n[{section}]\n" + "".join(
            f"{key} = {'true' if value is True else chr(34) + value + chr(34)}\n" for key, value in lines.items())
    return text


def configure(root, source, target, port):
    """Changes what was installed as its comments tell."""
    text = root.path(CONFIG).read_text(encoding="utf-8")
    text = text.replace("@db.example:5432/app?sslmode=verify-full", f"@127.0.0.1:{source.port}/app")
    text += (f'\n[observe]\nlisten = "127.0.0.1:{port}"\n[batch]\ninterval = "500ms"\n'
             '[journal]\nreserve_bytes = "64MiB"\nmax_bytes = "1GiB"\n')
    if target:
        text = re.sub(r"\[warehouse\]\nurl = .*\n", "", text) + target_sections(root, target)
    root.path(CONFIG).write_text(text, encoding="utf-8")
    root.run("install -d -m 0700 /etc/credstore")
    root.write("/etc/credstore/re_dms.source_password", PASSWORD + "\n", 0o600)


def begin(root, source, target, packages):
    """From the packages to rows that arrive, and figures."""
    said = root.install(packages / "1")
    expect("systemctl enable --now re_dms" in said, f"the installation says how to go on:\n{said[-1500:]}")
    expect(root.run("systemctl is-enabled re_dms", check=False)[1].strip() == "disabled", "nothing is started unasked")
    code, text = root.run("re_dms check", check=False)
    expect(code == 2 and "source_password" in text, f"what is not configured is refused: {code}\n{text}")
    code, text = root.run("systemctl start re_dms", check=False)
    result = root.run("systemctl show -P Result -P NRestarts re_dms").split()
    expect(code != 0 and result == ["exit-code", "0"], f"a wrong configuration is not tried again: {result}\n{text}")
    port = free_port()
    configure(root, source, target, port)
    root.run("re_dms check", environment=AWS if target else {})
    root.run("systemctl enable --now re_dms")
    wait_rows(root, target, [(number, "new") for number in range(1, 1001)])
    source.sql("UPDATE orders SET state = 'sent' WHERE id <= 10; DELETE FROM orders WHERE id > 20")
    wait_rows(root, target, expected(20))
    figures = Figures(port)
    expect(figures.metric("re_dms_tables_live") == 1, "a table is live in /metrics")
    # Ten updates and 980 deletes came by the stream.
    expect(figures.metric("re_dms_rows_received_total") == 990, f"{figures.metric('re_dms_rows_received_total')} received")
    expect("streaming" in root.run("re_dms status"), "status, by a command of a person")
    root.wait("systemd shows the status", "systemctl show -P StatusText re_dms | grep '^streaming, .*tables: 1 live'")
    root.run("re_dms pause public.orders && re_dms resume public.orders")


def crash(root, source, target):
    """It is started again, and a reload has the configuration read."""
    root.run("systemctl reload re_dms")
    root.wait("it was read again", "journalctl -u re_dms --no-pager | grep configuration_read")
    root.run("mkdir -p /run/systemd/system/re_dms.service.d && printf '[Service]\\nRestartSec=100ms\\n'"
             " > /run/systemd/system/re_dms.service.d/soon.conf && systemctl daemon-reload && systemctl kill --kill-who=main -s KILL re_dms")
    root.wait("it was started again", "systemctl show -P NRestarts re_dms | grep -x 1 && systemctl is-active re_dms")
    root.run("printf '[Service]\\nRestartSec=100ms\\nWatchdogSec=3s\\n' > /run/systemd/system/re_dms.service.d/soon.conf"
             " && systemctl daemon-reload && systemctl restart re_dms && systemctl kill --kill-who=main -s STOP re_dms")
    root.wait("one that stands still is started anew",
              "journalctl -u re_dms --no-pager | grep -q 'Watchdog timeout' && systemctl is-active re_dms")
    source.sql("INSERT INTO orders VALUES (21, 'after a crash')")
    wait_rows(root, target, expected(20, (21, "after a crash")))


def upgrade(root, source, target, packages):
    before = root.path(CONFIG).read_text(encoding="utf-8")
    process = root.run("systemctl show -P MainPID re_dms")
    root.install(packages / "2")
    version = root.run("dpkg-query -W -f '${Version}' re-dms")
    expect(version.endswith("-2"), f"the later release is installed, not {version}")
    expect(root.path(CONFIG).read_text(encoding="utf-8") == before, "an upgrade leaves the configuration alone")
    root.wait("it runs again", "systemctl is-active re_dms")
    expect(root.run("systemctl show -P MainPID re_dms") != process, "and is the new one")
    source.sql("INSERT INTO orders VALUES (22, 'after an upgrade')")
    wait_rows(root, target, expected(20, (21, "after a crash"), (22, "after an upgrade")))


def log_file(root):
    """For agents that read files, as operations.md has it."""
    drop_in = "/run/systemd/system/re_dms.service.d/log.conf"
    root.run(f"install -d /var/log/re_dms && printf '[Service]\\nStandardError=append:/var/log/re_dms/re_dms.log\\n' > {drop_in}"
             " && systemctl daemon-reload && systemctl restart re_dms")
    root.wait("its log is in the file", "grep -q stream_started /var/log/re_dms/re_dms.log")
    root.run(f"rm {drop_in} && systemctl daemon-reload && systemctl restart re_dms")


def refused(root, source):
    """What only a person can end is not tried again; then starting over works as the message says."""
    root.run("systemctl stop re_dms")
    source.sql("SELECT pg_drop_replication_slot('re_dms')")
    root.run("systemctl start re_dms", check=False)
    root.wait("the unit has failed", "systemctl is-failed re_dms")
    shown = root.run("systemctl show -p ExecMainStatus -p NRestarts re_dms").split()
    expect(set(shown) == {"ExecMainStatus=4", "NRestarts=0"}, f"exit code and restarts: {shown}")
    expect("re_dms teardown --yes" in root.run("journalctl -u re_dms --no-pager -n 5 -o cat"), "it says what to do")
    root.run(f"re_dms teardown --yes && rm -f {WAREHOUSE} {WAREHOUSE}.saved_blocks && systemctl reset-failed re_dms"
             " && systemctl start re_dms")
    wait_rows(root, None, expected(20, (21, "after a crash"), (22, "after an upgrade")))


def remove(root, source, target, packages):
    said = root.run("apt-get remove -q -y re-dms re-dms-duckdb")
    expect("pg_drop_replication_slot('re_dms')" in said, f"the removal warns of the slot:\n{said}")
    expect(source.sql("SELECT slot_name, active FROM pg_replication_slots") == "re_dms|f", "and leaves it, unread")
    root.install(packages / "2")
    root.run("re_dms teardown --yes", environment=AWS if target else {})
    expect(source.sql("SELECT count(*) FROM pg_replication_slots") == "0", "teardown drops it")
    said = root.run("apt-get purge -q -y re-dms re-dms-duckdb")
    expect("pg_drop_replication_slot" not in said, f"nothing is left to warn of:\n{said}")
    left = root.run("find /etc/re_dms /etc/credstore /etc/systemd/system /var/lib/re_dms /usr/bin/re_dms /usr/lib/re_dms"
                    " /usr/share/doc/re-dms* -not -type d -name '*re_dms*' -o -path '/var/lib/re_dms/*' -type f"
                    " -o -path '/etc/re_dms/*' -o -path '/usr/share/doc/re-dms*' -type f", check=False)[1]
    left = {line for line in left.splitlines() if line.startswith("/")}
    loaded = set() if target else {WAREHOUSE, WAREHOUSE + ".saved_blocks"}
    expect(left <= loaded and (target or WAREHOUSE in left), f"a purge leaves what was loaded, and nothing else: {left}")


def look_for_secrets(root, packages, secrets):
    """In what was printed, in logs, in what the packages' scripts leave, and in the packages."""
    root.run("journalctl --no-pager")
    places = {secret: "output" for secret in secrets if secret in root.said}
    for path in [*root.path("/var/log").rglob("*"), *root.path("/var/cache/debconf").rglob("*"), *packages.rglob("*.deb")]:
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if path.suffix == ".deb":
            data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], capture_output=True, check=True).stdout
        # PostgreSQL's own log is the server's.
        if "postgresql" not in path.parts:
            places |= {secret: str(path) for secret in secrets if secret.encode() in data}
    expect(not places, f"secrets are seen: {places}")


def walk(packages, target):
    with CleanRoot(systemd=True) as root:
        source = Source(root)
        begin(root, source, target, packages)
        crash(root, source, target)
        upgrade(root, source, target, packages)
        log_file(root)
        if not target:
            refused(root, source)
        look_for_secrets(root, packages, [PASSWORD] + ([target.standin.password, target.environment["AWS_SECRET_ACCESS_KEY"]]
                                                       if target else []))
        remove(root, source, target, packages)


def main():
    require_root()
    packages = Path(sys.argv[1])
    if is_redshift():
        Standin.password = "Planted-Secret-22d4"
        with RedshiftTarget() as target:
            walk(packages, target)
    else:
        walk(packages, None)
    print("from package to purge: as a new user expects it")


main()
