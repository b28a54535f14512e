#include "step_stalls.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "step_world.h"

/* What parent and children share. */
typedef struct stalls {
  step_world world;
  _Atomic uint64_t published_ns;
  _Atomic uint32_t is_ready;
  _Atomic uint32_t is_over;
  uint64_t published;
  uint64_t sleeps;
  int ends[2]; /* of a pipe: whose reader is there as long as it may be written to */
} stalls;

enum { PAUSE_US = 300, SLEEP_US = 25000, LONG_NS = 1000000000 };

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int by_size(const void *one, const void *other) {
  uint64_t first = *(const uint64_t *)one, second = *(const uint64_t *)other;
  return (first > second) - (first < second);
}

static step_times times_of(uint64_t *times, uint32_t count) {
  qsort(times, count, sizeof(*times), by_size);
  return (step_times){.median_ns = times[count / 2],
                      .p99_ns = times[(uint64_t)count * 99 / 100],
                      .longest_ns = times[count - 1]};
}

/* MARK: Children */

static void join(const step_world *world, conclave_publisher *publisher) {
  conclave_view view;
  if (step_world_open(world, CONCLAVE_PUBLISH, &view) != 0) _exit(3);
  uint32_t tries = 0;
  int failure;
  do {
    failure = conclave_publisher_join(publisher, &view, 1, 0);
  } while (step_try_again(failure, &tries));
  if (failure) _exit(3);
}

/* Publishes until it is killed. */
static void rage_as(conclave_publisher *publisher) {
  for (uint32_t number = 1;; number++) {
    step_words words = step_words_of(STEP_VICTIM, number, 200);
    step_publish(publisher, &words);
  }
}

static void rage(stalls *self) {
  static conclave_publisher publisher;
  join(&self->world, &publisher);
  atomic_store(&self->is_ready, 1);
  rage_as(&publisher);
}

/* Has forked, and the child lives on. */
static void rage_as_parent(stalls *self) {
  static conclave_publisher publisher;
  join(&self->world, &publisher);
  pid_t child = fork();
  if (child < 0) _exit(3);
  if (child > 0) rage_as(&publisher);
  close(self->ends[1]);
  atomic_store(&self->is_ready, 1);
  char byte;
  while (read(self->ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(0);
}

/* Dies between publishing and waking. */
static void die_silently(stalls *self) {
  static conclave_publisher publisher;
  join(&self->world, &publisher);
  step_words words = step_words_of(STEP_VICTIM, 1, 200);
  /* Its first message wakes those who may keep it waiting. */
  if (step_publish(&publisher, &words) != 0) _exit(3);
  /* Until the other one sleeps deeply. */
  usleep((useconds_t)(SLEEP_US + self->published++ % PAUSE_US * 67));
  int failure =
      conclave_publish(&publisher, NULL, 0, words.words, words.bytes, CONCLAVE_NO_WAIT);
  if (failure) _exit(3);
  atomic_store(&self->published_ns, now_ns());
  kill(getpid(), SIGKILL);
}

/* The survivor of the world: at full speed, and counts how often it waits. */
static void go_on(stalls *self) {
  static conclave_publisher publisher;
  join(&self->world, &publisher);
  struct rusage before, after;
  atomic_store(&self->is_ready, 1);
  getrusage(RUSAGE_SELF, &before);
  while (!atomic_load(&self->is_over)) {
    step_words words = step_words_of(STEP_SURVIVOR, (uint32_t)self->published, 200);
    if (step_publish(&publisher, &words) != 0) _exit(3);
    self->published++;
  }
  getrusage(RUSAGE_SELF, &after);
  self->sleeps = (uint64_t)(after.ru_nvcsw - before.ru_nvcsw);
  _exit(0);
}

static pid_t begin(stalls *self, void (*body)(stalls *)) {
  atomic_store(&self->is_ready, 0);
  pid_t child = fork();
  if (child == 0) {
    body(self);
    _exit(3);
  }
  return child;
}

/* 0 when it was killed, or ended well. */
static int await_end(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) != child) {
    if (errno != EINTR) return errno;
  }
  return WIFSIGNALED(status) || WEXITSTATUS(status) == 0 ? 0 : ECHILD;
}

static int await_ready(stalls *self, pid_t child) {
  for (int waited = 0; !atomic_load(&self->is_ready); waited++) {
    if (waited > 100000) return ETIMEDOUT;
    if (waitpid(child, NULL, WNOHANG) != 0) return ECHILD;
    usleep(50);
  }
  return 0;
}

/* MARK: What is measured */

