/* Runs each scenario as the code is, and then with each memory order that it uses weakened: no scenario may
 * fail as it is, and one must with each order weakened. */
#include <stdio.h>

#include "scenarios.h"

enum { MOST = 32 };
static const orders_scenario *scenarios[MOST];
static int scenario_count;
static uint64_t executions;

static void collect(const orders_scenario *from) {
  for (; from->name; from++) {
    if (scenario_count == MOST) { fprintf(stderr, "too many scenarios\n"); exit(2); }
    scenarios[scenario_count++] = from;
  }
}

static orders_result explore_one(int scenario, uint64_t limit, int switches) {
  orders_running = 1u << scenario;
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
    bad = result.failure != NULL;
  }
  printf("as it is: %llu executions\n", (unsigned long long)executions);
  return bad;
}

/* Why a scenario fails. First a few executions of each: most notice at once. Of those that do not come to
 * `site` the run as it is has shown that weakened it is the same run. */
static const char *explore(const orders_site *site, uint64_t limit, int switches, int *scenario) {
  uint32_t open = site->scenarios;
  for (uint64_t most = limit / 100; open && most <= limit; most *= 10) {
    for (int i = 0; i < scenario_count; i++) {
      if (!(open & 1u << i)) continue;
      *scenario = i;
      orders_result result = explore_one(i, most, switches);
      if (result.failure) return result.failure;
      if (result.whole) open &= ~(1u << i);
    }
  }
  return NULL;
}

static const char *name_of(int order) {
  static const char *const names[] = {"relaxed", "", "acquire", "release", "acq_rel", "seq_cst"};
  return names[order];
}

/* Stronger than needed: why stands there. */
static int is_kept(const orders_site *site) {
  return strcmp(site->function, "conclave_receive_copy") == 0 && site->order == memory_order_acquire &&
         strcmp(site->place, "&header->reserve") == 0;
}

/* Weakens `site` to `order`; returns whether that was noticed. */
static int weaken(const orders_site *site, int order, uint64_t limit, int switches) {
  int scenario = 0;
  orders_weaken(site, order);
  const char *failure = explore(site, limit, switches, &scenario);
  const char *slash = strrchr(site->file, '/');
  printf("%-10s %s:%d %s: %s%s%s %s -> %s%s%s\n",
         failure ? scenarios[scenario]->name : "UNNOTICED", slash + 1, site->line, site->function,
         site->what, site->place[0] ? " " : "", site->place, name_of(site->order), name_of(order),
         failure ? ": " : "",
         failure ? failure : "");
  return failure != NULL;
}

static int is_ordered(const orders_site *site) {
  return site->order != memory_order_relaxed && strstr(site->file, "CShim") != NULL;
}

/* Of these nothing is known. */
extern const orders_site __start_orders_places[], __stop_orders_places[];
static void list_unreached(void) {
  for (const orders_site *site = __start_orders_places; site < __stop_orders_places; site++) {
    if (!is_ordered(site) || orders_is_reached(site)) continue;
    printf("no scenario comes to %s:%d %s: %s%s%s %s\n", strrchr(site->file, '/') + 1, site->line,
           site->function, site->what, site->place[0] ? " " : "", site->place, name_of(site->order));
  }
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
  int bad = run_as_it_is(limit, switches);
  if (bad || weak_limit == 0) return bad;
  int mutants = 0, caught = 0;
  for (const orders_site *site = orders_sites; site; site = site->next) {
    if (!is_ordered(site) || site->first != site || is_kept(site)) continue;
    if (site->order == memory_order_seq_cst) {
      mutants++;
      caught += weaken(site, memory_order_acq_rel, weak_limit, switches);
    }
    mutants++;
    caught += weaken(site, memory_order_relaxed, weak_limit, switches);
  }
  list_unreached();
  printf("%d of %d weakened orders noticed, %llu executions in all\n", caught, mutants,
         (unsigned long long)executions);
  return caught < mutants;
}
