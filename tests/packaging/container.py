#!/usr/bin/python3
"""Goal: what the Dockerfile does works, in clean Debians in place of images: the build environment makes the packages, the
runtime is small, runs as a user that is not root, and its health check tells a daemon that answers from one that does
not. And the Dockerfile and the compose file say what they should.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from clean_root import CleanRoot, require_root  # noqa: E402
from postgres import Postgres, free_port  # noqa: E402
from scenario import expect  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "deploy" / "container"
RUNTIME_MB_MAX = 200  # more than the Debian below it
SECRET_FILES = {".env", "*.pem", "*.key", "vault*.yml", "*.local.toml"}
INSTRUCTIONS = {"ARG", "FROM", "SHELL", "WORKDIR", "COPY", "ENV", "RUN", "CMD", "USER", "EXPOSE", "VOLUME", "HEALTHCHECK",
                "ENTRYPOINT"}


def instructions(text):
    """(word, the rest) of each, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.M))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def stages(found):
    """{name: its instructions}"""
    made = {}
    for word, rest in found:
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
            made[name] = [("FROM", base)]
        elif made:
            made[list(made)[-1]].append((word, rest))
    return made


def lint():
    """Of a Dockerfile what goes wrong most often."""
    found = instructions((PLACE / "Dockerfile").read_text(encoding="utf-8"))
    unknown = {word for word, _ in found} - INSTRUCTIONS
    expect(not unknown, f"instructions that are none: {unknown}")
    made = stages(found)
    expect(list(made) == ["build-environment", "build", "standin", "runtime"], f"stages, the last one the default: {list(made)}")
    for name, steps in made.items():
        base = steps[0][1]
        expect(base == "${DEBIAN}" or base in made, f"{name} is built on {base}")
        for word, rest in steps:
            if word in ("CMD", "ENTRYPOINT", "SHELL") or (word == "HEALTHCHECK" and rest != "NONE"):
                expect(re.search(r'\[".*"\]$', rest), f"{word} of {name} is no list of words: a shell would swallow signals")
            for path in rest.split()[:-1] if word == "COPY" and "--from" not in rest else []:
                expect((ROOT / path).exists(), f"{name} copies {path}, which is not there")
            for path in re.findall(r"(?:^|\s)(deploy/container/\S+\.(?:sh|py))", rest):
                expect((ROOT / path).stat().st_mode & 0o111, f"{path} cannot be run")
            expect(word != "RUN" or not re.search(r"\b(apt-get|curl|wget|pip)\b", rest), f"{name}: {rest}: that is a script's")
    last = dict(made["runtime"])
    expect(last.get("USER") == "re_dms" and "HEALTHCHECK" in last and last["ENTRYPOINT"] == '["/usr/bin/re_dms"]', str(last))
    default = re.search(r"^ARG DEBIAN=(\S+)$", (PLACE / "Dockerfile").read_text(encoding="utf-8"), re.M)
    expect(default and ":" in default[1] and not default[1].endswith(":latest"), "the image below has a fixed tag")
    lint_context()
    print(f"Dockerfile: {len(found)} instructions in {len(made)} stages, no finding")


def lint_context():
    """What git does not take, and files that hold secrets most often, are not sent to a builder: they could be layers of
    an image."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    missing = ({line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()} | SECRET_FILES) - {
        line.removeprefix("**/").strip("/") for line in ignored}
    expect(not missing, f".dockerignore lacks {sorted(missing)}")
    for pattern in SECRET_FILES:
        expect(f"**/{pattern}" in ignored, f"{pattern} is ignored in every folder")


def check_compose(root):
    """That it is YAML, names files that are there, and gives each service an image or a stage."""
    root.run("apt-get update -q && apt-get install -q -y --no-install-recommends python3-yaml")
    root.copy(PLACE / "compose.yaml", "/srv/compose.yaml")
    text = root.run("python3 -c 'import json, yaml; print(json.dumps(yaml.safe_load(open(\"/srv/compose.yaml\"))))'")
    compose = json.loads(text)
    made = stages(instructions((PLACE / "Dockerfile").read_text(encoding="utf-8")))
    for name, service in compose["services"].items():
        build = service.get("build")
        expect(build is None or build["target"] in made, f"{name} builds {build}")
        expect(build or ":" in service["image"], f"{name} has neither stage nor tag")
        expect(set(service.get("depends_on", {})) <= set(compose["services"]), f"{name} depends on what is not there")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            expect((PLACE / source).exists() if source.startswith("./") else source in compose["volumes"], f"{name}: {volume}")
        expect(set(service.get("secrets", [])) <= set(compose["secrets"]), f"{name}: secrets")
        expect(all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), f"{name} is open to others")


def npm_environment():
    """How this machine's npm gets through to its registry."""
    found = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=False).stdout.strip()
    given = {"NPM_CONFIG_REGISTRY": found} if found else {}
    if os.environ.get("NODE_EXTRA_CA_CERTS"):
        # The machine's authorities are the root's (clean_root.py).
        authorities = "/etc/ssl/certs/ca-certificates.crt"
        given |= {"NODE_EXTRA_CA_CERTS": authorities, "NPM_CONFIG_CAFILE": authorities}
    return given


