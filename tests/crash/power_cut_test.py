#!/usr/bin/python3
"""Goal: lose_unsynced and power_cut keep what was synced, all of it, and nothing else.

    power_cut_test.py LIBRARY
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from power_cut import power_cut  # noqa: E402

LIBRARY = None
PRELUDE = """
import os, signal, threading
A = os.O_WRONLY | os.O_APPEND
def create(name): return os.open(name, A | os.O_CREAT | os.O_EXCL, 0o600)
def sync_folder(name="."):
    fd = os.open(name, os.O_RDONLY); os.fsync(fd); os.close(fd)
"""
DIE = "\nos.kill(os.getpid(), signal.SIGKILL)\n"


class PowerCutTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.disk, self.state = (Path(self._folder.name) / name for name in ("disk", "state"))
        self.disk.mkdir()
        self.state.mkdir()

    def run_until_killed(self, script, **environment):
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + script + DIE], cwd=self.disk, check=False,
            env={**os.environ, "LD_PRELOAD": LIBRARY, "LOSE_UNSYNCED_DIR": str(self.disk),
                 "LOSE_UNSYNCED_STATE": str(self.state), **environment})
        self.assertEqual(-signal.SIGKILL, done.returncode)

    def found(self, dice=None):
        power_cut(self.disk, self.state, dice)
        self.assertEqual([], list(self.state.iterdir()))
        return {str(path.relative_to(self.disk)): path.read_text(encoding="utf-8")
                for path in sorted(self.disk.rglob("*")) if path.is_file()}

    def after(self, script):
        self.run_until_killed(script)
        return self.found()

    def test_bytes_after_the_last_sync_are_lost(self):
        script = "f = create('a'); sync_folder(); os.write(f, b'kept'); {}(f); os.write(f, b'lost')"
        for call in ("os.fsync", "os.fdatasync"):
            self.assertEqual({"a": "kept"}, self.after(script.format(call)))
            (self.disk / "a").unlink()

    def test_a_file_is_lost_until_its_folder_is_synced(self):
        script = "f = create('a'); os.write(f, b'1'); os.fsync(f)"
        self.assertEqual({}, self.after(script))
        self.assertEqual({"a": "1"}, self.after(script + "; sync_folder()"))

    def test_a_folder_is_lost_until_its_parent_is_synced(self):
        script = "os.mkdir('d'); f = create('d/a'); os.write(f, b'1'); os.fsync(f); sync_folder('d')"
        self.assertEqual({}, self.after(script))
        self.assertEqual({"d/a": "1"}, self.after(script + "; sync_folder()"))

    def test_unsynced_bytes_of_an_earlier_process_are_lost_too(self):
        self.run_until_killed("f = create('a'); sync_folder(); os.write(f, b'lost')")
        self.run_until_killed("f = os.open('a', A); os.write(f, b'also')")
        self.assertEqual({"a": ""}, self.found())

    def test_what_was_there_before_is_kept(self):
        (self.disk / "a").write_text("old", encoding="utf-8")
        self.assertEqual({"a": "old"}, self.after("f = os.open('a', A); os.write(f, b'new')"))

    def test_a_removed_file_comes_back_until_its_folder_is_synced(self):
        for call in ("os.unlink", "os.remove"):
            (self.disk / "a").write_text("old", encoding="utf-8")
            self.assertEqual({"a": "old"}, self.after(f"{call}('a')"))
            self.assertEqual({}, self.after(f"{call}('a'); sync_folder()"))

    def test_a_rename_is_undone_until_its_folder_is_synced(self):
        (self.disk / "a").write_text("old", encoding="utf-8")
        script = ("f = create('t'); os.write(f, b'new'); os.fsync(f); {}os.replace('t', 'a')")
        self.assertEqual({"a": "old"}, self.after(script.format("")))
        self.assertEqual({"a": "old", "t": "new"}, self.after(script.format("sync_folder(); ")))
        (self.disk / "t").unlink()
        self.assertEqual({"a": "new"}, self.after(script.format("") + "; sync_folder()"))

    def test_a_cut_is_undone_until_the_file_is_synced(self):
        script = "f = os.open('a', A); os.ftruncate(f, {0}); os.write(f, b'x'); "
        for size in (0, 3, 6):
            (self.disk / "a").write_text("abcdef", encoding="utf-8")
            twice = script.format(size) + f"os.ftruncate(f, {size // 2})"
            self.assertEqual({"a": "abcdef"}, self.after(script.format(size)))
            self.assertEqual({"a": "abcdef"}, self.after(twice))
            self.assertEqual({"a": "abcdef"[:size] + "x"}, self.after(script.format(size) + "os.fsync(f)"))
        self.assertEqual({"a": "abcdefx"}, self.after("os.truncate('a', 1)"))
        self.assertEqual({"a": "abcdefx"}, self.after("os.open('a', os.O_WRONLY | os.O_TRUNC)"))

    def test_dice_keep_a_part_of_what_was_not_synced(self):
        sizes = set()
        for seed in range(20):
            self.run_until_killed("f = create('a'); sync_folder(); os.write(f, b'01'); os.fsync(f)\n"
                                  "os.write(f, b'23456789')")
            text = self.found(random.Random(seed))["a"]
            self.assertTrue("0123456789".startswith(text) and len(text) >= 2, text)
            sizes.add(len(text))
            (self.disk / "a").unlink()
        self.assertGreater(len(sizes), 3)

    def test_many_threads(self):
        self.run_until_killed("""
def work(n):
    for i in range(200):
        name = f'{n}.{i}'
        f = create(name); os.write(f, b'kept'); os.fsync(f); os.write(f, b'lost'); os.close(f)
        if i % 2: os.unlink(name)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
sync_folder()
""")
        self.assertEqual({f"{n}.{i}": "kept" for n in range(4) for i in range(0, 200, 2)}, self.found())

    def test_syncs_can_be_slowed_down(self):
        begin = time.monotonic()
        self.run_until_killed("f = create('a')\nfor _ in range(20): os.fsync(f)", FSYNC_DELAY_MS="20")
        self.assertGreater(time.monotonic() - begin, 0.4)


if __name__ == "__main__":
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
