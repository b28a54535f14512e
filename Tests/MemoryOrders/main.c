/* Runs each scenario as the code is, and then with each memory order that it uses weakened. */
#include <stdio.h>

#include "scenarios.h"

enum { MOST = 20 };
static const orders_scenario *scenarios[MOST];
static int scenario_count;

static void collect(const orders_scenario *from) {
  for (; from->name; from++) {
    if (scenario_count == MOST) { fprintf(stderr, "too many scenarios\n"); exit(2); }
    scenarios[scenario_count++] = from;
  }
}

static int scenario_named(const char *name) {
  for (int i = 0; i < scenario_count; i++) {
    if (strcmp(scenarios[i]->name, name) == 0) return i;
  }
  abort();
}

/* What each run must notice, so that a change of a scenario cannot blind it. */
static const struct { const char *function, *what, *place; int order; } needed[] = {
    /* overwrite */
    {"conclave_publish_record", "fence", "", memory_order_release},
    {"conclave_receive_copy", "fence", "", memory_order_acquire},
    /* publish, sleep */
    {"conclave_receive", "load", "conclave_slot_at(view, position)", memory_order_acquire},
    {"conclave_order_append", "swap", "slot", memory_order_seq_cst},
    {"conclave_event_signal", "load", "&event->word", memory_order_seq_cst},
    {"conclave_event_prepare", "swap", "&event->word", memory_order_seq_cst},
    {"has_record", "load", "conclave_slot_at(view, position)", memory_order_seq_cst},
    /* room */
    {"sleep_for_lane", "load", "&row->consumed[publisher->lane]", memory_order_seq_cst},
    {"conclave_flush_lane", "store", "&subscriber->row->consumed[lane]", memory_order_seq_cst},
    {"conclave_flush_lane", "load", "&wait->event.word", memory_order_seq_cst},
    {"conclave_ring_room", "load", "&row->cursor", memory_order_seq_cst},
    {"conclave_flush_position", "store", "&subscriber->row->cursor", memory_order_seq_cst},
    /* reuse */
    {"take_over", "store", "&header->reused", memory_order_release},
    {"conclave_receive_copy", "load", "&header->reused", memory_order_acquire},
    {"read_reused", "load", "&conclave_lane_header_at(view, lane)->reused", memory_order_acquire},
    /* what a lane has published, to those who passed records over */
    {"conclave_publish_record", "store", "&publisher->lane_header->published", memory_order_release},
    {"catch_up", "load", "&conclave_lane_header_at(view, lane)->published", memory_order_acquire},
    /* lists */
    {"take_over", "fence", "", memory_order_release},
    {"take_over", "store", "&header->incarnation", memory_order_release},
    {"conclave_stream_add", "store", "&lane->stream_bytes", memory_order_release},
    {"conclave_stream_note", "store", "entry", memory_order_release},
    {"conclave_streams_copy", "load", "&header->incarnation", memory_order_acquire},
    {"conclave_streams_copy", "load", "&header->stream_bytes", memory_order_acquire},
    {"conclave_streams_copy", "fence", "", memory_order_acquire},
};
enum { NEEDED = sizeof(needed) / sizeof(needed[0]) };
static int noticed[NEEDED];

static uint64_t executions;

static orders_result explore_one(int scenario, uint64_t limit, int switches) {
  orders_running = 1u << scenario;
  orders_result result = orders_explore(scenarios[scenario], limit, switches);
  executions += result.executions;
  return result;
}

/* Of the others the run as it is has shown that they do not come to `site`: weakened it is the same run. */
static const char *explore(const orders_site *site, uint64_t limit, int switches, int *scenario) {
  uint32_t reached = site->scenarios;
  for (int i = 0; i < scenario_count; i++) {
    if (!(reached & 1u << i)) continue;
    *scenario = i;
    uint64_t times = scenarios[i]->longer ? (uint64_t)scenarios[i]->longer : 1;
    orders_result result = explore_one(i, limit * times, switches);
    if (result.failure) return result.failure;
  }
  return NULL;
}

static void note(const orders_site *site, int weakened) {
  for (int i = 0; i < NEEDED; i++) {
    if (site->order == needed[i].order && strcmp(site->what, needed[i].what) == 0 &&
        strcmp(site->function, needed[i].function) == 0 &&
        strcmp(site->place, needed[i].place) == 0 &&
        (site->order != memory_order_seq_cst || weakened == memory_order_acq_rel)) {
      noticed[i] = 1;
    }
  }
}

static const char *name_of(int order) {
  static const char *const names[] = {"relaxed", "", "acquire", "release", "acq_rel", "seq_cst"};
  return names[order];
}

/* Weakens `site` to `order`; returns whether that was noticed. */
static int weaken(const orders_site *site, int order, uint64_t limit, int switches) {
  int scenario = 0;
  orders_weaken(site, NULL, order);
  const char *failure = explore(site, limit, switches, &scenario);
  const char *slash = strrchr(site->file, '/');
  printf("%-10s %s:%d %s: %s%s%s %s -> %s%s%s\n",
         failure ? scenarios[scenario]->name : "unnoticed", slash + 1, site->line, site->function,
         site->what, site->place[0] ? " " : "", site->place, name_of(site->order), name_of(order),
         failure ? ": " : "",
         failure ? failure : "");
  if (failure) note(site, order);
  return failure != NULL;
}

/* Words: executions of each scenario at most, of each when something is weakened (0: nothing is), changes
 * of thread. */
int main(int count, char **words) {
  uint64_t limit = count > 1 ? strtoull(words[1], NULL, 10) : 400000;
  uint64_t weak_limit = count > 2 ? strtoull(words[2], NULL, 10) : 5000;
  int switches = count > 3 ? atoi(words[3]) : 2;
  collect(orders_scenarios);
  collect(orders_takeovers);
  int bad = 0, mutants = 0, caught = 0;
  for (int i = 0; i < scenario_count; i++) {
    orders_result result = explore_one(i, limit, switches);
    printf("%-10s %llu executions%s: %s\n", scenarios[i]->name,
           (unsigned long long)result.executions, result.whole ? ", all there are" : "",
           result.failure ? result.failure : "holds");
    bad += result.failure != NULL;
  }
  printf("as it is: %llu executions\n", (unsigned long long)executions);
  if (weak_limit == 0) return bad != 0;
  for (const orders_site *site = orders_sites; site; site = site->next) {
    if (site->order == memory_order_relaxed || site->first != site) continue;
    if (!strstr(site->file, "CShim")) continue;
    if (site->order == memory_order_seq_cst) {
      mutants++;
      caught += weaken(site, memory_order_acq_rel, weak_limit, switches);
    }
    mutants++;
    caught += weaken(site, memory_order_relaxed, weak_limit, switches);
  }
  /* Each place alone is more than it needs, since the others help. */
  orders_weaken(NULL, "activate", ORDERS_NOT_CONSISTENT);
  orders_result joined = explore_one(scenario_named("join"), limit, switches);
  printf("%-10s all of activate: seq_cst -> acq_rel%s%s\n", joined.failure ? "join" : "unnoticed",
         joined.failure ? ": " : "", joined.failure ? joined.failure : "");
  mutants++;
  caught += joined.failure != NULL;
  bad += joined.failure == NULL;
  for (int i = 0; i < NEEDED; i++) {
    if (noticed[i]) continue;
    printf("NOT NOTICED: %s, %s %s %s\n", needed[i].function, needed[i].what, needed[i].place,
           name_of(needed[i].order));
    bad++;
  }
  printf("%d of %d mutants noticed, %llu executions in all\n", caught, mutants,
         (unsigned long long)executions);
  return bad != 0;
}
