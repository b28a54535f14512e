#include "step_attack.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "step_tracer.h"

/* MARK: In the laboratory */

enum { VALUES = 21 };

/* The hostile values of a word that is `value` now. */
static uint64_t hostile_value(const lab *lab, const lab_field *field, uint64_t value,
                              uint64_t sibling, uint32_t which) {
  const conclave_view *view = &lab->world.whole;
  switch (which) {
    case 0: return 0;
    case 1: return 1;
    case 2: return UINT64_MAX;
    case 3: return INT32_MAX;
    case 4: return UINT64_C(1) << 31;
    case 5: return UINT32_MAX;
    case 6: return UINT64_C(1) << 32;
    case 7: return INT64_MAX;
    case 8: return UINT64_C(1) << 63;
    case 9: return UINT64_MAX - 1;
    case 10: return value + 1;
    case 11: return value - 1;
    case 12: return value + field->lap;
    case 13: return value - field->lap;
    case 14: return sibling;
    case 15: return view->bytes;
    case 16: return (uint64_t)(uintptr_t)(view->base + view->bytes);
    case 17: return value ^ UINT64_C(1) << (lab->turn * 7 % 64);
    /* The length of a record that is longer than any. */
    case 18: return (value & ~UINT64_C(0xFFFFFFFF)) | (view->record_limit + 64);
    default: return (lab->turn + which) * UINT64_C(0x9E3779B97F4A7C15);
  }
}

static uint64_t load(const void *place, uint32_t width) {
  uint64_t value = 0;
  memcpy(&value, place, width);
  return value;
}

/* In the copy. */
static void do_act(lab *lab, const lab_field *field, uint32_t which) {
  lab->current = *field;
  if (lab->attack->hostility == STEP_TRUNCATE) {
    lab->is_truncated = 1;
    ptrdiff_t size = (uint8_t *)field->place - lab->world.whole.base;
    if (ftruncate(lab->world.whole.descriptor, size) != 0) lab_fault(lab, "cannot truncate");
    return;
  }
  uint64_t value = load(field->place, field->width);
  uint64_t sibling = load(field->sibling, field->width);
  uint64_t hostile = hostile_value(lab, field, value, sibling, which);
  memcpy(field->place, &hostile, field->width);
}

/* Ends what does not end: by its processor time, and by the clock when it sleeps. */
static void set_limits(void) {
  struct itimerval limit = {.it_value = {.tv_usec = 200000}};
  setitimer(ITIMER_PROF, &limit, NULL);
  alarm(60);
}

static void put_back(lab *lab) {
  const conclave_view *whole = &lab->world.whole;
  if (lab->attack->hostility == STEP_TRUNCATE &&
      ftruncate(whole->descriptor, (off_t)whole->bytes) != 0) {
    lab_fault(lab, "cannot put the segment back");
  }
  memcpy(whole->base, lab->image, whole->bytes);
}

static void note(lab *lab, const lab_field *field, uint32_t which, int status) {
  lab_report *report = lab->report;
  const lab_verdict *verdict = &report->verdict;
  step_result *result = &report->result;
  result->points++;
  result->believed += verdict->believed;
  result->stalled += verdict->stalled;
  if (verdict->work_ns > result->longest_ns) result->longest_ns = verdict->work_ns;
  char why[180];
  if (WIFSIGNALED(status)) {
    int signal = WTERMSIG(status);
    if (signal == SIGPROF || signal == SIGALRM) {
      result->hangs++;
      snprintf(why, sizeof(why), "does not come to an end");
    } else {
      result->deaths++;
      snprintf(why, sizeof(why), "dies of signal %d", signal);
    }
  } else if (!verdict->is_ended) {
    snprintf(why, sizeof(why), "ends with %d", WEXITSTATUS(status));
  } else if (verdict->fault[0]) {
    result->wrongs++;
    snprintf(why, sizeof(why), "%s", verdict->fault);
  } else {
    return;
  }
  result->faults++;
  if (!result->fault[0]) {
    snprintf(result->fault, sizeof(result->fault), "%s, value %u: %s", field->name, which, why);
    result->place = result->length;
  }
}

/* Returns in the copy alone 1. */
static int try_act(lab *lab, const lab_field *field, uint32_t which) {
  memset(&lab->report->verdict, 0, sizeof(lab->report->verdict));
  /* Not fork, whose handlers would say that the copy is another process. */
  pid_t copy = _Fork();
  if (copy == 0) {
    lab->is_copy = 1;
    set_limits();
    do_act(lab, field, which);
    lab->began_ns = lab_processor_ns();
    return 1;
  }
  int status = 0;
  while (copy > 0 && waitpid(copy, &status, 0) != copy && errno == EINTR) {
  }
  if (copy < 0) lab_fault(lab, "cannot fork");
  put_back(lab);
  note(lab, field, which, status);
  return 0;
}

void lab_try_acts(int signal) {
  (void)signal;
  lab *lab = lab_of_process();
  int saved = errno;
  memcpy(lab->image, lab->world.whole.base, lab->world.whole.bytes);
  uint32_t values = lab->attack->hostility == STEP_TRUNCATE ? 1 : VALUES;
  uint64_t acts = (uint64_t)lab->field_count * values;
  int is_sample = lab->attack->places != 0 && acts > STEP_ACTS_OF_A_SAMPLE;
  uint64_t tries = is_sample ? STEP_ACTS_OF_A_SAMPLE : acts;
  for (uint64_t i = 0; i < tries; i++) {
    /* A step that has no factor in common with the number of acts, nearly always. */
    uint64_t act = is_sample ? lab->turn * 1009 % acts : i;
    lab->turn++;
    if (try_act(lab, &lab->fields[act / values], (uint32_t)(act % values))) {
      errno = saved;
      return;
    }
  }
  errno = saved;
  step_mark();
}

/* MARK: The tracer */

int step_can_attack(step_action action) {
  return action < STEP_LEAVE || (action > STEP_LEAVE && action < STEP_DEPART);
}

/* Takes the laboratory through its deed, and lets it try acts at each instruction that comes after `stride`
 * others; UINT64_MAX: nowhere. One that repeats itself is one, however many steps it takes. */
static int go_through(lab_order *order, uint64_t stride, uint64_t *length) {
  pid_t child;
  int at_end = 0;
  uint64_t last = 0;
  *length = 0;
  int failure = step_begin(lab_act, order, &child);
  while (!failure && !at_end) {
    uint64_t instruction = 0, done = 0;
    failure = step_instruction(child, &instruction);
    if (!failure && instruction != last) {
      if (stride != UINT64_MAX && *length % stride == 0) failure = step_interrupt(child, SIGUSR1);
      ++*length;
    }
    last = instruction;
    if (!failure) failure = step_on(child, 1, &done, &at_end);
  }
  return failure ? failure : step_finish(child, at_end);
}

int step_attack_sweep(const step_case *what, const step_attack *attack, step_result *result) {
  memset(result, 0, sizeof(*result));
  if (!step_can_attack(what->action)) return ENOTSUP;
  lab_report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (report == MAP_FAILED) return errno;
  lab_order order = {.what = what, .attack = attack, .report = report};
  uint64_t length = 0;
  uint64_t places = attack->places;
  int failure = places ? go_through(&order, UINT64_MAX, &length) : 0;
  uint64_t stride = places && length > places ? length / places : 1;
  if (!failure) failure = go_through(&order, stride, &report->result.length);
  *result = report->result;
  munmap(report, sizeof(*report));
  return failure;
}
