/* Runs a stretch of code in a child one instruction at a time, so that it can die, or stop, at each of
 * them: ptrace(2), PTRACE_SINGLESTEP.
 *
 * What single-stepping cannot do is stop inside a system call: the call is one step.
 *
 * One thread. All functions return 0 or a positive errno unless said otherwise.
 */
#ifndef STEP_TRACER_H
#define STEP_TRACER_H

#include <stdint.h>
#include <sys/types.h>

/* In the child: where the stretch begins, and where it ends. Ends a process that nobody traces. */
static inline void step_mark(void) {
#if defined(__x86_64__)
  __asm__ volatile("int3" ::: "memory");
#elif defined(__aarch64__)
  /* Traps with the program counter on itself, unlike int3: the tracer moves it on. */
  __asm__ volatile("brk #0" ::: "memory");
#else
#error "no breakpoint instruction is known for this processor"
#endif
}

/* Forks a child that runs `body`, which calls step_mark() twice, and lets it come to the first mark.
 * Child and caller are bound to one core, since they take turns. ECHILD: it ended before. */
int step_begin(void (*body)(void *), void *context, pid_t *child);

/* Lets it execute `count` instructions, or as many as there are: `*done` of them, with `*at_end` 1 when
 * it has come to the second mark. ECHILD: it ended before. */
int step_on(pid_t child, uint64_t count, uint64_t *done, int *at_end);

/* The address of the instruction that comes next. */
int step_instruction(pid_t child, uint64_t *address);

/* Delivers `signal` where it stands, and lets the handler, which calls step_mark(), run to its end: the
 * child stands where it stood. ECHILD: it ended in the handler. */
int step_interrupt(pid_t child, int signal);

/* Lets it run to its second mark, unless it is there, and then to its end. ECHILD: it was killed, or
 * ended with another exit code than 0. */
int step_finish(pid_t child, int at_end);

/* Kills it, and waits until it is dead. */
int step_kill(pid_t child);

#endif
