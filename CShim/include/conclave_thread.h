/* Threads that may block. Why C: pthread_create wants a C function pointer and an attribute object,
 * neither of which reads well from Swift in strict memory safety. */
#ifndef CONCLAVE_THREAD_H
#define CONCLAVE_THREAD_H

/* Starts a detached thread that runs `body`, with all signals blocked but those of its own instructions: that a
 * segment was cut off is such a one (conclave_guard.h). Returns 0 or an errno. */
int conclave_thread_start(void (*body)(void));

#endif
