#include "step_tracer.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer.h"

void tracer_bind_to_one_core(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  int current = sched_getcpu();
  CPU_SET((size_t)(current < 0 ? 0 : current), &one);
  sched_setaffinity(0, sizeof(one), &one);
}

/* 0: it stopped, with `*signal`; else ECHILD. */
static int await_stop(pid_t child, int *signal) {
  int status;
  for (;;) {
    if (waitpid(child, &status, __WALL) == child) break;
    if (errno != EINTR) return errno;
  }
  if (!WIFSTOPPED(status)) return ECHILD;
  *signal = WSTOPSIG(status);
  return 0;
}

int tracer_is_mark(pid_t child) {
  siginfo_t info;
  if (ptrace(PTRACE_GETSIGINFO, child, NULL, &info) != 0) return 0;
#if defined(__x86_64__)
  return info.si_code == SI_KERNEL;
#else
  return info.si_code == TRAP_BRKPT;
#endif
}

int tracer_pass_mark(pid_t child) {
#if defined(__aarch64__)
  struct user_regs_struct registers;
  struct iovec area = {.iov_base = &registers, .iov_len = sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, child, (void *)1, &area) != 0) return errno;
  registers.pc += 4;
  return ptrace(PTRACE_SETREGSET, child, (void *)1, &area) == 0 ? 0 : errno;
#else
  (void)child;
  return 0;
#endif
}

/* Delivers `signal`, unless it is 0, and lets it run to the next mark. Signals that are on their way are
 * delivered. */
static int run_to_mark(pid_t child, int signal) {
  for (;;) {
    if (ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)signal) != 0) return errno;
    int failure = await_stop(child, &signal);
    if (failure) return failure;
    if (signal == SIGTRAP && tracer_is_mark(child)) return tracer_pass_mark(child);
  }
}

int step_begin(void (*body)(void *), void *context, pid_t *child) {
  tracer_bind_to_one_core();
  *child = fork();
  if (*child < 0) return errno;
  if (*child == 0) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    body(context);
    _exit(0);
  }
  int signal;
  int failure = await_stop(*child, &signal);
  if (!failure && ptrace(PTRACE_SETOPTIONS, *child, NULL, (void *)PTRACE_O_EXITKILL) != 0) {
    failure = errno;
  }
  return failure ? failure : run_to_mark(*child, 0);
}

int step_on(pid_t child, uint64_t count, uint64_t *done, int *at_end) {
  *at_end = 0;
  for (*done = 0; *done < count; ++*done) {
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) return errno;
    int signal;
    int failure = await_stop(child, &signal);
    if (failure) return failure;
    if (signal != SIGTRAP) return ECHILD;
    if (tracer_is_mark(child)) {
      *at_end = 1;
      return tracer_pass_mark(child);
    }
  }
  return 0;
}

int tracer_place_of(pid_t child, tracer_place *at) {
  struct user_regs_struct registers;
  struct iovec area = {.iov_base = &registers, .iov_len = sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, child, (void *)1, &area) != 0) return errno;
#if defined(__x86_64__)
  *at = (tracer_place){.instruction = registers.rip, .stack = registers.rsp};
#else
  *at = (tracer_place){.instruction = registers.pc, .stack = registers.sp};
#endif
  return 0;
}

int step_instruction(pid_t child, uint64_t *address) {
  tracer_place at = {0};
  int failure = tracer_place_of(child, &at);
  *address = at.instruction;
  return failure;
}

/* Steps of a handler's way back, at most. */
enum { WAY_BACK = 10000 };

int step_interrupt(pid_t child, int signal) {
  tracer_place before, now;
  int failure = tracer_place_of(child, &before);
  if (!failure) failure = run_to_mark(child, signal);
  for (int i = 0; !failure && i < WAY_BACK; i++) {
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) return errno;
    failure = await_stop(child, &signal);
    if (!failure) failure = tracer_place_of(child, &now);
    if (!failure && now.instruction == before.instruction && now.stack == before.stack) return 0;
  }
  return failure ? failure : ECHILD;
}

int step_finish(pid_t child, int at_end) {
  int failure = at_end ? 0 : run_to_mark(child, 0);
  if (failure) return failure;
  if (ptrace(PTRACE_DETACH, child, NULL, NULL) != 0) return errno;
  int status;
  while (waitpid(child, &status, __WALL) != child) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ECHILD;
}

int step_kill(pid_t child) {
  if (kill(child, SIGKILL) != 0) return errno;
  int status;
  for (;;) {
    if (waitpid(child, &status, __WALL) != child) {
      if (errno != EINTR) return errno;
    } else if (!WIFSTOPPED(status)) {
      return 0;
    }
  }
}
