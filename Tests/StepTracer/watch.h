/* Watchpoints: a traced child stops behind each instruction that touches a word. x86-64 alone. */
#ifndef STEP_WATCH_H
#define STEP_WATCH_H

#include <stdint.h>
#include <sys/types.h>

/* Lets the child run from its first mark to its second one, and counts the instructions that read the word
 * without writing it. `width` is 4 or 8 bytes. ENOTSUP: there are no watchpoints here. */
int step_watch(pid_t child, const void *place, uint32_t width, uint32_t *fetches);

/* Lets a thread run until it is about to execute what lies at `address`, when it stops as after a step; and
 * ends that. ENOTSUP: this machine cannot, and nothing runs. */
int step_run_past(pid_t thread, uint64_t address);
int step_watch_nothing(pid_t thread);

#endif
