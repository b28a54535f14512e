/* Begins a storm, kills and stops, and keeps the account. */
#include "storm.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step_origin.h"

static const conclave_geometry GEOMETRY = {
    .slot_count = 4096,
    .lane_count = STEP_STORM_PUBLISHERS + 2,
    .lane_bytes = 65536,
    .row_count = STORM_PLACES - STEP_STORM_PUBLISHERS,
    .message_bytes = 65536,
};

typedef struct storm_state {
  const step_storm *storm;
  step_storm_result *result;
  step_world world;
  storm_ledger *ledger;
  uint64_t random;
  pid_t pids[STORM_PLACES];
  int32_t is_stopped[STORM_PLACES];
} storm_state;

/* Notes the first fault. */
static void fault(storm_state *state, const char *what, uint64_t place, uint64_t number) {
  if (state->result->fault[0]) return;
  snprintf(state->result->fault, sizeof(state->result->fault), "%s (%llu, %llu)", what,
           (unsigned long long)place, (unsigned long long)number);
}

/* Who publishes: all of them, or one after the other, each for many lives. */
static int takes_part(const storm_state *state, uint32_t publisher) {
  enum { LIVES_EACH = STORM_LIVES - 8 };
  return !state->storm->is_alone || publisher == state->result->kills / LIVES_EACH;
}

/* MARK: Children */

static int is_publisher(uint32_t place) { return place < STEP_STORM_PUBLISHERS; }

/* Whoever is counted on: it may be stopped, and not killed. */
static int is_account(uint32_t place) {
  return place >= STEP_STORM_PUBLISHERS &&
         place < STEP_STORM_PUBLISHERS + STEP_STORM_SUBSCRIBERS;
}

_Noreturn static void act(const storm_state *state, uint32_t place, uint64_t seed) {
  storm_child self = {
      .world = &state->world, .ledger = state->ledger, .storm = state->storm, .seed = seed};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (is_publisher(place)) {
    self.index = place;
    self.life = state->ledger->lives[place] - 1;
    storm_publish(self);
  }
  self.index = place - STEP_STORM_PUBLISHERS;
  if (is_account(place)) storm_receive(self);
  if (place == STORM_KEEPER) {
    self.index = STEP_STORM_SUBSCRIBERS;
    storm_keep(self);
  }
  self.index -= STEP_STORM_SUBSCRIBERS;
  storm_suffer(self);
}

static int begin(storm_state *state, uint32_t place) {
  if (is_publisher(place)) {
    if (state->ledger->lives[place] == STORM_LIVES) return 0;
    state->ledger->lives[place]++;
    state->result->lives++;
  }
  uint64_t seed = storm_random(&state->random);
  pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) act(state, place, seed);
  state->pids[place] = pid;
  return 0;
}

static void bury(storm_state *state, uint32_t place) {
  int status;
  while (waitpid(state->pids[place], &status, 0) < 0 && errno == EINTR) {
  }
  state->pids[place] = 0;
  state->is_stopped[place] = 0;
  int is_good = WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0;
  if (!is_good) fault(state, "somebody ended by itself", place, (uint64_t)status);
}

/* Waits for the orderly end of all in [first, end). */
static void await(storm_state *state, uint32_t first, uint32_t end, const char *what) {
  for (int tries = 0; tries < 60000; tries++) {
    uint32_t left = 0;
    for (uint32_t place = first; place < end; place++) {
      siginfo_t information = {0};
      if (state->pids[place] == 0) continue;
      waitid(P_PID, (id_t)state->pids[place], &information, WEXITED | WNOHANG | WNOWAIT);
      if (information.si_pid) bury(state, place);
      else left++;
    }
    if (left == 0) return;
    usleep(1000);
  }
  fault(state, what, first, end);
  for (uint32_t place = first; place < end; place++) {
    if (state->pids[place] == 0) continue;
    kill(state->pids[place], SIGKILL);
    bury(state, place);
  }
}

/* MARK: The storm */

static void go_on(storm_state *state, uint32_t place) {
  if (state->is_stopped[place]) kill(state->pids[place], SIGCONT);
  state->is_stopped[place] = 0;
}

/* Kills one, also a stopped one, and begins another in its place. */
static int strike(storm_state *state, uint32_t place) {
  kill(state->pids[place], SIGKILL);
  bury(state, place);
  if (is_publisher(place)) state->result->kills++;
  else state->result->deaths++;
  return begin(state, place);
}

static int strike_the_only_one(storm_state *state) {
  uint32_t place = 0;
  while (!state->pids[place]) place++;
  kill(state->pids[place], SIGKILL);
  bury(state, place);
  state->result->kills++;
  for (place = 0; !takes_part(state, place); place++) {
  }
  return begin(state, place);
}

