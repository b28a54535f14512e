/* conclave-step without Swift, so that it is built in a second: judge WAY ACTION PLACES [FIELD], judge
 * create kill|stop PLACES, judge images COUNT, judge calls, judge forks, judge names; behind judge from N it
 * all begins at 2^N - 2. 0: no fault; 1: a fault; 2: it cannot be tried. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "step_attack.h"
#include "step_calls.h"
#include "step_images.h"
#include "step_origin.h"
#include "step_sweep.h"
#include "step_world.h"

static int action_named(const char *name, step_action *action) {
  for (int i = 0; i < STEP_ACTIONS; i++) {
    *action = (step_action)i;
    if (strcmp(step_action_name(*action), name) == 0) return 1;
  }
  return 0;
}

static int sweep(const char *way, const step_case *what, uint64_t places, const char *field,
                 step_result *result) {
  step_attack attack = {.places = places, .field = field};
  if (strcmp(way, "kill") == 0) return step_kill_sweep(what, places, result);
  if (strcmp(way, "stop") == 0) return step_stop_sweep(what, places, result);
  if (strcmp(way, "snapshot") == 0) return step_snapshot_sweep(what, places, result);
  if (strcmp(way, "flip") == 0) return step_attack_sweep(what, &attack, result);
  attack.hostility = STEP_TRUNCATE;
  if (strcmp(way, "truncate") == 0) return step_attack_sweep(what, &attack, result);
  return -1;
}

static int report(int failure, const step_result *result) {
  int is_bad = result->fault[0] != 0;
  if (!is_bad && (failure || result->points == 0)) {
    printf("it cannot be tried: %d\n", failure);
    return 2;
  }
  printf("%llu places: %s\n", (unsigned long long)result->points,
         is_bad ? result->fault : "no fault");
  return is_bad;
}

static int judge(const char *way, const step_case *what, uint64_t places, const char *field) {
  step_result result = {0};
  int failure = sweep(way, what, places, field, &result);
  return report(failure, &result);
}

/* MARK: Names */

static int is_refused(const step_world *world, int expected, const char *what) {
  conclave_view view;
  int failure = step_world_open(world, CONCLAVE_SUBSCRIBE, &view);
  if (failure == 0) conclave_view_unmap(&view);
  if (failure != expected) printf("%s: %d, not %d\n", what, failure, expected);
  return failure == expected;
}

/* What bears the segment's name and is not to be believed; the segment lies beside it. */
static int refuses(const step_world *world, const char *name, const char *other) {
  if (rename(name, other) != 0 || symlink("other", name) != 0) return 2;
  int good = is_refused(world, CONCLAVE_E_NOT_A_FILE, "a symbolic link");
  if (unlink(name) != 0 || link(other, name) != 0) return 2;
  good &= is_refused(world, CONCLAVE_E_FOREIGN_OWNER, "a hard link");
  if (unlink(name) != 0 || mkfifo(name, 0600) != 0) return 2;
  good &= is_refused(world, CONCLAVE_E_NOT_A_FILE, "a FIFO");
  if (unlink(name) != 0 || rename(other, name) != 0 || chmod(name, 0644) != 0) return 2;
  good &= is_refused(world, CONCLAVE_E_FOREIGN_OWNER, "a file that others may read");
  struct stat status;
  if (chmod(name, 0600) != 0 || stat(name, &status) != 0) return 2;
  if (truncate(name, status.st_size - CONCLAVE_PAGE) != 0) return 2;
  good &= is_refused(world, CONCLAVE_E_GEOMETRY, "a file that is too short");
  return !good;
}

static int judge_names(void) {
  static step_world world;
  char name[100], other[100];
  if (step_world_place(&world) != 0 || step_world_create(&world) != 0) return 2;
  snprintf(name, sizeof(name), "%s/segment", world.directory);
  snprintf(other, sizeof(other), "%s/other", world.directory);
  /* Who waits for a FIFO's other end is noticed, too. */
  alarm(10);
  int result = refuses(&world, name, other);
  alarm(0);
  unlink(name);
  unlink(other);
  rmdir(world.directory);
  return result;
}

static int judge_images(uint64_t count) {
  step_images what = {.count = count, .seed = 1, .workers = 2};
  step_images_result result;
  if (step_images_run(&what, &result) != 0 && !result.fault[0]) return 2;
  printf("%llu images: %s\n", (unsigned long long)result.images,
         result.fault[0] ? result.fault : "no fault");
  return result.fault[0] != 0;
}

static int judge_calls(void) {
  step_calls_result result;
  if (step_calls_sweep(0, STEP_CALLS_SOUND, &result) != 0 && !result.fault[0]) return 2;
  printf("%llu lives: %s\n", (unsigned long long)result.lives,
         result.fault[0] ? result.fault : "no fault");
  return result.fault[0] != 0;
}

static int run(int count, char **words) {
  if (count == 3 && strcmp(words[1], "images") == 0) {
    return judge_images(strtoull(words[2], NULL, 10));
  }
  if (count == 2 && strcmp(words[1], "forks") == 0) {
    int free = step_forks_hold_nothing();
    return free < 0 ? 2 : !free;
  }
  if (count == 2 && strcmp(words[1], "calls") == 0) return judge_calls();
  if (count == 2 && strcmp(words[1], "names") == 0) return judge_names();
  step_case what = {.bytes = 200, .before = 3};
  if (count == 4 && strcmp(words[1], "create") == 0) {
    step_result result = {0};
    int kills = strcmp(words[2], "kill") == 0;
    int failure = step_creation_sweep(strtoull(words[3], NULL, 10), kills, &result);
    return report(failure, &result);
  }
  if (count < 4 || !action_named(words[2], &what.action)) {
    fputs("usage: judge [from N] WAY ACTION PLACES [FIELD], create kill|stop PLACES,"
          " images COUNT, calls, forks, or names\n", stderr);
    return 2;
  }
  if (strcmp(words[1], "flip") == 0 || strcmp(words[1], "truncate") == 0) what.before = 0;
  return judge(words[1], &what, strtoull(words[3], NULL, 10), count > 4 ? words[4] : NULL);
}

int main(int count, char **words) {
  if (count < 3 || strcmp(words[1], "from") != 0) return run(count, words);
  if (step_begin_before((uint32_t)strtoul(words[2], NULL, 10)) != 0) return 2;
  return run(count - 2, words + 2);
}
