#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conclave_liveness.h"
#include "step_sweep.h"
#include "step_world.h"

/* Takes a lane and a row with back pressure, leaves a child that lives until the pipe is closed, and is
 * killed. The child may have nothing of it. */
static void hold_and_die(const step_world *world, const int ends[2]) {
  static conclave_publisher publisher;
  static conclave_subscriber subscriber;
  conclave_view view;
  if (step_world_open(world, CONCLAVE_PUBLISH, &view) != 0) _exit(3);
  if (conclave_publisher_join(&publisher, &view, 1, 0) != 0) _exit(3);
  if (step_enter(world, 1, &subscriber) != 0) _exit(3);
  pid_t child = fork();
  if (child < 0) _exit(3);
  if (child == 0) {
    /* What it would do with what it has inherited: it must not be its parent's end. */
    conclave_subscriber_leave(&subscriber);
    close(ends[1]);
    char byte;
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
  }
  kill(getpid(), SIGKILL);
}

static int holds(const step_world *world) {
  int descriptor = world->whole.descriptor;
  /* The world's own: a lane and two rows. */
  return conclave_lock_held(descriptor, CONCLAVE_LOCK_LANES + 1, 1) != 0 ||
         conclave_lock_held(descriptor, CONCLAVE_LOCK_ROWS + 2, 1) != 0;
}

int step_forks_hold_nothing(void) {
  static step_world world;
  int ends[2];
  if (pipe(ends) != 0 || step_world_make(&world) != 0) return -1;
  pid_t holder = fork();
  if (holder == 0) hold_and_die(&world, ends);
  int status = 0;
  while (holder > 0 && waitpid(holder, &status, 0) != holder && errno == EINTR) {
  }
  int is_free = holder > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  uint32_t tries = 0;
  while (is_free && holds(&world)) is_free = step_try_again(EAGAIN, &tries);
  close(ends[0]);
  close(ends[1]);
  step_world_remove(&world);
  return is_free;
}