static void stop(storm_state *state, uint32_t place) {
  if (state->is_stopped[place]) return go_on(state, place);
  kill(state->pids[place], SIGSTOP);
  state->is_stopped[place] = 1;
  state->result->stops++;
}

/* One kill or one stop, of anybody. Who is counted on, or waited for, is not left standing for long. */
static int act_once(storm_state *state) {
  for (uint32_t place = STEP_STORM_PUBLISHERS; place < STORM_PLACES; place++) go_on(state, place);
  if (state->storm->is_alone) return strike_the_only_one(state);
  uint32_t choice = (uint32_t)(storm_random(&state->random) % 16);
  uint32_t publisher = (uint32_t)(storm_random(&state->random) % STEP_STORM_PUBLISHERS);
  uint32_t subscriber =
      STEP_STORM_PUBLISHERS +
      (uint32_t)(storm_random(&state->random) % (STORM_PLACES - STEP_STORM_PUBLISHERS));
  if (choice < 8) return strike(state, publisher);
  if (choice < 10 && !is_account(subscriber)) return strike(state, subscriber);
  stop(state, choice < 10 ? subscriber : publisher);
  return 0;
}

/* MARK: The account */

/* Of one life: those who lose nothing agree, and have as much as it has sent; what was under way when it
 * died may have come. Returns how much that is. */
static uint32_t judge_life(storm_state *state, uint32_t publisher, uint32_t life) {
  const storm_life *own = &state->ledger->life[publisher][life];
  const storm_account *account = state->ledger->account;
  uint32_t count = atomic_load(&account[0].got[publisher][life]);
  uint32_t sent = atomic_load(&own->sent), tried = atomic_load(&own->tried);
  if (count < sent || count > tried) fault(state, "sent is not what has come", sent, count);
  for (uint32_t other = 0; other < STORM_PATIENT; other++) {
    if (atomic_load(&account[other].got[publisher][life]) != count ||
        account[other].last[publisher][life] != count) {
      fault(state, "one that loses nothing has lost", publisher, life);
    }
  }
  for (uint32_t other = STORM_PATIENT; other < STEP_STORM_SUBSCRIBERS; other++) {
    if (account[other].last[publisher][life] > count) {
      fault(state, "one that drops has what was never sent", publisher, life);
    }
  }
  if (account[STEP_STORM_SUBSCRIBERS].last[publisher][life] != count) {
    fault(state, "what keeps has not kept all", publisher, life);
  }
  return count;
}

/* Each message came, or was reported lost: so sent is delivered and reported lost for each life as well. */
static void judge_messages(storm_state *state, uint32_t index, uint64_t sent) {
  const storm_account *account = state->ledger->account;
  for (uint64_t position = 0; position < sent && position < STORM_POSITIONS; position++) {
    uint32_t news = account[index].heard[position];
    if (news == 0) fault(state, "neither delivered nor reported lost", index, position);
    if (news != account[0].heard[position] && news != STORM_LOST) {
      fault(state, "another message than others have", index, position);
    }
  }
}

/* What every account is judged by. */
static void judge_account(storm_state *state, uint32_t index) {
  const storm_account *account = &state->ledger->account[index];
  if (atomic_load(&account->failure)) fault(state, "no place", index, account->failure);
  if (atomic_load(&account->damaged)) fault(state, "damage", index, account->damaged);
  if (atomic_load(&account->is_wrong)) fault(state, "nobody's bytes", index, account->records);
  if (atomic_load(&account->is_late)) fault(state, "out of order", index, account->records);
}

static void judge(storm_state *state) {
  uint64_t sent = 0;
  uint64_t kills = state->result->kills, stops = state->result->stops;
  if (!state->storm->is_alone && kills >= 1000 && stops < kills / 2) {
    fault(state, "hardly anybody was stopped", stops, kills);
  }
  for (uint32_t publisher = 0; publisher < STEP_STORM_PUBLISHERS; publisher++) {
    for (uint32_t life = 0; life < state->ledger->lives[publisher]; life++) {
      sent += judge_life(state, publisher, life);
    }
  }
  state->result->messages = sent;
  for (uint32_t index = 0; index < STORM_ACCOUNTS; index++) judge_account(state, index);
  for (uint32_t index = 0; index < STEP_STORM_SUBSCRIBERS; index++) {
    const storm_account *account = &state->ledger->account[index];
    uint64_t records = atomic_load(&account->records), lost = atomic_load(&account->lost);
    if (index < STORM_PATIENT && lost) fault(state, "lost in spite of waiting", index, lost);
    if (records + lost != sent) fault(state, "sent is not delivered and lost", sent, records + lost);
    if (atomic_load(&account->positions) != records + lost) {
      fault(state, "positions are not delivered and lost", account->positions, records + lost);
    }
    judge_messages(state, index, sent);
    state->result->lost += lost;
  }
  if (atomic_load(&state->ledger->refusals)) {
    fault(state, "somebody got no lane", state->ledger->refusals, 0);
  }
}

