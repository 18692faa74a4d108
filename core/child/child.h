/* What the parts of strongroom-child share; see main.c for what it is. Nothing here is of core. */
#ifndef SR_CHILD_CHILD_H
#define SR_CHILD_CHILD_H

#include <sys/types.h>

#define CHILD_NOT_STARTED 127 /* exit status when PROGRAM never ran */

/* Writes errnum to status_fd, where strongroom waits for it, and exits. */
_Noreturn void child_fail(int status_fd, int errnum);
/* From first on: close at exec, or now. */
void child_close_from(int first, int at_exec);

/* Forks; returns in the new process alone, which is to become PROGRAM, with the pid of the one that
 * watches over it: its parent, and in the same process group. Signal mask and handlers are as
 * before. */
pid_t child_watched(pid_t parent, int status_fd);

#endif