static int time_lane_of(stalls *self, void (*body)(stalls *), uint64_t *time) {
  conclave_view view;
  conclave_publisher heir;
  pid_t child = begin(self, body);
  if (child < 0) return errno;
  int failure = await_ready(self, child);
  if (!failure) failure = step_world_open(&self->world, CONCLAVE_PUBLISH, &view);
  if (failure) {
    kill(child, SIGKILL);
    return failure;
  }
  usleep((useconds_t)(rand() % PAUSE_US));
  uint64_t start = now_ns();
  kill(child, SIGKILL);
  do {
    failure = conclave_publisher_join(&heir, &view, 1, 0);
    *time = now_ns() - start;
  } while (failure == EAGAIN && *time < LONG_NS);
  if (failure) conclave_view_unmap(&view);
  else conclave_publisher_leave(&heir);
  int end = await_end(child);
  return failure ? failure : end;
}

static int time_lane(stalls *self, uint64_t *time) { return time_lane_of(self, rage, time); }

static int time_lane_of_parent(stalls *self, uint64_t *time) {
  if (pipe(self->ends) != 0) return errno;
  int failure = time_lane_of(self, rage_as_parent, time);
  close(self->ends[0]);
  close(self->ends[1]);
  return failure;
}

static int await_record(conclave_subscriber *sleeper, uint64_t limit) {
  conclave_record record;
  conclave_outcome outcome;
  while ((outcome = conclave_receive(sleeper, &record)) == CONCLAVE_NOTHING && now_ns() < limit) {
    conclave_subscriber_flush(sleeper);
    conclave_subscriber_park(sleeper, sleeper->position, limit);
  }
  if (outcome == CONCLAVE_RECORD) conclave_release(sleeper);
  return outcome == CONCLAVE_RECORD;
}

static int time_delivery(stalls *self, uint64_t *time) {
  conclave_subscriber *sleeper = &self->world.dropping.subscriber;
  step_drain(&self->world.dropping);
  pid_t child = begin(self, die_silently);
  if (child < 0) return errno;
  uint64_t limit = now_ns() + LONG_NS;
  int is_there = await_record(sleeper, limit) && await_record(sleeper, limit);
  uint64_t end = now_ns();
  int failure = await_end(child);
  *time = end - atomic_load(&self->published_ns);
  return failure ? failure : is_there ? 0 : ENODATA;
}

static int count_sleeps(stalls *self, uint32_t kills) {
  pid_t survivor = begin(self, go_on);
  if (survivor < 0) return errno;
  int failure = await_ready(self, survivor);
  for (uint32_t i = 0; !failure && i < kills; i++) {
    pid_t child = begin(self, rage);
    if (child < 0) return errno;
    failure = await_ready(self, child);
    usleep((useconds_t)(rand() % PAUSE_US));
    kill(child, SIGKILL);
    int end = await_end(child);
    if (!failure) failure = end;
  }
  atomic_store(&self->is_over, 1);
  int end = await_end(survivor);
  return failure ? failure : end;
}

static int measure(stalls *self, uint32_t kills, uint64_t *times, step_stalls_result *result) {
  int failure = step_world_make(&self->world);
  if (failure) return failure;
  /* Nobody whom a publisher may have to wait for. */
  conclave_subscriber_leave(&self->world.patient.subscriber);
  for (uint32_t i = 0; !failure && i < kills; i++) failure = time_lane(self, &times[i]);
  result->lane = times_of(times, kills);
  for (uint32_t i = 0; !failure && i < kills; i++) failure = time_lane_of_parent(self, &times[i]);
  result->parents_lane = times_of(times, kills);
  for (uint32_t i = 0; !failure && i < kills; i++) failure = time_delivery(self, &times[i]);
  result->delivery = times_of(times, kills);
  /* The other lane is the survivor's. */
  conclave_publisher_leave(&self->world.survivor);
  self->published = 0;
  if (!failure) failure = count_sleeps(self, kills);
  result->published = self->published;
  result->sleeps = self->sleeps;
  return failure;
}

int step_stalls_measure(uint32_t kills, step_stalls_result *result) {
  memset(result, 0, sizeof(*result));
  if (kills == 0) return EINVAL;
  uint64_t *times = calloc(kills, sizeof(*times));
  stalls *self = mmap(NULL, sizeof(*self), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int failure = !times || self == MAP_FAILED ? ENOMEM : measure(self, kills, times, result);
  if (self != MAP_FAILED) {
    step_world_unlink(&self->world);
    rmdir(self->world.directory);
    munmap(self, sizeof(*self));
  }
  free(times);
  return failure;
}
