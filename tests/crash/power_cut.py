"""The power cut after a kill -9: takes away what lose_unsynced.c saw written but not synced."""

import os
import shutil
from pathlib import Path


class _Disk:
    """What the log says is durable."""

    def __init__(self):
        self.length = {}  # inode -> bytes that survive
        self.cut = {}  # inode -> [(offset, file with the bytes that were cut off there)]
        self.pending = []  # (pid, number, folders, undo) of entries whose folders were not synced

    def replay(self, log):
        for line in log.read_bytes().decode("utf-8", "surrogateescape").splitlines():
            pid, number, kind, *fields = line.split("\t")
            getattr(self, "_" + kind)(int(pid), int(number), *fields)

    def _enter(self, pid, number, paths, undo):
        folders = {os.path.dirname(path) for path in paths}
        self.pending.append((pid, number, folders, undo))

    def _B(self, _pid, _number, inode, size, _path):
        self.length.setdefault(int(inode), int(size))

    def _C(self, pid, number, inode, path):
        self.length[int(inode)] = 0
        self.cut.pop(int(inode), None)
        self._enter(pid, number, [path], ("remove", int(inode), path))

    def _M(self, pid, number, path):
        self._enter(pid, number, [path], ("rmtree", path))

    def _E(self, pid, number, path):
        self._enter(pid, number, [path], ("mkdir", path))

    def _S(self, _pid, _number, inode, size):
        self.length[int(inode)] = int(size)
        self.cut.pop(int(inode), None)

    def _T(self, _pid, _number, inode, size, saved):
        self.length.setdefault(int(inode), int(size) + os.path.getsize(saved))
        self.cut.setdefault(int(inode), []).append((int(size), saved))

    def _U(self, pid, number, _inode, path, saved):
        self._enter(pid, number, [path], ("restore", path, saved))

    def _R(self, pid, number, inode, source, target, saved):
        self._enter(pid, number, [source, target], ("rename", int(inode), source, target, saved))

    def _D(self, pid, number, entered, folder):
        del number
        kept = []
        for entry in self.pending:
            if entry[0] != pid or entry[1] <= int(entered):
                entry[2].discard(folder)
            if entry[2]:
                kept.append(entry)
        self.pending = kept


def _undo(kind, *fields):
    if kind == "remove":
        inode, path = fields
        if os.path.lexists(path) and os.lstat(path).st_ino == inode:
            os.unlink(path)
    elif kind == "rmtree":
        shutil.rmtree(fields[0], ignore_errors=True)
    elif kind == "mkdir":
        os.makedirs(fields[0], exist_ok=True)
    elif kind == "restore":
        path, saved = fields
        if not os.path.lexists(path):
            os.link(saved, path)
    else:
        inode, source, target, saved = fields
        if os.path.lexists(target) and os.lstat(target).st_ino == inode:
            os.rename(target, source)
            if saved != "-":
                os.link(saved, target)


def _keep(path, length, cuts, dice):
    """Brings a file back to `length` durable bytes; DICE: and a random part of what followed."""
    size = os.path.getsize(path)
    if cuts:
        with open(path, "r+b") as file:
            for offset, saved in reversed(cuts):
                file.seek(offset)
                file.write(Path(saved).read_bytes())
    elif dice is not None and size > length and dice.random() < 0.5:
        length = dice.randint(length, size)
    if os.path.getsize(path) > length:
        os.truncate(path, length)
    return size - length


def power_cut(folder, state, dice=None):
    """Leaves below FOLDER what a disk would hold, and an empty STATE; the processes must be dead.

    With DICE (a random.Random) half of the files keep a random part of what was not synced, as disks
    do. Returns (bytes cut off files, directory entries undone).
    """
    disk = _Disk()
    log = Path(state) / "LOG"
    if log.exists():
        disk.replay(log)
    for _, _, _, undo in reversed(disk.pending):
        _undo(*undo)
    lost = 0
    for path in Path(folder).rglob("*"):
        inode = path.lstat().st_ino
        if path.is_file() and not path.is_symlink() and inode in disk.length:
            lost += max(0, _keep(path, disk.length[inode], disk.cut.get(inode), dice))
    for path in Path(state).iterdir():
        path.unlink()
    return lost, len(disk.pending)
