#include "step_thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conclave_layout.h"
#include "tracer.h"
#include "watch.h"

/* MARK: Whoever stops */

static int go_on(pid_t who, int signal) {
  return ptrace(PTRACE_CONT, who, NULL, (void *)(intptr_t)signal) == 0 ? 0 : errno;
}

/* Of what has stopped or ended, and is not the thread that is stepped. */
static void let_other_go_on(step_thread *self, pid_t who, int status) {
  if (!WIFSTOPPED(status)) {
    if (who != self->process) return;
    self->is_gone = 1;
    self->status = status;
    return;
  }
  int signal = WSTOPSIG(status);
  /* Threads begin with SIGSTOP, and clone and exec are events; all else is the program's own. */
  int is_own = (status >> 16) == 0 && signal != SIGSTOP && signal != SIGTRAP;
  /* Who is being killed cannot go on, which is no fault. */
  (void)go_on(who, is_own ? signal : 0);
}

/* The next thread that stops or ends. */
static int await_any(pid_t *who, int *status) {
  for (;;) {
    *who = waitpid(-1, status, __WALL | __WNOTHREAD);
    if (*who > 0) return 0;
    if (errno != EINTR) return errno;
  }
}

/* Until the thread that is stepped stops or ends. */
static int await(step_thread *self, int *status) {
  for (;;) {
    pid_t who;
    int failure = await_any(&who, status);
    if (failure) return failure;
    if (who == self->thread) break;
    let_other_go_on(self, who, *status);
  }
  if (!WIFSTOPPED(*status)) self->has_ended = 1;
  return 0;
}

static int await_end(step_thread *self) {
  while (!self->is_gone) {
    pid_t who;
    int status;
    int failure = await_any(&who, &status);
    if (failure) return failure;
    if (who == self->thread && !WIFSTOPPED(status)) self->has_ended = 1;
    let_other_go_on(self, who, status);
  }
  return 0;
}

/* MARK: The beginning */

static void become(char *const words[], int input) {
  /* The same addresses each time, so that the same instructions come in the same order. */
  personality(ADDR_NO_RANDOMIZE);
  if (dup2(input, STDIN_FILENO) < 0) _exit(127);
  ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  raise(SIGSTOP);
  execv(words[0], words);
  _exit(127);
}

/* Until somebody comes to a mark. */
static int await_mark(step_thread *self, pid_t *who) {
  for (;;) {
    int status;
    int failure = await_any(who, &status);
    if (failure) return failure;
    if (*who == self->process && !WIFSTOPPED(status)) return ECHILD;
    int is_trap = WIFSTOPPED(status) && (status >> 16) == 0 && WSTOPSIG(status) == SIGTRAP;
    if (is_trap && tracer_is_mark(*who)) return tracer_pass_mark(*who);
    let_other_go_on(self, *who, status);
  }
}

/* Whether it sleeps: while who would wake it is stopped, it does so for good. */
static int is_asleep(const step_thread *self) {
  char path[64], text[256];
  snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", self->process, self->thread);
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  size_t count = fread(text, 1, sizeof(text) - 1, file);
  fclose(file);
  text[count] = 0;
  const char *name_end = strrchr(text, ')');
  return name_end && name_end[1] == ' ' && name_end[2] == 'S';
}

/* Stops the thread where it sleeps. */
static int take(step_thread *self) {
  int answer;
  while ((answer = is_asleep(self)) == 0) sched_yield();
  if (answer < 0) return ECHILD;
  if (syscall(SYS_tgkill, self->process, self->thread, SIGSTOP) != 0) return errno;
  int status;
  int failure = await(self, &status);
  if (failure) return failure;
  return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP ? 0 : ECHILD;
}

/* Lets the other one go on, and the thread until it has been woken. */
static int wake(step_thread *self, pid_t other) {
  int has_changed;
  int failure = go_on(other, 0);
  if (!failure) failure = step_thread_run(self, 1, NULL, &has_changed);
  if (!failure && self->has_ended) failure = ECHILD;
  self->calls = 0;
  self->since = 0;
  return failure;
}

int step_thread_begin(char *const words[], int input, step_thread *self) {
  static const long OPTIONS = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                              PTRACE_O_TRACESYSGOOD;
  memset(self, 0, sizeof(*self));
  tracer_bind_to_one_core();
  self->process = fork();
  if (self->process < 0) return errno;
  if (self->process == 0) become(words, input);
  int status;
  pid_t main, who;
  int failure = await_any(&main, &status);
  if (!failure && (main != self->process || !WIFSTOPPED(status))) failure = ECHILD;
  if (!failure && ptrace(PTRACE_SETOPTIONS, main, NULL, (void *)OPTIONS) != 0) failure = errno;
  if (!failure) failure = go_on(main, 0);
  if (!failure) failure = await_mark(self, &self->thread);
  if (!failure) failure = go_on(self->thread, 0);
  if (!failure) failure = await_mark(self, &who);
  if (!failure && who == self->thread) failure = ECHILD;
  if (!failure) failure = take(self);
  return failure ? failure : wake(self, who);
}

/* MARK: Steps */

typedef enum kind { PLAIN, CALL, MARK, REPEATED } kind;

/* What the thread executes next. */
typedef struct instruction {
  kind kind;
  uint32_t bytes; /* of one that is repeated */
  uint64_t address;
} instruction;

