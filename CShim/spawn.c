#include "conclave_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <unistd.h>

static int start(const posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions,
                 char *const arguments[], int input, int output, int32_t *pid) {
  int failure = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
  if (!failure) failure = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
  if (!failure) {
    failure = posix_spawn(pid, "/proc/self/exe", actions, attributes, arguments, environ);
  }
  return failure;
}

static int set_attributes(posix_spawnattr_t *attributes) {
  sigset_t none;
  sigemptyset(&none);
  int failure = posix_spawnattr_setsigmask(attributes, &none);
  if (!failure) failure = posix_spawnattr_setpgroup(attributes, 0);
  if (!failure) {
    failure =
        posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  }
  return failure;
}

int conclave_spawn_self(char *const arguments[], int input, int output, int32_t *pid) {
  posix_spawnattr_t attributes;
  int failure = posix_spawnattr_init(&attributes);
  if (failure) return failure;
  posix_spawn_file_actions_t actions;
  failure = posix_spawn_file_actions_init(&actions);
  if (!failure) {
    failure = set_attributes(&attributes);
    if (!failure) failure = start(&attributes, &actions, arguments, input, output, pid);
    posix_spawn_file_actions_destroy(&actions);
  }
  posix_spawnattr_destroy(&attributes);
  return failure;
}

int conclave_spawn_pipe(int ends[2]) {
  return pipe2(ends, O_CLOEXEC);
}
