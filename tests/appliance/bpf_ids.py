# SPDX-License-Identifier: Apache-2.0
"""What a process has in the kernel: the ids of its BPF programs, maps and links, and whether they still exist."""

import contextlib
import ctypes
import errno
import pathlib
import platform
import re

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
# enum bpf_cmd: the next id after a given one.
NEXT_ID = {"prog": 11, "map": 12, "link": 31}

LIBC = ctypes.CDLL(None, use_errno=True)


class NextId(ctypes.Structure):
    """The part of union bpf_attr that BPF_*_GET_NEXT_ID reads and writes."""

    _fields_ = [("start_id", ctypes.c_uint32), ("next_id", ctypes.c_uint32), ("open_flags", ctypes.c_uint32)]


def exists(what: str, number: int) -> bool:
    attribute = NextId(start_id=number - 1)
    if LIBC.syscall(BPF, NEXT_ID[what], ctypes.byref(attribute), ctypes.sizeof(attribute)) == 0:
        return attribute.next_id == number
    if ctypes.get_errno() == errno.ENOENT:
        return False
    raise OSError(ctypes.get_errno(), "bpf")


def ids_of_process(pid: int) -> list[tuple[str, int]]:
    found = set()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError): # closed meanwhile
            found.update((what, int(number)) for what, number in
                         re.findall(r"^(prog|map|link)_id:\s*(\d+)$", info.read_text(), re.MULTILINE))
    return sorted(found)