#if defined(__x86_64__)
static void classify(uint64_t word, instruction *next) {
  uint8_t code[3] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16)};
  if (code[0] == 0x0F && code[1] == 0x05) next->kind = CALL;
  if (code[0] == 0xCC) next->kind = MARK;
  /* Copies or fills memory, of any length: a step is one byte or word of it. */
  if (code[0] != 0xF3) return;
  next->bytes = code[1] == 0x48 ? 3 : 2;
  uint8_t repeated = code[next->bytes - 1] & 0xFE;
  if (repeated == 0xA4 || repeated == 0xAA) next->kind = REPEATED;
}
#else
static void classify(uint64_t word, instruction *next) {
  if ((uint32_t)word == 0xD4000001) next->kind = CALL;
  if ((uint32_t)word == 0xD4200000) next->kind = MARK;
}
#endif

static int next_instruction(pid_t thread, instruction *next) {
  tracer_place at = {0};
  int failure = tracer_place_of(thread, &at);
  if (failure) return failure;
  errno = 0;
  uint64_t word = (uint64_t)ptrace(PTRACE_PEEKTEXT, thread, (void *)at.instruction, NULL);
  if (errno) return errno;
  *next = (instruction){.kind = PLAIN, .address = at.instruction};
  classify(word, next);
  return 0;
}

/* Executes it; what is repeated, as one instruction. */
static int execute(step_thread *self, const instruction *next) {
  if (next->kind == REPEATED && step_run_past(self->thread, next->address + next->bytes) == 0) return 0;
  if (ptrace(PTRACE_SINGLESTEP, self->thread, NULL, NULL) == 0) return 0;
  /* Somebody else has ended the process, which is to be waited for. */
  return errno == ESRCH ? 0 : errno;
}

/* One instruction, with the events that come with it. */
static int step(step_thread *self, kind *done) {
  instruction next = {0};
  int failure = next_instruction(self->thread, &next);
  if (failure == ESRCH) failure = 0;
  int status = 0;
  do {
    if (!failure) failure = execute(self, &next);
    if (!failure) failure = await(self, &status);
    if (failure || self->has_ended) return failure;
  } while ((status >> 16) != 0);
  if (WSTOPSIG(status) != SIGTRAP) return ECHILD;
  self->steps++;
  self->since++;
  *done = next.kind;
  switch (next.kind) {
    case PLAIN: return 0;
    case REPEATED: return step_watch_nothing(self->thread);
    case MARK: self->marks++; return tracer_pass_mark(self->thread);
    case CALL:
      self->calls++;
      self->since = 0;
      return 0;
  }
  return ECHILD;
}

/* Whether something has changed, which is taken over. */
static int look(const step_sight *sight) {
  if (!sight || memcmp(sight->now, sight->before, sight->bytes) == 0) return 0;
  memcpy(sight->before, sight->now, sight->bytes);
  return 1;
}

int step_thread_on(step_thread *self, uint64_t count, const step_sight *sight, int *has_changed) {
  *has_changed = 0;
  for (uint64_t i = 0; i < count && !self->has_ended; i++) {
    /* Others have done that. What they do during a step is taken for the thread's, which does no harm. */
    look(sight);
    kind done = PLAIN;
    int failure = step(self, &done);
    if (failure) return failure;
    *has_changed = look(sight);
    if (done == CALL || *has_changed) return 0;
  }
  return 0;
}

/* 1 when it has come back from a system call, and 0 when it is about to make one. */
static int has_come_back(pid_t thread) {
  struct __ptrace_syscall_info info;
  long size = ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof(info), &info);
  return size > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

int step_thread_run(step_thread *self, uint64_t calls, const step_sight *sight, int *has_changed) {
  *has_changed = 0;
  while (self->calls < calls) {
    if (ptrace(PTRACE_SYSCALL, self->thread, NULL, NULL) != 0 && errno != ESRCH) return errno;
    int status;
    int failure = await(self, &status);
    if (failure || self->has_ended) return failure;
    int signal = WSTOPSIG(status);
    if ((status >> 16) != 0) continue;
    if (signal == (SIGTRAP | 0x80)) {
      self->calls += has_come_back(self->thread) != 0;
    } else if (signal == SIGTRAP && tracer_is_mark(self->thread)) {
      self->marks++;
      failure = tracer_pass_mark(self->thread);
    } else {
      failure = ECHILD;
    }
    if (failure) return failure;
  }
  self->since = 0;
  *has_changed = look(sight);
  return 0;
}

/* MARK: The end */

int step_thread_kill(step_thread *self) {
  if (self->is_gone) return 0;
  if (kill(self->process, SIGKILL) != 0) return errno;
  return await_end(self);
}

int step_thread_finish(step_thread *self) {
  if (!self->has_ended) {
    int failure = go_on(self->thread, 0);
    if (failure && failure != ESRCH) return failure;
  }
  return await_end(self);
}

/* MARK: The segment */

uint64_t step_segment_mirrored(const uint8_t *segment) {
  const conclave_board *board = (const conclave_board *)(const void *)(segment + CONCLAVE_PAGE);
  return atomic_load(&board->mirror.mirrored);
}

uint64_t step_segment_seen(const uint8_t *segment) {
  const conclave_segment_header *header = (const conclave_segment_header *)(const void *)segment;
  const conclave_geometry *geometry = &header->geometry;
  /* Lane headers and lanes are the last, and whole pages. */
  return header->segment_bytes - (uint64_t)geometry->lane_count *
                                     (CONCLAVE_LANE_HEADER_BYTES + (uint64_t)geometry->lane_bytes);
}

void step_segment_move(uint8_t *segment, const char *path) {
  conclave_segment_header *header = (conclave_segment_header *)(void *)segment;
  size_t bytes = strlen(path);
  if (bytes > sizeof(header->path)) return;
  memset(header->path, 0, sizeof(header->path));
  memcpy(header->path, path, bytes);
  header->path_bytes = (uint32_t)bytes;
}
