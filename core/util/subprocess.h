/* Child processes: no shell, own process group, dead when we are.
 *
 *     sr_child_spawn(&o, &child, &err);
 *     read child.out ..., sr_child_wait(&child, timeout_ms, &status, &err)
 *     sr_child_kill(&child, grace_ms); sr_child_done(&child)
 *
 * posix_spawn of strongroom-child (pkglibexecdir, or the build tree of the running program), which
 * sets the parent-death signal, checks that its parent still is the one it was told, and execs
 * argv. The signal follows the *thread* that spawned: spawn from one that lives as long as the
 * child must. All descriptors but 0, 1, 2 and keep_fds are closed in the child; signal mask and
 * handlers are default. A struct sr_child belongs to one thread at a time.
 *
 * The signal reaches the program, not what the program forks. For one that forks, or may be a
 * script of the operator's own, ask for `watch`: a small process (core/child/watch.c) then stays
 * between us and the program, in the program's group. When we die, even by SIGKILL, it ends the
 * group: TERM, and KILL two seconds later. It passes the program's exit status or signal on, so
 * that nothing else is different; pid is its pid, and it is no longer tied to the spawning thread.
 * Either way, what a program leaves behind in its group ends with it, at the latest when it is
 * waited for. A process that leaves the group (setsid) is on its own.
 */
#ifndef SR_UTIL_SUBPROCESS_H
#define SR_UTIL_SUBPROCESS_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <sys/types.h>

enum sr_child_stream {
    SR_CHILD_NULL, /* /dev/null */
    SR_CHILD_PIPE, /* a pipe; our end is in, out or err */
    SR_CHILD_INHERIT,
    SR_CHILD_TO_OUT, /* err only: the same as out */
};

struct sr_child_options {
    char *const *argv; /* argv[0] is a path, or looked up in PATH (absolute parts only) */
    const struct sr_strlist *env; /* NAME=VALUE: set, NAME: unset; on top of ours; may be NULL */
    enum sr_child_stream in, out, err;
    const int *keep_fds; /* 3 or higher; stay open under the same numbers; ended by -1; or NULL */
    size_t pipe_size;    /* wished capacity of out and in, bytes; 0: as it is */
    int watch;           /* nonzero: what the program forks dies with us, too */
};

struct sr_child {
    pid_t pid;        /* also the number of its process group; 0: none, or reaped */
    int in, out, err; /* our ends, O_CLOEXEC; -1 */
};

/* A child that never was: all descriptors -1. */
#define SR_CHILD_INIT \
    {                 \
        0, -1, -1, -1 \
    }

/* Returns when argv is running or could not be started: SR_E_NOT_FOUND, SR_E_DENIED ... name the
 * program. *ret is the caller's to give to sr_child_done. */
int sr_child_spawn(const struct sr_child_options *o, struct sr_child *ret, struct sr_error *err);
/* Waits; SR_OK with the status of waitpid, SR_E_AGAIN after timeout_ms (< 0: for ever). Once it has
 * ended, so has all of its group. */
int sr_child_wait(struct sr_child *c, int timeout_ms, int *ret_status, struct sr_error *err);
/* TERM to the group, KILL after grace_ms or when the leader is gone; reaps. Fine when it is gone.
 */
void sr_child_kill(struct sr_child *c, int grace_ms);
/* Closes our ends; kills what still runs; leaves SR_CHILD_INIT. */
void sr_child_done(struct sr_child *c);

/* Writes all of data to the child's standard input. A child that is gone is SR_E_CHILD, without a
 * SIGPIPE. wake_fd (-1: none) becoming readable ends a blocked write with SR_E_CANCELLED,
 * timeout_ms (< 0: none) without a byte taken with SR_E_TIMEOUT. */
int sr_child_write(struct sr_child *c, const void *data, size_t len, int wake_fd, int timeout_ms,
                   struct sr_error *err);
/* Closes our end of the child's standard input: its end of file. */
void sr_child_close_in(struct sr_child *c);

#define SR_CHILD_STATUS_TEXT 80
/* "exit status 1", "killed by signal 9 (Killed)". */
void sr_child_status_text(int status, char *out, size_t cap);
/* Runs argv to its end; standard output into out (bounded by its ceiling; NULL: thrown away), the
 * end of standard error into the message. Exit status other than 0 is SR_E_CHILD, not ended after
 * timeout_ms (< 0: any time) SR_E_TIMEOUT. */
struct sr_buf;
int sr_child_run(char *const *argv, const struct sr_strlist *env, int timeout_ms,
                 struct sr_buf *out, struct sr_error *err);

/* Where a program is: name itself when it has a slash, else the first executable file of that name
 * in PATH. Relative and empty parts of PATH are passed over: what runs must not depend on the
 * working folder. malloc'd; SR_E_NOT_FOUND. */
int sr_program_find(const char *name, char **ret, struct sr_error *err);

#endif
