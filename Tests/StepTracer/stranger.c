#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step_attack.h"
#include "step_world.h"

/* How a child ends. */
enum { CANNOT = 3, DIED, CAUGHT, INFORMED, UNHURT };

/* A SIGBUS that is not the segment's, and who handled them before. */
typedef struct {
  struct sigaction before;
  int is_sent; /* or an instruction runs into it */
  int end;
} stranger;

static void leave(int signal) {
  (void)signal;
  _exit(CAUGHT);
}

static void leave_informed(int signal, siginfo_t *information, void *context) {
  int is_whole = signal == SIGBUS && context &&
                 (information->si_code == BUS_ADRERR || information->si_pid == getpid());
  _exit(is_whole ? INFORMED : CANNOT);
}

static const stranger STRANGERS[] = {
    /* SIG_DFL, and not the backtracer's, which would tell at length. */
    {.before = {.sa_handler = SIG_DFL}, .end = DIED},
    {.before = {.sa_handler = SIG_DFL}, .is_sent = 1, .end = DIED},
    {.before = {.sa_handler = leave}, .end = CAUGHT},
    {.before = {.sa_handler = leave}, .is_sent = 1, .end = CAUGHT},
    {.before = {.sa_sigaction = leave_informed, .sa_flags = SA_SIGINFO}, .end = INFORMED},
    {.before = {.sa_sigaction = leave_informed, .sa_flags = SA_SIGINFO}, .is_sent = 1, .end = INFORMED},
    /* An instruction's cannot be ignored. */
    {.before = {.sa_handler = SIG_IGN}, .end = DIED},
    {.before = {.sa_handler = SIG_IGN}, .is_sent = 1, .end = UNHURT},
};

/* A page of a file that has none. */
static void touch_nothing(void) {
  int descriptor = memfd_create("stranger", MFD_CLOEXEC);
  uint8_t *page = mmap(NULL, CONCLAVE_PAGE, PROT_READ, MAP_SHARED, descriptor, 0);
  if (page == MAP_FAILED) _exit(CANNOT);
  *(volatile uint8_t *)page;
}

/* With a segment that is mapped and unhurt. */
static void meet(const stranger *stranger) {
  static step_world world;
  sigaction(SIGBUS, &stranger->before, NULL);
  if (step_world_make(&world) != 0) _exit(CANNOT);
  step_world_unlink(&world);
  rmdir(world.directory);
  if (stranger->is_sent) {
    raise(SIGBUS);
  } else {
    touch_nothing();
  }
  _exit(UNHURT);
}

static int end_of(const stranger *stranger) {
  pid_t child = fork();
  if (child == 0) meet(stranger);
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) != child && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGBUS ? DIED : CANNOT;
  return WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
}

uint32_t step_try_strangers(uint32_t *tried) {
  uint32_t wrong = 0;
  *tried = sizeof(STRANGERS) / sizeof(*STRANGERS);
  for (uint32_t index = 0; index < *tried; index++) {
    wrong += end_of(&STRANGERS[index]) != STRANGERS[index].end;
  }
  return wrong;
}
