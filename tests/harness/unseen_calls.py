# SPDX-License-Identifier: Apache-2.0
"""Opening and removing a file as those do whom no registers of a system call tell of: by a ring of io_uring, itself or a
worker of the kernel, and by a 32-bit call."""

import ctypes
import mmap
import os
import platform
import struct

AT_FDCWD = -100
MAP_32BIT = 0x40
# linux/io_uring.h; the numbers of both calls are the same on all architectures but Alpha.
NR_SETUP, NR_ENTER = 425, 426
OFF_SQ_RING, OFF_SQES = 0, 0x10000000
ENTER_GETEVENTS = 1
OP_OPENAT, OP_UNLINKAT = 18, 36
SQE_ASYNC = 1 << 4
PARAMS_BYTES, SQE_BYTES, CQE_BYTES = 120, 64, 16
SQ_OFF_AT, CQ_OFF_AT = 40, 80

# The numbers of 32-bit x86.
NR_OPEN_32, NR_UNLINK_32 = 5, 10
# push %rbx; mov %edi,%eax; mov %esi,%ebx; xchg %edx,%ecx; int $0x80; pop %rbx; ret
CALL_32 = bytes.fromhex("53 89f8 89f3 87d1 cd80 5b c3")

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def system_call(number: int, *arguments: int | ctypes.Array | None) -> int:
    result = libc.syscall(number, *arguments)
    return checked(-ctypes.get_errno() if result < 0 else result)


def address_of(room: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(room))


def carry_out(request: bytes) -> int:
    """By a ring that has no other request."""
    params = ctypes.create_string_buffer(PARAMS_BYTES)
    ring = system_call(NR_SETUP, 1, params)
    _, tail, _, _, _, _, array = struct.unpack_from("7I", params, SQ_OFF_AT)
    _, _, _, _, _, completed = struct.unpack_from("6I", params, CQ_OFF_AT)
    (completions,) = struct.unpack_from("I", params, 4)
    room = mmap.mmap(ring, max(array + 4, completed + completions * CQE_BYTES), offset=OFF_SQ_RING)
    requests = mmap.mmap(ring, SQE_BYTES, offset=OFF_SQES)
    requests[:] = request
    struct.pack_into("I", room, array, 0)
    struct.pack_into("I", room, tail, 1)
    system_call(NR_ENTER, ring, 1, 1, ENTER_GETEVENTS, None, 0)
    _, result = struct.unpack_from("Qi", room, completed)
    os.close(ring)
    return checked(result)


class Ring:
    def __init__(self, flags: int) -> None:
        self._flags = flags

    def _carry_out(self, what: int, path: str, mode: int, flags: int) -> int:
        name = ctypes.create_string_buffer(path.encode())
        head = struct.pack("BBHiQQII", what, self._flags, 0, AT_FDCWD, 0, ctypes.addressof(name), mode, flags)
        return carry_out(head.ljust(SQE_BYTES, b"\0"))

    def open(self, path: str, flags: int) -> int:
        return self._carry_out(OP_OPENAT, path, 0o640, flags)

    def unlink(self, path: str) -> None:
        self._carry_out(OP_UNLINKAT, path, 0, 0)


class Bits32:
    def __init__(self) -> None:
        if platform.machine() != "x86_64":
            raise OSError(f"no 32-bit calls on {platform.machine()}")

    def _call(self, number: int, path: str, *arguments: int) -> int:
        """With the path where 32 bits lead to."""
        low = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT)
        low.write(path.encode())
        code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(CALL_32)
        call = ctypes.CFUNCTYPE(ctypes.c_int, *4 * [ctypes.c_uint])(address_of(code))
        return checked(call(number, address_of(low), *arguments))

    def open(self, path: str, flags: int) -> int:
        return self._call(NR_OPEN_32, path, flags, 0o640)

    def unlink(self, path: str) -> None:
        self._call(NR_UNLINK_32, path, 0, 0)


CALLERS = {"io-uring": lambda: Ring(0), "io-uring-worker": lambda: Ring(SQE_ASYNC), "32-bits": Bits32}
