/* Descriptors that a forked child must not keep.
 *
 * An open-file-description lock, and an flock, belongs to the open file, which a child that is forked shares:
 * it would outlive its owner as long as the child lives. So the child closes such descriptors, first of
 * all, in pthread_atfork's handler. It only closes them: to unlock would take the lock from its parent.
 *
 * A child that is forked between the opening of a file and conclave_descriptor_guard, or while it is being
 * closed, keeps that one; so does one that is made without handlers, by clone(2) or _Fork(3).
 *
 * From any thread.
 */
#ifndef CONCLAVE_DESCRIPTORS_H
#define CONCLAVE_DESCRIPTORS_H

/* Has every child that is forked from now on close the descriptor. Those from 65,536 up are not. */
void conclave_descriptor_guard(int descriptor);

/* The opposite: the caller closes it. */
void conclave_descriptor_forget(int descriptor);

/* Closes a descriptor that was guarded by this process, or by one that this one was forked from, where it is
 * closed already: there it does nothing. `is_own`: which of both. */
void conclave_descriptor_end(int descriptor, int is_own);

/* In the child. Async-signal-safe. */
void conclave_descriptors_close_inherited(void);

#endif
