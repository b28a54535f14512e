/* Runs each scenario as the code is, and then with each memory order that it uses weakened: no scenario may
 * fail as it is, and one must with each order weakened. */
#include <stdio.h>

#include "scenarios.h"

enum { MOST = 64 };
static const orders_scenario *scenarios[MOST];
static int scenario_count;
static uint64_t sizes[MOST]; /* how many executions each has */
static int by_size[MOST];
static uint64_t executions;

static void collect(const orders_scenario *from) {
  for (; from->name; from++) {
    if (scenario_count == MOST) { fprintf(stderr, "too many scenarios\n"); exit(2); }
    scenarios[scenario_count++] = from;
  }
}

static orders_result explore_one(int scenario, uint64_t limit, int switches) {
  orders_running = UINT64_C(1) << scenario;
  orders_result result = orders_explore(scenarios[scenario], limit, switches);
  executions += result.executions;
  return result;
}

/* Whether a scenario fails: the first. */
static int run_as_it_is(uint64_t limit, int switches) {
  int bad = 0;
  for (int i = 0; i < scenario_count && !bad; i++) {
    orders_result result = explore_one(i, limit, switches);
    printf("%-10s %llu executions%s: %s\n", scenarios[i]->name,
           (unsigned long long)result.executions, result.whole ? ", all there are" : "",
           result.failure ? result.failure : "holds");
    sizes[i] = result.executions;
    bad = result.failure != NULL;
  }
  printf("as it is: %llu executions\n", (unsigned long long)executions);
  return bad;
}

/* Those with the fewest executions first. */
static void sort_by_size(void) {
  for (int i = 0; i < scenario_count; i++) {
    int place = i;
    for (; place > 0 && sizes[by_size[place - 1]] > sizes[i]; place--) {
      by_size[place] = by_size[place - 1];
    }
    by_size[place] = i;
  }
}

/* Why a scenario fails. First a few executions of each: most notice at once. Of those that do not come to
 * `site` the run as it is has shown that weakened it is the same run. */
static const char *explore(const orders_site *site, uint64_t limit, int switches, int *scenario) {
  uint64_t open = site->scenarios;
  for (uint64_t most = limit / 100; open && most <= limit; most *= 10) {
    for (int next = 0; next < scenario_count; next++) {
      int i = by_size[next];
      if (!(open & UINT64_C(1) << i)) continue;
      *scenario = i;
      orders_result result = explore_one(i, most, switches);
      if (result.failure) return result.failure;
      if (result.whole) open &= ~(UINT64_C(1) << i);
    }
  }
  return NULL;
}

static const char *name_of(int order) {
  static const char *const names[] = {"relaxed", "", "acquire", "release", "acq_rel", "seq_cst"};
  return names[order];
}

/* What is not noticed although the order stays, down to `order`, and why. */
typedef struct kept_order {
  const char *function;
  const char *place;
  int order;
  const char *reason;
} kept_order;

static const char *const simple = "rare, and sequentially consistent for simplicity";
static const char *const too_strong =
    "the loads behind it are sequentially consistent, which is more here than in C11; Tests/Litmus "
    "shows it";
static const kept_order kept_orders[] = {
    {"conclave_receive_copy", "&header->reserve", memory_order_relaxed,
     "the slot has brought it, but compilers make slower code of a relaxed load"},
    {"conclave_view_prepare", "&event->word", memory_order_relaxed, too_strong},
    {"conclave_mirror_want_synced", "wanted", memory_order_relaxed, simple},
    {"conclave_mirror_wanted", "&view->board->mirror.wanted", memory_order_relaxed, simple},
    {"conclave_mirror_set_base", "&view->board->mirror.base", memory_order_relaxed, simple},
    {"conclave_mirror_rounds", "&view->board->mirror.rounds", memory_order_acq_rel, simple},
    {"conclave_mirror_rounds", "&view->board->mirror.rounds", memory_order_relaxed, too_strong},
    {"conclave_mirror_note_round", "&view->board->mirror.rounds", memory_order_acq_rel, simple},
    {"conclave_mirror_note_round", "&view->board->mirror.rounds", memory_order_relaxed, too_strong},
    {"conclave_mirror_read", "&state->unsynced_subject", memory_order_acq_rel, simple},
    {"conclave_mirror_read", "&state->unsynced_subject", memory_order_relaxed, too_strong},
    {"conclave_mirror_note_unsynced", "&state->unsynced_subject", memory_order_acq_rel, simple},
    {"conclave_mirror_note_unsynced", "&state->unsynced_subject", memory_order_relaxed, too_strong},
};

