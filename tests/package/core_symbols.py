#!/usr/bin/env python3
"""Checks what the shared library of core needs at run time.

Its NEEDED entries may be the C++ runtime, libc and threads only (and the run-time libraries of a sanitizer);
its undefined symbols may not be a call that reaches files, sockets, processes, the environment or a random
source, nor anything of a third-party library.
"""
import argparse
import re
import subprocess
import sys

ALLOWED_NEEDED = re.compile(r"^(libstdc\+\+|libgcc_s|libc|libm|libpthread|ld-linux[-\w]*|lib[aut]b?san)\.so(\.\d+)*$")

# Whole names of C functions, without the glibc suffixes 64, _2, _chk and leading underscores.
BANNED_CALLS = frozenset("""
open openat openat2 creat fopen fdopen freopen read readv pread preadv write writev pwrite pwritev
fsync fdatasync sync syncfs msync mmap ftruncate truncate fallocate posix_fallocate
rename renameat renameat2 unlink unlinkat remove link linkat symlink symlinkat mkdir mkdirat rmdir
opendir readdir stat lstat fstat fstatat statx statfs statvfs access chmod fchmod flock lockf fcntl ioctl
socket connect bind listen accept send sendto sendmsg recv recvfrom recvmsg getaddrinfo pipe eventfd
fork vfork execve execv execvp posix_spawn system popen kill
getenv secure_getenv setenv getpid gethostname
sleep usleep nanosleep rand srand random getrandom getentropy arc4random
""".split())

BANNED_CXX = re.compile(
    r"std::filesystem|std::basic_filebuf|std::basic_[io]?fstream|std::random_device|simdjson|rapidjson|CLI::")
BANNED_C_PREFIX = re.compile(r"^(crc32_|crc16_|isal_|ec_|SSL_|curl_|sqlite3_)")


def bare(symbol):
    """`__open64_2@GLIBC_2.7` -> `open`."""
    name = symbol.split("@")[0]
    if name.startswith("_Z"):
        return name
    name = re.sub(r"^_+(libc_|isoc99_|isoc23_)?", "", name)
    return re.sub(r"(64)?(_nocancel|_2|_chk)?$", "", name)


def symbol_violation(symbol, demangled):
    if bare(symbol) in BANNED_CALLS:
        return f"calls {bare(symbol)}()"
    if BANNED_C_PREFIX.match(symbol) or BANNED_CXX.search(demangled):
        return f"uses {demangled}"
    return None


def violations(needed, symbols):
    """`symbols`: pairs of a raw and a demangled name."""
    found = [f"needs {name}" for name in needed if not ALLOWED_NEEDED.match(name)]
    found += [v for raw, demangled in symbols if (v := symbol_violation(raw, demangled))]
    return found


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def examine(library, nm, readelf):
    dynamic = run(readelf, "-d", library)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    raw = [line.split()[-1] for line in run(nm, "-D", "--undefined-only", library).splitlines()]
    demangled = [line.split(maxsplit=1)[-1]
                 for line in run(nm, "-D", "-C", "--undefined-only", library).splitlines()]
    if "Dynamic section" not in dynamic or not raw or len(raw) != len(demangled):
        sys.exit(f"cannot read {library}")
    return violations(needed, list(zip(raw, demangled)))


def self_test():
    clean = ["libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6", "libasan.so.8", "libubsan.so.1",
             "libtsan.so.2", "ld-linux-x86-64.so.2"]
    assert violations(clean, [("memcpy@GLIBC_2.14", "memcpy@GLIBC_2.14"),
                              ("pthread_mutex_lock@GLIBC_2.2.5", "pthread_mutex_lock@GLIBC_2.2.5"),
                              ("_ZSt9terminatev", "std::terminate()")]) == []
    for name in ("libsimdjson.so.14", "libisal.so.2", "librt.so.1", "libcrypto.so.3"):
        assert violations([name], []), name
    for name in ("open@GLIBC_2.2.5", "open64@GLIBC_2.2.5", "__open64_2@GLIBC_2.7", "__read_chk@GLIBC_2.4",
                 "fdatasync@GLIBC_2.2.5", "socket@GLIBC_2.2.5", "getenv@GLIBC_2.2.5", "crc32_iscsi"):
        assert violations([], [(name, name)]), name
    assert violations([], [("_ZN8x", "std::filesystem::status(std::filesystem::path const&)@GLIBCXX_3.4")])
    assert violations([], [("_ZN8x", "std::basic_filebuf<char>::open(char const*)@GLIBCXX_3.4")])
    assert violations([], [("_ZN8x", "simdjson::dom::parser::parse()")])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", nargs="?")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--readelf", default="readelf")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return
    found = examine(arguments.library, arguments.nm, arguments.readelf)
    for violation in found:
        print(f"{arguments.library}: core {violation}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
