#include "watch.h"

#include <errno.h>

#if defined(__x86_64__)

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

static int set(pid_t child, size_t index, uint64_t value) {
  size_t offset = offsetof(struct user, u_debugreg) + index * sizeof(uint64_t);
  return ptrace(PTRACE_POKEUSER, child, (void *)offset, (void *)(uintptr_t)value) == 0 ? 0 : errno;
}

static uint64_t get(pid_t child, size_t index) {
  size_t offset = offsetof(struct user, u_debugreg) + index * sizeof(uint64_t);
  return (uint64_t)ptrace(PTRACE_PEEKUSER, child, (void *)offset, NULL);
}

/* Watchpoint 0 for reading and writing, 1 for writing alone. See the processor's manual: per watchpoint 4
 * bits from bit 16 on, what it watches for and the width. */
static int arm(pid_t child, const void *place, uint32_t width) {
  enum { STATUS = 6, CONTROL = 7, WRITES = 1, BOTH = 3, WIDE = 2, NARROW = 3 };
  uint64_t bytes = width == 8 ? WIDE : NARROW;
  uint64_t control = 1u << 0 | 1u << 2 | (BOTH | bytes << 2) << 16 | (WRITES | bytes << 2) << 20;
  int failure = set(child, 0, (uintptr_t)place);
  if (!failure) failure = set(child, 1, (uintptr_t)place);
  if (!failure) failure = set(child, STATUS, 0);
  return failure ? failure : set(child, CONTROL, control);
}

int step_watch(pid_t child, const void *place, uint32_t width, uint32_t *fetches) {
  *fetches = 0;
  if (arm(child, place, width)) return ENOTSUP;
  for (;;) {
    int status;
    if (ptrace(PTRACE_CONT, child, NULL, NULL) != 0) return errno;
    if (waitpid(child, &status, __WALL) != child) return errno;
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) return ECHILD;
    siginfo_t info;
    if (ptrace(PTRACE_GETSIGINFO, child, NULL, &info) != 0) return errno;
    if (info.si_code == SI_KERNEL) return set(child, 7, 0);
    uint64_t hits = get(child, 6);
    if ((hits & 3) == 1) ++*fetches;
    int failure = set(child, 6, 0);
    if (failure) return failure;
  }
}

/* Watchpoint 0 for execution. */
int step_run_past(pid_t thread, uint64_t address) {
  int failure = set(thread, 0, address);
  if (!failure) failure = set(thread, 6, 0);
  if (!failure) failure = set(thread, 7, 1u << 0);
  if (failure) return ENOTSUP;
  return ptrace(PTRACE_CONT, thread, NULL, NULL) == 0 ? 0 : errno;
}

int step_watch_nothing(pid_t thread) { return set(thread, 7, 0); }

#else

int step_run_past(pid_t thread, uint64_t address) {
  (void)thread, (void)address;
  return ENOTSUP;
}

int step_watch_nothing(pid_t thread) {
  (void)thread;
  return 0;
}

int step_watch(pid_t child, const void *place, uint32_t width, uint32_t *fetches) {
  (void)child, (void)place, (void)width, (void)fetches;
  return ENOTSUP;
}

#endif