static const char *reason_to_keep(const orders_site *site, int order) {
  for (size_t i = 0; i < sizeof(kept_orders) / sizeof(kept_orders[0]); i++) {
    const kept_order *kept = &kept_orders[i];
    if (order >= kept->order && strcmp(site->function, kept->function) == 0 &&
        strcmp(site->place, kept->place) == 0) {
      return kept->reason;
    }
  }
  return NULL;
}

static struct { int tried, caught, kept; } weakened;

static void report(const char *who, const orders_site *site, int order, const char *why) {
  printf("%-10s %s:%d %s: %s%s%s %s -> %s%s%s\n", who, strrchr(site->file, '/') + 1, site->line,
         site->function, site->what, site->place[0] ? " " : "", site->place, name_of(site->order),
         name_of(order), why ? ": " : "", why ? why : "");
}

/* Weakens `site` to `order`, unless it is kept. */
static void weaken(const orders_site *site, int order, uint64_t limit, int switches) {
  const char *reason = reason_to_keep(site, order);
  if (reason) {
    report("KEPT", site, order, reason);
    weakened.kept++;
    return;
  }
  int scenario = 0;
  orders_weaken(site, order);
  const char *failure = explore(site, limit, switches, &scenario);
  report(failure ? scenarios[scenario]->name : "UNNOTICED", site, order, failure);
  weakened.tried++;
  weakened.caught += failure != NULL;
}

static int is_ordered(const orders_site *site) {
  return site->order != memory_order_relaxed && strstr(site->file, "CShim") != NULL;
}

/* Of these nothing is known. */
extern const orders_site __start_orders_places[], __stop_orders_places[];
static int list_unreached(void) {
  int count = 0;
  for (const orders_site *site = __start_orders_places; site < __stop_orders_places; site++) {
    if (!is_ordered(site) || orders_is_reached(site)) continue;
    printf("no scenario comes to %s:%d %s: %s%s%s %s\n", strrchr(site->file, '/') + 1, site->line,
           site->function, site->what, site->place[0] ? " " : "", site->place, name_of(site->order));
    count++;
  }
  return count;
}

/* Words: executions of each scenario at most, of each when something is weakened (0: nothing is), changes
 * of thread. */
int main(int count, char **words) {
  uint64_t limit = count > 1 ? strtoull(words[1], NULL, 10) : 400000;
  uint64_t weak_limit = count > 2 ? strtoull(words[2], NULL, 10) : 200000;
  int switches = count > 3 ? atoi(words[3]) : 2;
  collect(orders_scenarios);
  collect(orders_takeovers);
  collect(orders_hints);
  collect(orders_rows);
  collect(orders_heirs);
  collect(orders_asks);
  int bad = run_as_it_is(limit, switches);
  if (bad || weak_limit == 0) return bad;
  sort_by_size();
  for (const orders_site *site = orders_sites; site; site = site->next) {
    if (!is_ordered(site) || site->first != site) continue;
    if (site->order == memory_order_seq_cst) {
      weaken(site, memory_order_acq_rel, weak_limit, switches);
    }
    weaken(site, memory_order_relaxed, weak_limit, switches);
  }
  int unreached = list_unreached();
  printf("%d of %d weakened orders noticed, %d more kept, %llu executions in all\n",
         weakened.caught, weakened.tried, weakened.kept, (unsigned long long)executions);
  return unreached || weakened.caught < weakened.tried;
}
