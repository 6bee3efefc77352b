"""Threat 7: exhausting memory, processes, threads, descriptors, disk, output, warnings, recursion, shared memory."""

from __future__ import annotations

import pytest

attack = pytest.mark.attack


@attack("""
def attacked(x):
    return torch.ones(10 * 2**30, dtype=torch.uint8)
""")
def test_a_tensor_of_10_gb_is_an_exception_of_the_students(result):
    result.failed_alone("RuntimeError: .*(memory|alloc)")


@attack("""
def attacked(x):
    hoard = []
    while True:
        hoard.append(bytearray(2**24))
""")
def test_hoarding_memory_ends_at_the_limit(result):
    result.failed_alone("MemoryError|memory allowed|did not return within")


@attack("""
import mmap


def attacked(x):
    hoard = []
    for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
        attempt("map", lambda: hoard.append(mmap.mmap(-1, 8 * 2**30, flags | mmap.MAP_ANONYMOUS)) or True)
    attempt("lock", lambda: system(libc.mlockall(3)))
    verdict()
""")
def test_mapping_or_locking_memory_is_refused(result):
    result.was_refused()


@attack("""
import _thread, threading

threading.stack_size(2**15)


def attacked(x):
    lock = _thread.allocate_lock()
    lock.acquire()
    count = 0
    try:
        while count < 20_000:
            _thread.start_new_thread(lock.acquire, ())
            count += 1
    except (RuntimeError, MemoryError):
        pass
    raise RuntimeError(f"threads: {'un' * (count > 5_000)}bounded")
""")
def test_threads_are_bounded(result):
    result.failed_alone("threads: bounded|did not return within|memory allowed|ended")


@attack("""
def attacked(x):
    count = 0
    try:
        while True:
            os.dup(3)
            count += 1
    except OSError:
        pass
    raise RuntimeError(f"descriptors: {'un' * (count > 64)}bounded")
""")
def test_descriptors_are_bounded(result):
    result.failed_alone("descriptors: bounded")


@attack("""
def attacked(x):
    with open("big", "wb") as file:
        for _ in range(1000):
            file.write(bytes(2**20))
""")
def test_one_big_file_ends_at_the_limit(result):
    result.failed_alone("OSError|too much to disk|File too large")


@attack("""
def attacked(x):
    for number in range(10**6):
        with open(f"{number}", "wb") as file:
            file.write(bytes(2**23))
            os.sync if number < 40 else time.sleep(1)
""")
def test_several_big_files_end_the_worker(result):
    result.failed_alone("too much to disk|did not return within")


@attack("""
def attacked(x):
    number = 0
    while True:
        if number < 20_000:
            open(f"{number}", "w").close()
            number += 1
""")
def test_many_small_files_end_the_worker(result):
    result.failed_alone("too many files|did not return within")


@attack("""
def attacked(x):
    for _ in range(40):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    while True:
        pass
""")
def test_files_below_a_path_that_is_too_long_are_not_overlooked(result):
    result.failed_alone("too deeply|did not return within")


@attack("""
def attacked(x):
    os.mkdir("secret", 0o300)
    for number in range(16):
        with open(f"secret/{number}", "wb") as file:
            file.write(bytes(2**23))
    while True:
        pass
""")
def test_files_in_a_folder_that_cannot_be_listed_are_not_overlooked(result):
    result.failed_alone("hid what it wrote|too much to disk|did not return within")


@attack("""
def attacked(x):
    for depth in range(600):
        os.mkdir("d")
        os.chdir("d")
    while True:
        pass
""")
def test_deep_folders_are_wiped_as_well(result):
    """test_aftermath.py checks that nothing is left behind."""
    result.failed_alone("too deeply|did not return within")


@attack("""
def attacked(x):
    block = bytes(2**20)
    for _ in range(512):
        os.write(1, block)
        os.write(2, block)
    text = "x" * 2**20
    for _ in range(64):
        print(text)
        sys.stderr.write(text)
    return 3 * x
""")
def test_a_gigabyte_of_output_goes_nowhere(result):
    assert result.points == {"attacked": 6, "refusing": 2, "honest": 4} or result.status == "timeout"
    assert len(result.text) < 20_000


@attack("""
import warnings


def attacked(x):
    for number in range(10**6):
        warnings.warn(f"warning {number}")
    return 3 * x
""")
def test_a_million_warnings_disturb_nobody(result):
    assert result.honest_points == {"refusing": 2, "honest": 4}
    assert len(result.text) < 20_000


@attack("""
def attacked(x):
    return attacked(x)
""")
def test_endless_recursion_is_an_exception_of_the_students(result):
    result.failed_alone("RecursionError")


@attack("""
class Deep:
    def __getattr__(self, name):
        return repr(self)
    def __repr__(self):
        return str(self)


def attacked(x):
    sys.setrecursionlimit(10**9)
    return Deep().anything
""")
def test_recursion_without_a_limit_ends_the_worker(result):
    result.failed_alone("segmentation fault|memory allowed|MemoryError|did not return within|ended|RecursionError")


@attack("""
def attacked(x):
    while True:
        try:
            os.fork()
        except OSError:
            tried.append("fork")
            if len(tried) > 1000:
                verdict()
""")
def test_a_fork_bomb_does_not_go_off(result):
    result.was_refused("seccomp")


@attack("""
def attacked(x):
    from multiprocessing import shared_memory
    attempt("posix", lambda: shared_memory.SharedMemory(create=True, size=2**20))
    attempt("torch", lambda: x.share_memory_())
    attempt("file", lambda: open("/dev/shm/stray-of-a-submission", "w"))
    broken[:] = [text for text in broken if "torch_shm" not in text and "shared memory" not in text.lower()]
    verdict()
""")
def test_shared_memory_is_out_of_reach(result):
    result.was_refused("landlock", "seccomp")


@attack("""
def attacked(x):
    return [x] * 10**6, {str(n): n for n in range(30_000)}, "x" * 10**8, 10**5000, torch.zeros(2**27, dtype=torch.uint8)
""")
def test_a_huge_answer_is_a_wrong_answer(result):
    result.failed_alone("")


@attack("""
def attacked(x):
    return torch.zeros(2**26, 1, 1, dtype=torch.bool)
""")
def test_a_tensor_of_very_many_slices_is_shown_in_short(result):
    result.failed_alone("shape")
    assert len(result.text) < 20_000
