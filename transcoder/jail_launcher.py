"""Confine this process, then become the given program: `python -I -S jail_launcher.py ORDERS PROGRAM [ARGUMENT...]`.

A program of its own and not a `preexec_fn`, which may deadlock in a process with threads. It starts without site
packages (15 ms), so nothing of ours can be imported here. ORDERS is JSON, made by `Jail.command`.

Sources: landlock(7), user_namespaces(7), capabilities(7), PR_SET_PDEATHSIG(2const).
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REFUSED_STATUS = 125
"Exit status when the walls cannot be built; the reason is on standard error, after `jail: `."

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
CAPABILITY_VERSION_3 = 0x20080522

# Numbers from include/uapi/linux/landlock.h; the calls have the same number on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH, GET_ABI = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_FILE, MAKE_REGULAR = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8
TRUNCATE, IOCTL_DEVICE = 1 << 14, 1 << 15
APPLY_TO_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
HANDLED_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
SYSTEM_FILES = ("/etc/ld.so.cache",)
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def check(answer: int, what: str) -> int:
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return answer


def landlock_abi() -> int:
    """Version of Landlock that the kernel offers; 0: none."""
    return max(0, int(LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(GET_ABI))))


def limit(limits: Mapping[str, int]) -> None:
    cpu_s = limits["cpu_s"]
    # Beyond the soft limit comes SIGXCPU, which tells us what happened; 5 s later SIGKILL ends who ignores it.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["output_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def leave_network(most_tasks: int) -> None:
    """Move to a network namespace that has not even a loopback; into a user namespace where that needs one."""
    if LIBC.unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0:
        return
    user, group = os.getuid(), os.getgid()
    check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC), "namespaces")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    # Counted per user namespace (since Linux 5.14), so here and only here it does not count the user's other programs.
    resource.setrlimit(resource.RLIMIT_NPROC, (most_tasks, most_tasks))


def drop_capabilities() -> None:
    """Give up what root, or the first in a user namespace, could do beyond the rules for files."""
    capability = 0
    while LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    check(LIBC.capset(header, bytes(24)), "capabilities")


def confine_files(program: str, job: str, read_only: Sequence[str]) -> None:
    """Apply Landlock: the job's folder to read and write, the named files to read, program and libraries to execute."""
    abi = check(landlock_abi() or -1, "Landlock")
    handled = HANDLED_BY_ABI[min(abi, 5)]
    no_tcp = 0b11 if abi >= 4 else 0
    no_signals_or_abstract_sockets = 0b11 if abi >= 6 else 0
    attributes = struct.pack("=QQQ", handled, no_tcp, no_signals_or_abstract_sockets)
    attributes = attributes[: 24 if abi >= 6 else 16 if abi >= 4 else 8]  # older kernels refuse bytes they do not know
    size, flags = ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
    rules = check(LIBC.syscall(CREATE_RULESET, attributes, size, flags), "Landlock rule set")

    def allow(path: str, access: int) -> None:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not Path(path).is_dir():
            access &= APPLY_TO_FILES
        rule = struct.pack("=Qi", access & handled, place)
        check(LIBC.syscall(ADD_RULE, rules, RULE_PATH_BENEATH, rule, ctypes.c_uint32(0)), f"Landlock rule for {path}")
        os.close(place)

    allow(job, READ_FILE | READ_DIR | WRITE_FILE | MAKE_REGULAR | REMOVE_FILE | TRUNCATE)
    allow("/dev/null", READ_FILE | WRITE_FILE)
    allow(program, READ_FILE | EXECUTE)
    for library in filter(os.path.exists, LIBRARIES):
        allow(library, READ_FILE | READ_DIR | EXECUTE)  # the dynamic loader lives there and is executed
    for file in (*filter(os.path.exists, SYSTEM_FILES), *read_only):
        allow(file, READ_FILE)
    check(LIBC.syscall(RESTRICT_SELF, rules, ctypes.c_uint32(0)), "Landlock")
    os.close(rules)


def die_with(parent_pid: int) -> None:
    """Be killed when the parent ends. Last of all: a change of credentials would undo it."""
    check(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "death signal")
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def confine(orders: Mapping[str, Any], program: str) -> None:
    limit(orders["limits"])
    if orders["namespaces"]:
        leave_network(orders["limits"]["tasks"])
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if orders["landlock"]:
        confine_files(program, orders["job"], orders["read_only"])
    if not orders["capabilities"]:
        drop_capabilities()
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)  # Python ignores both, and what is ignored stays so across exec
    if orders["parent_pid"]:
        die_with(orders["parent_pid"])


def main(orders: str, program: str, *arguments: str) -> None:
    try:
        confine(json.loads(orders), program)
        os.execve(program, [program, *arguments], ENVIRONMENT)
    except OSError as error:
        sys.stderr.write(f"jail: {error}\n")
        sys.exit(REFUSED_STATUS)


if __name__ == "__main__":
    main(*sys.argv[1:])
