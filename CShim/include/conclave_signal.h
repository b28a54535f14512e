/* Being asked to end, as something to poll for instead of code in a signal handler.
 *
 * For commands, never for the library: it changes the signal mask of the calling thread, which the
 * threads that it starts later inherit.
 *
 * Why C: Swift's Glibc module has no signalfd.
 */
#ifndef CONCLAVE_SIGNAL_H
#define CONCLAVE_SIGNAL_H

/* Takes SIGINT, SIGTERM and SIGHUP away from their default action and returns a descriptor that becomes
 * readable when one arrives, or minus an errno. A signal that the parent chose to ignore (nohup, a job in
 * the background) stays ignored. Call before other threads start. */
int conclave_signals_open(void);

/* The signal that arrived: SIGINT, SIGTERM or SIGHUP, or minus an errno. Blocks until there is one. */
int conclave_signals_read(int descriptor);

#endif
