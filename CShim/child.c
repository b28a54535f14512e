#include "conclave_child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_actions(posix_spawn_file_actions_t *actions, const char *directory,
                       const int32_t standard[3]) {
  int failure = posix_spawn_file_actions_addchdir_np(actions, directory);
  for (int target = 0; target < 3 && !failure; target++) {
    failure = posix_spawn_file_actions_adddup2(actions, standard[target], target);
  }
  if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
  return failure;
}

static int set_attributes(posix_spawnattr_t *attributes) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int failure = posix_spawnattr_setsigmask(attributes, &none);
  if (!failure) failure = posix_spawnattr_setsigdefault(attributes, &all);
  if (!failure) {
    failure = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  return failure;
}

int conclave_child_start(const char *program, char *const arguments[], char *const environment[],
                         const char *directory, const int32_t standard[3], int32_t *pid) {
  posix_spawnattr_t attributes;
  int failure = posix_spawnattr_init(&attributes);
  if (failure) return failure;
  posix_spawn_file_actions_t actions;
  failure = posix_spawn_file_actions_init(&actions);
  if (!failure) {
    failure = set_attributes(&attributes);
    if (!failure) failure = set_actions(&actions, directory, standard);
    if (!failure) {
      failure = posix_spawn(pid, program, &actions, &attributes, arguments, environment);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  posix_spawnattr_destroy(&attributes);
  return failure;
}

int conclave_child_open(int32_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int conclave_child_signal(int descriptor, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, (void *)0, 0);
}

int conclave_child_adopt(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int conclave_child_follow_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int conclave_memory_file(void) { return memfd_create("conclave-input", MFD_CLOEXEC); }

int conclave_child_pipe(int32_t ends[2]) {
  int made[2];
  if (pipe2(made, O_CLOEXEC) != 0) return -1;
  ends[0] = made[0];
  ends[1] = made[1];
  return fcntl(made[0], F_SETFL, O_NONBLOCK);
}
