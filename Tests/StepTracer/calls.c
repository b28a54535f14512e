#include "step_calls.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls_life.h"
#include "step_tracer.h"
#include "tracer.h"

static const int ERRORS[] = {EINTR, EAGAIN, ENOMEM, EMFILE, ENOSPC,
                             EIO,   EPERM,  EINVAL, ENOSYS, ENOENT, EACCES};
enum { ERROR_COUNT = sizeof(ERRORS) / sizeof(ERRORS[0]) };

/* MARK: One call */

/* Reads or writes the number of the system call that is about to be made. */
static int call_number(pid_t child, int64_t *number, int is_set) {
#if defined(__x86_64__)
  struct user_regs_struct registers;
  struct iovec area = {.iov_base = &registers, .iov_len = sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &area) != 0) return errno;
  if (!is_set) {
    *number = (int64_t)registers.orig_rax;
    return 0;
  }
  registers.orig_rax = (unsigned long long)*number;
  return ptrace(PTRACE_SETREGSET, child, (void *)NT_PRSTATUS, &area) == 0 ? 0 : errno;
#else
  int value = (int)*number;
  struct iovec area = {.iov_base = &value, .iov_len = sizeof(value)};
  int request = is_set ? PTRACE_SETREGSET : PTRACE_GETREGSET;
  if (ptrace(request, child, (void *)NT_ARM_SYSTEM_CALL, &area) != 0) return errno;
  *number = value;
  return 0;
#endif
}

static int set_outcome(pid_t child, int64_t outcome) {
  struct user_regs_struct registers;
  struct iovec area = {.iov_base = &registers, .iov_len = sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &area) != 0) return errno;
#if defined(__x86_64__)
  registers.rax = (unsigned long long)outcome;
#else
  registers.regs[0] = (unsigned long long)outcome;
#endif
  return ptrace(PTRACE_SETREGSET, child, (void *)NT_PRSTATUS, &area) == 0 ? 0 : errno;
}

/* The kernel has closed, or unmapped, even where it says that it failed. */
static int is_done_anyway(int64_t number) { return number == SYS_close || number == SYS_munmap; }

/* They "are always successful", their manual pages say. */
static int never_fails(int64_t number) {
  return number == SYS_getpid || number == SYS_gettid || number == SYS_getuid ||
         number == SYS_geteuid || number == SYS_getgid || number == SYS_getegid;
}

/* MARK: One life */

typedef struct fate {
  uint64_t call;  /* the one that fails; UINT64_MAX: none */
  uint64_t count; /* of calls so far */
  int64_t number; /* what the one that failed was */
  int32_t error;
  pid_t child;
} fate;

/* Lets it run to the next stop: 0 with the signal, 1 when it is gone. */
static int next_stop(fate *fate, int signal, int *stop) {
  if (ptrace(PTRACE_SYSCALL, fate->child, NULL, (void *)(intptr_t)signal) != 0) return 1;
  int status;
  while (waitpid(fate->child, &status, __WALL) != fate->child) {
    if (errno != EINTR) return 1;
  }
  if (!WIFSTOPPED(status)) return 1;
  *stop = WSTOPSIG(status);
  return 0;
}

/* It stands before a call. */
static int pass_call(fate *fate) {
  int is_it = fate->count++ == fate->call;
  int64_t none = -1;
  int stop;
  if (is_it) {
    int failure = call_number(fate->child, &fate->number, 0);
    if (failure) return failure;
    is_it = !never_fails(fate->number);
  }
  if (is_it && !is_done_anyway(fate->number)) {
    int failure = call_number(fate->child, &none, 1);
    if (failure) return failure;
  }
  if (next_stop(fate, 0, &stop) != 0) return ECHILD;
  return is_it ? set_outcome(fate->child, -(int64_t)fate->error) : 0;
}

/* From its first mark to its second. ECHILD: it has died. */
static int run_life(fate *fate) {
  int signal = 0, stop;
  for (;;) {
    if (next_stop(fate, signal, &stop) != 0) return ECHILD;
    signal = 0;
    if (stop == (SIGTRAP | 0x80)) {
      int failure = pass_call(fate);
      if (failure) return failure;
    } else if (stop == SIGTRAP && tracer_is_mark(fate->child)) {
      return tracer_pass_mark(fate->child);
    } else {
      signal = stop;
    }
  }
}

/* MARK: What is left */

static int64_t count_entries(const char *directory) {
  DIR *entries = opendir(directory);
  if (!entries) return -1;
  int64_t count = 0;
  for (const struct dirent *entry; (entry = readdir(entries));) count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

static int64_t open_files(pid_t child) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/fd", (int)child);
  return count_entries(path);
}

