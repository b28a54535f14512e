#include "lab.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "defect.h"
#include "step_tracer.h"

static lab the_lab;

lab *lab_of_process(void) { return &the_lab; }

void lab_fault(lab *lab, const char *format, ...) {
  char *fault = lab->is_copy ? lab->report->verdict.fault : lab->report->result.fault;
  if (fault[0]) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(fault, sizeof(lab->report->verdict.fault), format, arguments);
  va_end(arguments);
}

/* The tracer notices by the exit code that the world could not be prepared. */
static void require(lab *lab, int is_good, const char *what) {
  if (is_good) return;
  lab_fault(lab, "could not be prepared: %s", what);
  _exit(3);
}

/* MARK: Preparing */

static void end_copy(int signal);

/* Copies of this process take part in the world, which those that users fork must not. */
static void keep_over_fork(const conclave_view *view) {
  madvise(view->base, view->bytes, MADV_DOFORK);
}

/* Whoever writes or reads behind the scratch memory's end dies of it. */
static void guard_scratch(lab *lab) {
  uint32_t bytes = lab->reader.view.record_limit;
  uint8_t *area = mmap(NULL, bytes + (size_t)CONCLAVE_PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(lab, area != MAP_FAILED && bytes % CONCLAVE_PAGE == 0, "scratch");
  require(lab, mprotect(area + bytes, CONCLAVE_PAGE, PROT_NONE) == 0, "a guard page");
  free(lab->reader.scratch);
  lab->reader.scratch = (uint64_t *)(void *)area;
}

static void say(lab *lab, conclave_publisher *publisher, uint32_t sender) {
  step_words words = step_words_of(sender, lab->world.next[sender]++, lab->what->bytes);
  require(lab, step_publish(publisher, &words) == 0, "messages");
}

static void leave_messages(lab *lab) {
  for (int i = 0; i < LAB_PAIRS; i++) {
    say(lab, &lab->world.survivor, STEP_SURVIVOR);
    say(lab, &lab->other, STEP_NEWCOMER);
  }
}

/* Once joined and left before, so that the linker has found everything. */
static void prepare_joining(lab *lab) {
  int back_pressure = lab->what->action == STEP_ENTER;
  require(lab, step_enter(&lab->world, back_pressure, &lab->reader) == 0, "a subscription");
  conclave_subscriber_leave(&lab->reader);
  conclave_subscriber_free(&lab->reader);
  require(lab, step_world_open(&lab->world, CONCLAVE_SUBSCRIBE, &lab->view) == 0, "a mapping");
  keep_over_fork(&lab->view);
}

/* A publisher of lane 1 that knows nothing of the rows yet, so that its deed looks at them. */
static void prepare_publishing(lab *lab) {
  conclave_publisher_leave(&lab->other);
  if (lab->what->action == STEP_JOIN) {
    require(lab, step_world_open(&lab->world, CONCLAVE_PUBLISH, &lab->view) == 0, "a mapping");
    return keep_over_fork(&lab->view);
  }
  require(lab, step_newcomer(&lab->world, 0, &lab->other) == 0, "a publisher");
  keep_over_fork(&lab->other.view);
  for (uint32_t i = 0; i < lab->what->before; i++) say(lab, &lab->world.survivor, STEP_SURVIVOR);
}

/* Where the deed itself has the word that the tracer asks for: its own mapping. */
static void show_watched(lab *lab) {
  uint32_t index = lab->report->watched_index;
  lab_field *watched = &lab->report->watched;
  *watched = index < lab->field_count ? lab->fields[index] : (lab_field){0};
  const conclave_view *own = lab->view.base                      ? &lab->view
                             : lab->what->action == STEP_PUBLISH ? &lab->other.view
                                                                 : &lab->reader.view;
  ptrdiff_t offset = (uint8_t *)watched->place - lab->world.whole.base;
  if (watched->width) watched->place = own->base + offset;
}

static void prepare(lab *lab) {
  step_world *world = &lab->world;
  require(lab, step_world_make(world) == 0, "a world");
  require(lab, step_newcomer(world, 0, &lab->other) == 0, "a publisher");
  step_go_on(world, &lab->other, 100);
  require(lab, !world->fault[0], world->fault);
  keep_over_fork(&world->whole);
  keep_over_fork(&world->survivor.view);
  keep_over_fork(&world->dropping.subscriber.view);
  keep_over_fork(&world->patient.subscriber.view);
  keep_over_fork(&lab->other.view);
  memcpy(lab->first, world->next, sizeof(lab->first));
  switch (lab->what->action) {
    case STEP_RECEIVE:
    case STEP_CONSUME: {
      int back_pressure = lab->what->action == STEP_CONSUME;
      require(lab, step_enter(world, back_pressure, &lab->reader) == 0, "a subscription");
      keep_over_fork(&lab->reader.view);
      if (!back_pressure) guard_scratch(lab);
      leave_messages(lab);
      break;
    }
    case STEP_SUBSCRIBE:
    case STEP_ENTER:
      prepare_joining(lab);
      break;
    default:
      prepare_publishing(lab);
  }
  if (lab->what->asleep) conclave_event_prepare(&world->whole.board->data);
  lab->image = malloc(world->whole.bytes);
  require(lab, lab->image != NULL, "memory");
  lab_list_fields(lab);
  show_watched(lab);
  struct sigaction try = {.sa_handler = lab_try_acts}, end = {.sa_handler = end_copy};
  require(lab, sigaction(SIGUSR1, &try, NULL) == 0, "a handler");
  require(lab, sigaction(SIGTRAP, &end, NULL) == 0, "a handler");
}

/* MARK: The deed */

uint64_t lab_processor_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The second mark: the tracer's, in the original; in a copy, which nobody traces, its trap's signal comes. */
static void end_deed(lab *lab) {
  step_mark();
  step_world_remove(&lab->world);
  _exit(0);
}

static void end_copy(int signal) {
  (void)signal;
  lab *lab = &the_lab;
  lab->report->verdict.work_ns = lab_processor_ns() - lab->began_ns;
  lab_judge(lab);
  lab->report->verdict.is_ended = 1;
  _exit(0);
}

static void deed_of_publishing(lab *lab) {
  step_words words = step_words_of(STEP_NEWCOMER, lab->world.next[STEP_NEWCOMER], lab->what->bytes);
  step_mark();
  lab->failure = step_publish(&lab->other, &words);
  end_deed(lab);
}

static void deed_of_receiving(lab *lab) {
  conclave_subscriber *reader = &lab->reader;
  conclave_record record;
  lab->is_reader = 1;
  step_mark();
  conclave_outcome outcome = lab->attack->defect == STEP_DOUBLE_FETCH
                                 ? defective_receive(reader, &record)
                                 : conclave_receive(reader, &record);
  if (outcome == CONCLAVE_RECORD) {
    if (record.body_bytes <= sizeof(lab->words.words)) {
      memcpy(lab->words.words, record.body, record.body_bytes);
    }
    conclave_release(reader);
    /* What lay in place may have been cut off while it was copied. */
    if (conclave_view_is_lost(&reader->view)) outcome = CONCLAVE_GONE;
  }
  conclave_subscriber_flush(reader);
  lab->outcome = (uint32_t)outcome;
  lab->record = record;
  end_deed(lab);
}

static void deed_of_joining(lab *lab) {
  step_mark();
  if (lab->what->action == STEP_JOIN) {
    lab->failure = conclave_publisher_join(&lab->other, &lab->view, 1, 0);
  } else {
    lab->failure = step_subscribe(&lab->view, lab->what->action == STEP_ENTER, &lab->reader);
    lab->is_reader = lab->failure == 0;
  }
  end_deed(lab);
}

void lab_act(void *context) {
  const lab_order *order = context;
  lab *self = &the_lab;
  self->what = order->what;
  self->attack = order->attack;
  self->report = order->report;
  prepare(self);
  switch (self->what->action) {
    case STEP_PUBLISH: return deed_of_publishing(self);
    case STEP_RECEIVE:
    case STEP_CONSUME: return deed_of_receiving(self);
    default: return deed_of_joining(self);
  }
}
