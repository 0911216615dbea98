#!/usr/bin/python3
"""Goal: the role of deploy/ansible turns a clean Debian into one that runs re_dms, a second run changes nothing, a check
changes nothing, an upgrade and a removal work, and ansible-lint finds nothing.

    ansible.py PACKAGES     those that build.sh made
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from clean_root import CleanRoot, require_root  # noqa: E402
from postgres import free_port  # noqa: E402
from scenario import expect  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SECRET = "Planted-Secret-51b9@/y"
MORE = "/etc/systemd/system/re_dms.service.d/credentials.conf"
PLACE = "/srv/ansible"


def variables(release, **more):
    port = free_port()
    return {"re_dms_package_files": [f"/srv/packages/{release}/{name}" for name in NAMES[release]],
            "re_dms_secrets": {"source_password": SECRET}, "re_dms_environment": {"AWS_REGION": "eu-west-1"},
            "re_dms_cloudwatch": True, "re_dms_teardown": False,
            "re_dms_config": {
                "source": {"url": f"postgresql://re_dms:${{credential:source_password}}@127.0.0.1:{port}/app",
                           "exclude": ["public.a", "public.b"], "workers": 3, "auto_setup": True},
                "warehouse": {"url": "duckdb:///var/lib/re_dms/warehouse.duckdb"},
                "observe": {"listen": f"127.0.0.1:{free_port()}"},
                "control": {"socket": "/run/re_dms/control.sock"},
                "table": [{"match": "public.audit_*", "initial_copy": "never",
                           "column_bad_values": {"note": "truncate"}}]}, **more}


NAMES = {}


def play(root, book, given, *options):
    """Runs a playbook against the root itself; returns (changed tasks, what was printed)."""
    root.write("/srv/variables.json", json.dumps(given), 0o600)
    said = root.run(f"cd {PLACE} && ansible-playbook -i localhost.yml -e @/srv/variables.json {' '.join(options)} {book}",
                    environment={"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"})
    recap = re.search(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", said)
    expect(recap, f"ansible-playbook failed:\n{said}")
    print(f"{book} {' '.join(options)}: {recap[0]}")
    return int(recap[1]), said


def prepare(root, packages):
    root.run("apt-get install -q -y --no-install-recommends ansible ansible-lint python3-apt e2fsprogs mount git")
    for release in ("1", "2"):
        NAMES[release] = sorted((path.name for path in (packages / release).glob("*.deb")), reverse=True)
        for name in NAMES[release]:
            root.copy(packages / release / name, f"/srv/packages/{release}/{name}")
    subprocess.run(["cp", "-r", ROOT / "deploy" / "ansible", root.path(PLACE)], check=True)
    root.write(f"{PLACE}/localhost.yml", "re_dms:\n  hosts:\n    localhost:\n      ansible_connection: local\n"
                                         "      ansible_python_interpreter: /usr/bin/python3\n")


def refusal(root, book, given, words):
    """The playbook refuses, and says so."""
    root.write("/srv/variables.json", json.dumps(given), 0o600)
    code, said = root.run(f"cd {PLACE} && ansible-playbook -i localhost.yml -e @/srv/variables.json {book}", check=False,
                          environment={"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"})
    expect(code != 0 and all(word in said for word in words), f"{book} refuses with {words}: {code}\n{said}")


def lint(root):
    code, said = root.run(f"cd {PLACE} && ansible-lint --offline --nocolor -q site.yml remove.yml roles inventories", check=False)
    expect(code == 0, f"ansible-lint:\n{said}")
    root.run(f"cd {PLACE} && for kind in staging production; do ansible-inventory -i inventories/$kind --list >/dev/null; done")
    print("ansible-lint: no finding")


def judge(root):
    """What the role has placed is what the service takes."""
    expect(root.run("stat -c '%a %U %G' /etc/credstore/re_dms.source_password").split() == ["600", "root", "root"], "secret")
    expect(root.run("stat -c '%a %U %G' /etc/re_dms/re_dms.toml").split() == ["640", "root", "re_dms"], "configuration")
    agent = root.path("/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d/re_dms.json")
    json.loads(agent.read_text(encoding="utf-8"))
    code, said = root.run("re_dms check", check=False)
    expect(code == 1 and "127.0.0.1" in said, f"the configuration is sound, and no server is there: {code}\n{said}")
    root.wait("it waits for its source", "systemctl show -P StatusText re_dms | grep '^reconnecting'")
    expect(root.run("systemctl is-enabled re_dms").strip() == "enabled", "started with the host")


def walk(root, packages):
    prepare(root, packages)
    lint(root)
    given = variables("1")
    play(root, "site.yml", given, "--check", "--diff")
    expect(not root.path("/usr/bin/re_dms").exists(), "a check installs nothing")
    changed, said = play(root, "site.yml", given)
    expect(changed > 5, f"{changed} tasks changed something")
    judge(root)
    again, more = play(root, "site.yml", given)
    expect(again == 0, f"a second run changes nothing:\n{more}")
    checked, _ = play(root, "site.yml", given, "--check", "--diff")
    expect(checked == 0, f"nor would a third one:\n{checked}")
    with_further_secrets(root, given)
    later = {**given, "re_dms_package_files": variables("2")["re_dms_package_files"]}
    changed, upgraded = play(root, "site.yml", later, "--diff")
    version = root.run("dpkg-query -W -f '${Version}' re-dms")
    expect(changed > 0 and version.endswith("-2"), f"upgraded to {version}")
    root.write("/etc/re_dms/eu.toml", "")
    refusal(root, "remove.yml", later, ["/etc/re_dms/eu.toml", "re_dms@NAME"])
    root.path("/etc/re_dms/eu.toml").unlink()
    expect(root.path("/usr/bin/re_dms").exists(), "what is refused removes nothing")
    changed, removed = play(root, "remove.yml", later)
    expect(changed > 0 and not root.path("/usr/bin/re_dms").exists(), "removed")
    left = root.run("find /etc/re_dms /etc/credstore /var/cache/re_dms /opt/aws -type f", check=False)[1]
    expect(not [line for line in left.splitlines() if line.startswith("/")], f"left: {left}")
    gone, last = play(root, "remove.yml", later)
    expect(gone == 0, f"removed twice changes nothing:\n{last}")
    expect(SECRET not in said + more + upgraded + removed + last, "the secret is not printed")


def with_further_secrets(root, given):
    """Names that the unit does not know: the service has them, and no longer once nobody asks for them."""
    config = json.loads(json.dumps(given["re_dms_config"]))
    config["observe"]["rollbar_token"] = "${credential:token_of_ours}"
    more = {**given, "re_dms_config": config, "re_dms_secrets": {**given["re_dms_secrets"], "token_of_ours": SECRET}}
    play(root, "site.yml", more)
    expect(root.path(MORE).read_text(encoding="utf-8").splitlines()[-1] == "LoadCredential=token_of_ours:re_dms.token_of_ours",
           "the unit loads it")
    root.wait("the service takes it", "systemctl show -P StatusText re_dms | grep '^reconnecting'")
    expect(play(root, "site.yml", more)[0] == 0, "a second run changes nothing")
    play(root, "site.yml", given)
    expect(not root.path(MORE).exists(), "and forgets it")
    root.run("rm /etc/credstore/re_dms.token_of_ours")


def with_disk(root, folder):
    """A device of its own for the journal, not over one that is there."""
    image = folder / "disk"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    device = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=True).stdout.strip()
    try:
        given = variables("1", re_dms_journal_device=device)
        root.run("mkdir -p /var/lib/re_dms/journal")
        refusal(root, "site.yml", given, ["which a mount would hide", "cp -a /var/lib/re_dms.before/."])
        root.run("rmdir /var/lib/re_dms/journal")
        play(root, "site.yml", given)
        expect("UUID=" in root.path("/etc/fstab").read_text(encoding="utf-8"), "it is found by what it holds")
        mounted = root.run("findmnt -n -o SOURCE,FSTYPE,OPTIONS /var/lib/re_dms").split()
        expect(mounted[:2] == [device, "ext4"] and "noexec" in mounted[2] and "nofail" in root.path("/etc/fstab").read_text(encoding="utf-8"), f"mounted: {mounted}")
        expect(root.run("stat -c '%U %a' /var/lib/re_dms").split() == ["re_dms", "750"], "it belongs to the service")
        again, said = play(root, "site.yml", given)
        expect(again == 0, f"a second run changes nothing:\n{said}")
    finally:
        root.run("systemctl stop re_dms; umount /var/lib/re_dms", check=False)
        subprocess.run(["losetup", "--detach", device], check=False)


def main():
    require_root()
    with tempfile.TemporaryDirectory(prefix="re_dms_ansible.") as folder, CleanRoot(systemd=True) as root:
        walk(root, Path(sys.argv[1]))
        with_disk(root, Path(folder))


main()