/* MARK: What is left */

static int64_t entries(const char *path) {
  DIR *directory = opendir(path);
  if (!directory) return -1;
  int64_t count = 0;
  for (const struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

/* Every lane and every row can be had again. */
static void judge_places(storm_state *state) {
  static conclave_publisher owners[STEP_STORM_PUBLISHERS + 2];
  static conclave_subscriber readers[STORM_PLACES - STEP_STORM_PUBLISHERS];
  uint32_t lanes = 0, rows = 0;
  for (; lanes < GEOMETRY.lane_count; lanes++) {
    conclave_view view;
    if (step_world_open(&state->world, CONCLAVE_PUBLISH, &view)) break;
    if (conclave_publisher_join(&owners[lanes], &view, 1, 0)) break;
  }
  while (rows < GEOMETRY.row_count && step_enter(&state->world, 1, &readers[rows]) == 0) rows++;
  if (lanes < GEOMETRY.lane_count) fault(state, "a lane is not to be had", lanes, 0);
  if (rows < GEOMETRY.row_count) fault(state, "a row is not to be had", rows, 0);
  while (lanes > 0) conclave_publisher_leave(&owners[--lanes]);
  while (rows > 0) {
    conclave_subscriber_leave(&readers[--rows]);
    conclave_subscriber_free(&readers[rows]);
  }
}

/* MARK: From beginning to end */

static int raise_all(storm_state *state) {
  for (uint32_t place = STEP_STORM_PUBLISHERS; place < STORM_PLACES; place++) {
    int failure = begin(state, place);
    if (failure) return failure;
  }
  /* An account begins before there is anything. */
  for (uint32_t index = 0; index < STORM_ACCOUNTS; index++) {
    const storm_account *account = &state->ledger->account[index];
    while (!atomic_load(&account->begun)) {
      if (atomic_load(&account->failure)) return (int)atomic_load(&account->failure);
      usleep(1000);
    }
  }
  for (uint32_t place = 0; place < STEP_STORM_PUBLISHERS; place++) {
    int failure = takes_part(state, place) ? begin(state, place) : 0;
    if (failure) return failure;
  }
  return 0;
}

static int rage(storm_state *state) {
  /* Alone, each is to have joined; otherwise some three hundred acts a second. */
  uint64_t pause = state->storm->is_alone ? 1000 : 4800;
  while (state->result->kills < state->storm->kills && !state->result->fault[0]) {
    usleep((useconds_t)(storm_random(&state->random) % pause));
    int failure = act_once(state);
    if (failure) return failure;
  }
  return 0;
}

static void end(storm_state *state) {
  for (uint32_t place = 0; place < STORM_PLACES; place++) go_on(state, place);
  atomic_store(&state->ledger->is_ending, 1);
  await(state, 0, STEP_STORM_PUBLISHERS, "a publisher does not come to its end");
  atomic_store(&state->ledger->is_draining, 1);
  await(state, STEP_STORM_PUBLISHERS, STORM_PLACES, "a subscriber does not come to its end");
}

int step_storm_run(const step_storm *storm, step_storm_result *result) {
  memset(result, 0, sizeof(*result));
  static storm_state state;
  state = (storm_state){.storm = storm, .result = result, .random = storm->seed};
  int failure = step_world_place(&state.world);
  if (!failure) failure = step_world_create_as(&state.world, &GEOMETRY);
  if (!failure) failure = step_world_map(&state.world);
  if (failure) return failure;
  state.ledger = mmap(NULL, sizeof(storm_ledger), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (state.ledger == MAP_FAILED) return errno;
  for (uint32_t index = 0; index < STORM_ACCOUNTS; index++) {
    state.ledger->account[index].origin = step_origin_position(&state.world.whole);
  }
  int64_t before = entries("/proc/self/fd");
  failure = raise_all(&state);
  if (!failure) failure = rage(&state);
  end(&state);
  if (!failure) {
    judge(&state);
    judge_places(&state);
  }
  result->descriptors = entries("/proc/self/fd") - before;
  result->files = (uint64_t)entries(state.world.directory);
  if (result->descriptors) fault(&state, "descriptors are left", (uint64_t)result->descriptors, 0);
  if (result->files != 1) fault(&state, "files are left", result->files, 1);
  munmap(state.ledger, sizeof(storm_ledger));
  conclave_view_unmap(&state.world.whole);
  step_world_unlink(&state.world);
  rmdir(state.world.directory);
  return failure;
}
