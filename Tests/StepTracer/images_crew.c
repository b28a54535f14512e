#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "images.h"

enum { WORKERS = 64, PATIENCE = 600 /* looks at one image, a tenth of a second apart */ };

/* What a worker says of itself; the others only look. */
typedef struct images_worker {
  _Atomic uint64_t number; /* of the image that it tries */
  _Atomic uint32_t failure;
  _Atomic uint32_t is_done;
  step_images_result result;
  char directory[64];
  uint64_t seen; /* by the parent */
  uint32_t looks;
  uint32_t has_ended;
  pid_t pid;
  uint32_t unused;
} images_worker;

static void work(images_worker *worker, const step_images *what, uint32_t index) {
  static images images;
  images.result = &worker->result;
  int failure = images_prepare(&images);
  memcpy(worker->directory, images.world.directory, sizeof(worker->directory));
  atomic_store(&worker->failure, (uint32_t)failure);
  for (uint64_t i = index; i < what->count && !failure; i += what->workers) {
    atomic_store_explicit(&worker->number, what->first + i, memory_order_relaxed);
    worker->result.images++;
    if (images_try(&images, what->seed, what->first + i)) break;
  }
  step_world_unlink(&images.world);
  rmdir(images.world.directory);
  atomic_store(&worker->is_done, 1);
  _exit(0);
}

static void note(images_worker *worker, const char *what, int code) {
  step_images_result *result = &worker->result;
  if (!result->fault[0]) snprintf(result->fault, sizeof(result->fault), "%s %d", what, code);
}

/* Whether it has ended; by itself, or because it does not come to an end. */
static int look_after(images_worker *worker) {
  int status;
  uint64_t number = atomic_load_explicit(&worker->number, memory_order_relaxed);
  worker->looks = number == worker->seen ? worker->looks + 1 : 0;
  worker->seen = number;
  int is_late = worker->looks > PATIENCE;
  if (is_late) kill(worker->pid, SIGKILL);
  if (waitpid(worker->pid, &status, is_late ? 0 : WNOHANG) == 0) return 0;
  if (is_late) {
    note(worker, "does not come to an end within seconds:", PATIENCE / 10);
  } else if (!atomic_load(&worker->is_done)) {
    note(worker, WIFSIGNALED(status) ? "dies of signal" : "ends with",
         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  }
  return 1;
}

/* What a worker that was killed could not remove. */
static void clear(const images_worker *worker) {
  char name[80];
  if (!worker->directory[0] || atomic_load(&worker->is_done)) return;
  snprintf(name, sizeof(name), "%s/segment", worker->directory);
  unlink(name);
  rmdir(worker->directory);
}

static void add(const images_worker *worker, step_images_result *result) {
  result->images += worker->result.images;
  result->records += worker->result.records;
  result->refused += worker->result.refused;
  result->believed += worker->result.believed;
  if (!worker->result.fault[0] || result->fault[0]) return;
  memcpy(result->fault, worker->result.fault, sizeof(result->fault));
  result->faulty = atomic_load(&worker->number);
}

static uint32_t start(const step_images *what, images_worker *workers) {
  for (uint32_t index = 0; index < what->workers; index++) {
    pid_t pid = fork();
    if (pid == 0) work(&workers[index], what, index);
    if (pid < 0) return index;
    workers[index].pid = pid;
  }
  return what->workers;
}

int step_images_run(const step_images *what, step_images_result *result) {
  *result = (step_images_result){0};
  if (what->workers == 0 || what->workers > WORKERS) return EINVAL;
  size_t bytes = sizeof(images_worker) * what->workers;
  images_worker *workers =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (workers == MAP_FAILED) return errno;
  uint32_t begun = start(what, workers), left = begun;
  int failure = begun < what->workers ? EAGAIN : 0;
  while (left > 0) {
    for (uint32_t index = 0; index < begun; index++) {
      if (workers[index].has_ended || !look_after(&workers[index])) continue;
      workers[index].has_ended = 1;
      left--;
    }
    if (left > 0) usleep(100000);
  }
  for (uint32_t index = 0; index < begun; index++) {
    clear(&workers[index]);
    if (atomic_load(&workers[index].failure)) failure = (int)atomic_load(&workers[index].failure);
    add(&workers[index], result);
  }
  munmap(workers, bytes);
  return failure;
}
