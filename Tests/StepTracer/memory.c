#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step_calls.h"
#include "step_world.h"

/* What a process has of memory once it may have no more, so that not a byte is left. Much more is not asked
 * for: where the limit is none the machine is left some. */
typedef struct hoard {
  struct hoard *next;
} hoard;

static const size_t LARGEST = 1 << 20, ENOUGH = 256 << 20;

static hoard *exhaust(void) {
  struct rlimit none;
  getrlimit(RLIMIT_DATA, &none);
  /* 0 means none (Linux, may_expand_vm: for the sake of Valgrind). */
  none.rlim_cur = 1;
  setrlimit(RLIMIT_DATA, &none);
  hoard *all = NULL;
  size_t total = 0;
  for (size_t bytes = LARGEST; bytes >= sizeof(hoard) && total < ENOUGH; bytes /= 2) {
    for (hoard *one; total < ENOUGH && (one = malloc(bytes)); all = one) {
      one->next = all;
      total += bytes;
    }
  }
  return all;
}

static void recover(hoard *all) {
  struct rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_DATA, &limit);
  while (all) {
    hoard *next = all->next;
    free(all);
    all = next;
  }
}

static int next_descriptor(void) {
  int descriptor = dup(STDOUT_FILENO);
  if (descriptor >= 0) close(descriptor);
  return descriptor;
}

#define DEMAND(condition)                                                           \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "without memory: not so: %s\n", #condition);                  \
      return 1;                                                                     \
    }                                                                               \
  } while (0)

static int join_without(conclave_view *view) {
  conclave_subscriber subscriber;
  DEMAND(step_subscribe(view, 0, &subscriber) == ENOMEM);
  DEMAND(conclave_subscriber_observe(&subscriber, view) == ENOMEM);
  return 0;
}

/* Each as somebody else, while those before are there. */
static int take_all_rows(const step_world *world) {
  for (int turn = 0; turn < 3; turn++) {
    conclave_subscriber subscriber;
    DEMAND(step_enter(world, 0, &subscriber) == 0);
  }
  return 0;
}

static int live(const step_world *world) {
  conclave_view view, other;
  int before = next_descriptor();
  hoard *all = exhaust();
  DEMAND(step_world_open(world, CONCLAVE_SUBSCRIBE, &view) == ENOMEM);
  DEMAND(next_descriptor() == before);
  recover(all);
  DEMAND(step_world_open(world, CONCLAVE_SUBSCRIBE, &view) == 0);

  before = next_descriptor();
  all = exhaust();
  DEMAND(step_world_open(world, CONCLAVE_SUBSCRIBE, &other) == ENOMEM);
  DEMAND(join_without(&view) == 0);
  DEMAND(next_descriptor() == before);
  recover(all);
  return take_all_rows(world);
}

int step_try_no_memory(void) {
  step_world world;
  int failure = step_world_place(&world);
  if (!failure) failure = step_world_create(&world);
  fflush(NULL);
  pid_t child = failure ? -1 : fork();
  if (child == 0) _exit(live(&world));
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) != child && errno == EINTR) {
  }
  step_world_unlink(&world);
  rmdir(world.directory);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