/* Of segments, also of those that have lost their name. */
static int64_t mappings(pid_t child) {
  char path[64], line[1024];
  snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  int64_t count = 0;
  while (fgets(line, sizeof(line), file)) count += strstr(line, "/conclave-step-") != NULL;
  fclose(file);
  return count;
}

static void judge_life(calls_life *life, int64_t files_before, int64_t files, int64_t mapped) {
  step_world *world = &life->world;
  const calls_report *report = life->report;
  if (report->failure) {
    step_fault(world, "deed %u fails with %d whenever it is done again", report->deed,
               report->failure);
  }
  if (report->wrong) step_fault(world, "%u messages are wrong", report->wrong);
  if (files != files_before) {
    step_fault(world, "%lld files are open, not %lld", (long long)files, (long long)files_before);
  }
  if (mapped != 0) step_fault(world, "%lld mappings are left", (long long)mapped);
  if (count_entries(life->own.directory) != 0) step_fault(world, "a file is left");
}

static void judge_others(step_world *world) {
  step_message expected[CALLS_PUBLISHED];
  for (uint32_t i = 0; i < CALLS_PUBLISHED; i++) {
    expected[i] = (step_message){.sender = STEP_VICTIM, .number = i + 1};
  }
  step_expect(world, expected, CALLS_PUBLISHED);
  conclave_publisher newcomer;
  if (step_newcomer(world, 0, &newcomer)) return;
  step_go_on(world, &newcomer, 3);
  conclave_publisher_leave(&newcomer);
  conclave_subscriber patient;
  int failure = step_enter(world, 1, &patient);
  if (failure) {
    step_fault(world, "a new subscription gets %d", failure);
    return;
  }
  conclave_subscriber_leave(&patient);
  conclave_subscriber_free(&patient);
}

/* MARK: All of them */

static int trace(calls_life *life, fate *fate) {
  int failure = step_begin(calls_live, life, &fate->child);
  if (failure) return failure;
  long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
  if (ptrace(PTRACE_SETOPTIONS, fate->child, NULL, (void *)options) != 0) return errno;
  int64_t before = open_files(fate->child);
  if (run_life(fate) != 0) {
    step_fault(&life->world, "it died, or came to no end");
    return 0;
  }
  judge_life(life, before, open_files(fate->child), mappings(fate->child));
  if (step_finish(fate->child, 1) != 0) step_fault(&life->world, "it ends badly");
  return 0;
}

static int live_once(calls_life *life, fate *fate, step_calls_result *result) {
  memset(life->report, 0, sizeof(*life->report));
  int failure = step_world_make(&life->world);
  if (!failure) failure = step_world_place(&life->own);
  if (!failure) failure = trace(life, fate);
  if (failure) return failure;
  judge_others(&life->world);
  result->refused += life->report->refused > 0;
  if (life->world.fault[0]) {
    snprintf(result->fault, sizeof(result->fault), "call %lld (number %lld), error %d: %.120s",
             (long long)fate->call, (long long)fate->number, fate->error, life->world.fault);
    step_world_unlink(&life->own);
  }
  step_world_remove(&life->world);
  rmdir(life->own.directory);
  return 0;
}

static int live_all(calls_life *life, uint64_t places, step_calls_result *result) {
  fate unharmed = {.call = UINT64_MAX};
  int failure = live_once(life, &unharmed, result);
  if (!failure && life->report->refused) {
    snprintf(result->fault, sizeof(result->fault), "it is refused though no call fails");
  }
  result->calls = unharmed.count;
  uint64_t stride = places && result->calls > places ? result->calls / places : 1;
  for (uint64_t call = 0; call < result->calls; call += stride) {
    for (int i = 0; i < ERROR_COUNT; i++) {
      if (failure || result->fault[0]) return failure;
      fate fate = {.call = call, .error = ERRORS[i]};
      failure = live_once(life, &fate, result);
      result->lives++;
    }
  }
  return failure;
}

int step_calls_sweep(uint64_t places, step_calls_defect defect, step_calls_result *result) {
  memset(result, 0, sizeof(*result));
  calls_life *life = calloc(1, sizeof(*life));
  if (!life) return ENOMEM;
  life->defect = defect;
  void *shared =
      mmap(NULL, CONCLAVE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int failure = shared == MAP_FAILED ? errno : 0;
  life->report = shared;
  if (!failure) failure = live_all(life, places, result);
  if (shared != MAP_FAILED) munmap(shared, CONCLAVE_PAGE);
  free(life);
  return failure;
}