def build(folder):
    """`make package` in the build environment, of what git knows; brings the packages into FOLDER."""
    with CleanRoot() as root:
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
                                capture_output=True, check=True).stdout
        root.run("mkdir /src")
        subprocess.run(["tar", "--create", "--null", "--files-from=-", "--file", root.path("/src.tar")], cwd=ROOT, input=listed,
                       check=True)
        environment = {"YES": "1", "DUCKDB_ROOT": "/opt/duckdb", "JOBS": "2", **npm_environment()}
        root.run("cd /src && tar -xf /src.tar && deploy/container/build_environment.sh && test -e /opt/duckdb/libduckdb.so",
                 environment=environment, seconds=1800)
        root.run("cd /src && make package", environment=environment, seconds=2400)
        for path in root.path("/src/build/packages").glob("*.deb"):
            (folder / path.name).write_bytes(path.read_bytes())


def megabytes(root):
    said = subprocess.run(["du", "-sxm", "--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists", "."], cwd=root.folder,
                          capture_output=True, text=True, check=True).stdout
    return int(said.split()[0])


def run(folder, root, server):
    """The runtime: what the image is, and what `docker run` would do in it."""
    before = megabytes(root)
    for path in [*folder.glob("*.deb"), *PLACE.glob("*.sh")]:
        root.copy(path, f"/given/{path.name}")
    root.run("/given/install_runtime.sh /given && rm -r /given")
    grown = megabytes(root) - before
    expect(grown < RUNTIME_MB_MAX, f"the runtime adds {grown} MB")
    print(f"runtime: {grown} MB more than the Debian below it")
    port = free_port()
    root.write("/etc/re_dms/re_dms.toml", (PLACE / "re_dms.toml").read_text(encoding="utf-8").replace(
        "postgres:${file:/run/secrets/source_password}@source:5432/app", f"postgres@127.0.0.1:{server.port}/postgres")
        .replace('"0.0.0.0:9847"', f'"0.0.0.0:{port}"'), 0o644)
    expect(root.run("/usr/libexec/re_dms/healthcheck", user="re_dms", check=False)[0] != 0, "nobody answers: not healthy")
    with tempfile.NamedTemporaryFile(prefix="re_dms_container.") as log:
        root.run("install -d -o re_dms -g re_dms /run/re_dms")
        daemon = root.start("exec /usr/bin/re_dms run", log.name, user="re_dms")
        root.wait("healthy", "/usr/libexec/re_dms/healthcheck", user="re_dms")
        root.wait("a table is live", "re_dms status | grep -q '1 live'", user="re_dms")
        root.run("kill -TERM $(pidof re_dms)")
        expect(daemon.wait(60) == 0, "SIGTERM ends it with 0")


def main():
    require_root()
    lint()
    with tempfile.TemporaryDirectory(prefix="re_dms_container.") as folder:
        build(Path(folder))
        with CleanRoot() as root, Postgres(tcp=True) as server:
            server.psql("CREATE TABLE public.t (id bigint PRIMARY KEY); INSERT INTO public.t VALUES (1)")
            run(Path(folder), root, server)
            check_compose(root)
    print("container: built, run, healthy")


if __name__ == "__main__":
    sys.exit(lint() if sys.argv[1:] == ["--lint"] else main())
