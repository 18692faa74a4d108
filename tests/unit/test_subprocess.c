#include "config.h"
#include "core/util/buf.h"
#include "core/util/clock.h"
#include "core/util/excerpt.h"
#include "core/util/fs.h"
#include "core/util/program.h"
#include "core/util/subprocess.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGV(...) ((char *const[]){__VA_ARGS__, NULL})
#define SH(script) ARGV((char *)"sh", (char *)"-c", (char *)(script))

static int64_t seconds(void)
{
    return sr_clock_monotonic(&sr_clock_system) / 1000000000;
}

/* Runs a shell script; its standard output, malloc'd. */
static char *output(const char *script, const struct sr_strlist *env)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    sr_buf_init(&out, 1 << 20);
    CU_ASSERT_EQUAL(sr_child_run(SH(script), env, 20000, &out, &err), SR_OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    return sr_buf_steal(&out);
}

static void run_gives_output_and_environment(void)
{
    struct sr_strlist env = {0};
    setenv("SR_TEST_GONE", "1", 1);
    setenv("SR_TEST_KEPT", "kept", 1);
    sr_strlist_add(&env, "SR_TEST_GONE");
    sr_strlist_add(&env, "SR_TEST_NEW=first");
    sr_strlist_add(&env, "SR_TEST_NEW=a=b c");
    char *text = output("printf '%s|%s|%s' \"${SR_TEST_GONE-unset}\" \"$SR_TEST_KEPT\" "
                        "\"$SR_TEST_NEW\"",
                        &env);
    CU_ASSERT_STRING_EQUAL(text, "unset|kept|a=b c");
    free(text);
    sr_strlist_done(&env);
}

static void failure_tells_status_and_last_words(void)
{
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(
        sr_child_run(SH("echo one >&2; echo >&2; echo two >&2; exit 3"), NULL, -1, NULL, &err),
        SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "exit status 3"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "one; two"));
    CU_ASSERT_EQUAL(sr_child_run(SH("kill -9 $$"), NULL, -1, NULL, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "signal 9"));
}

static void program_that_is_not_there(void)
{
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(sr_child_run(ARGV((char *)"/nonexistent/pg_dump"), NULL, -1, NULL, &err),
                    SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/pg_dump"));
    CU_ASSERT_EQUAL(sr_child_run(ARGV((char *)"no-such-program-x"), NULL, -1, NULL, &err),
                    SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_child_run(ARGV((char *)"/etc/passwd"), NULL, -1, NULL, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_child_run(ARGV((char *)""), NULL, -1, NULL, &err), SR_E_NOT_FOUND);
}

static void path_never_means_the_working_folder(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char dir[] = "/tmp/sr-path-XXXXXX", *found = NULL, before[4096];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof before));
    CU_ASSERT_EQUAL_FATAL(chdir(dir), 0);
    int fd = open("sr-hidden", O_CREAT | O_WRONLY, 0700);
    CU_ASSERT(fd >= 0);
    close(fd);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", ".:::relative:/nonexistent", 1);
    CU_ASSERT_EQUAL(sr_program_find("sr-hidden", &found, &err), SR_E_NOT_FOUND);
    setenv("PATH", "/nonexistent:/", 1);
    CU_ASSERT_EQUAL(sr_program_find("tmp", &found, &err), SR_E_NOT_FOUND);
    setenv("PATH", dir, 1);
    CU_ASSERT_EQUAL(sr_program_find("sr-hidden", &found, &err), SR_OK);
    free(found);
    unsetenv("PATH");
    CU_ASSERT_EQUAL(sr_program_find("sh", &found, &err), SR_OK);
    free(found);
    setenv("PATH", path, 1);
    free(path);
    CU_ASSERT_EQUAL(unlink("sr-hidden"), 0);
    CU_ASSERT_EQUAL_FATAL(chdir(before), 0);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void helper_is_found_by_the_running_program_alone(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char *self = NULL, *helper = NULL, dir[] = "/tmp/sr-helper-XXXXXX", path[256], exe[256];
    CU_ASSERT_EQUAL_FATAL(sr_program_self(&self, &err), SR_OK);
    CU_ASSERT_EQUAL_FATAL(sr_program_child_helper(self, &helper, &err), SR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(helper, "/strongroom-child"));
    free(self);
    free(helper);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/strongroom-child", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0700);
    CU_ASSERT(fd >= 0);
    close(fd);
    /* An installed program trusts libexecdir only, with its own DESTDIR in front. */
    snprintf(exe, sizeof exe, "%s" SR_BIN_DIR "/strongroom", dir);
    CU_ASSERT_EQUAL(sr_program_child_helper(exe, &helper, &err), SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "install"));
    snprintf(exe, sizeof exe, "%s/tests/unit/test_x", dir);
    CU_ASSERT_EQUAL(sr_program_child_helper(exe, &helper, &err), SR_OK);
    CU_ASSERT_STRING_EQUAL(helper, path);
    free(helper);
    helper = NULL;
    /* A helper that everybody may replace is none. */
    CU_ASSERT_EQUAL(chmod(path, 0702), 0);
    if (sr_program_child_helper(exe, &helper, &err) == SR_OK)
        CU_ASSERT_STRING_NOT_EQUAL(helper, path);
    free(helper);
    unlink(path);
    rmdir(dir);
}

static void child_has_a_clean_start(void)
{
    /* A blocked, an ignored signal and a descriptor left open must not reach the child. */
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    void (*old)(int) = signal(SIGHUP, SIG_IGN);
    int leaked = fcntl(0, F_DUPFD, 50);
    char *text =
        output("sed -n 's/SigBlk://p;s/SigIgn://p' /proc/self/status; ls /proc/self/fd", NULL);
    char *rest = text;
    CU_ASSERT_EQUAL(strtoull(rest, &rest, 16), 0);
    /* 32 and 33 are the C library's own; posix_spawn always leaves them ignored. */
    CU_ASSERT_EQUAL(strtoull(rest, &rest, 16) & ~0x180000000ull, 0);
    /* ls itself has the folder open as 3 */
    CU_ASSERT_STRING_EQUAL(rest, "\n0\n1\n2\n3\n");
    free(text);
    close(leaked);
    signal(SIGHUP, old);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void kept_descriptors_stay(void)
{
    int fd = fcntl(open("/etc/passwd", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 40);
    int keep[] = {fd, -1}, status = 0, wrong[] = {1, -1};
    struct sr_child_options o = {.argv = SH("head -c 4 /proc/self/fd/$FD; exit 7"),
                                 .in = SR_CHILD_NULL,
                                 .out = SR_CHILD_PIPE,
                                 .err = SR_CHILD_TO_OUT,
                                 .keep_fds = keep};
    struct sr_strlist env = {0};
    struct sr_child c = SR_CHILD_INIT;
    struct sr_error err = SR_ERROR_INIT;
    char got[16] = "";
    sr_strlist_addf(&env, "FD=%d", fd);
    o.env = &env;
    CU_ASSERT_EQUAL_FATAL(sr_child_spawn(&o, &c, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_read_full(c.out, got, sizeof got - 1), 4);
    CU_ASSERT_STRING_EQUAL(got, "root");
    CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 7);
    CU_ASSERT_EQUAL(sr_child_wait(&c, 0, &status, &err), SR_E_INTERNAL);
    sr_child_done(&c);
    o.keep_fds = wrong;
    CU_ASSERT_EQUAL(sr_child_spawn(&o, &c, &err), SR_E_IO);
    sr_strlist_done(&env);
    close(fd);
}

static void wait_and_kill_with_a_bound(void)
{
    struct sr_child_options o = {.argv = SH("trap '' TERM; echo x; sleep 1000"),
                                 .in = SR_CHILD_NULL,
                                 .out = SR_CHILD_PIPE,
                                 .err = SR_CHILD_INHERIT};
    struct sr_child c = SR_CHILD_INIT;
    struct sr_error err = SR_ERROR_INIT;
    int status = 0;
    char x[2];
    CU_ASSERT_EQUAL_FATAL(sr_child_spawn(&o, &c, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_read_full(c.out, x, 2), 2);
    CU_ASSERT_EQUAL(sr_child_wait(&c, 30, &status, &err), SR_E_AGAIN);
    int64_t start = seconds();
    sr_child_kill(&c, 50);
    CU_ASSERT(seconds() - start < 10);
    CU_ASSERT_EQUAL(c.pid, 0);
    /* The whole group is gone, sleep too: its end of the pipe is closed. */
    CU_ASSERT_EQUAL(sr_read_full(c.out, x, 1), 0);
    sr_child_kill(&c, 50);
    sr_child_done(&c);
    sr_child_done(&c);
}

static void run_has_bounds(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    sr_buf_init(&out, 1000);
    CU_ASSERT_EQUAL(sr_child_run(SH("yes"), NULL, -1, &out, &err), SR_E_NO_SPACE);
    sr_buf_reset(&out);
    CU_ASSERT_EQUAL(sr_child_run(SH("sleep 1000"), NULL, 50, &out, &err), SR_E_TIMEOUT);
    /* Streams closed, still running. */
    CU_ASSERT_EQUAL(sr_child_run(SH("exec >&- 2>&-; sleep 1000"), NULL, 100, &out, &err),
                    SR_E_TIMEOUT);
    CU_ASSERT_EQUAL(
        sr_child_run(SH("head -c 3000000 /dev/zero >&2; echo fine"), NULL, 20000, &out, &err),
        SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&out), "fine\n");
    sr_buf_done(&out);
}

static struct sr_child start_cat(const char *script, size_t pipe_size)
{
    struct sr_child_options o = {.argv = SH(script),
                                 .in = SR_CHILD_PIPE,
                                 .out = SR_CHILD_PIPE,
                                 .err = SR_CHILD_INHERIT,
                                 .pipe_size = pipe_size};
    struct sr_child c = SR_CHILD_INIT;
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(sr_child_spawn(&o, &c, &err), SR_OK);
    return c;
}

static void write_feeds_a_child(void)
{
    struct sr_error err = SR_ERROR_INIT;
    static char data[300000];
    struct sr_child c = start_cat("wc -c", 1 << 20);
    char text[32] = "";
    int status = 0;
    memset(data, 'x', sizeof data);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(sr_child_write(&c, data, sizeof data, -1, 10000, &err), SR_OK);
    sr_child_close_in(&c);
    CU_ASSERT_EQUAL(sr_child_write(&c, data, 1, -1, 10000, &err), SR_E_CHILD);
    CU_ASSERT(sr_read_full(c.out, text, sizeof text - 1) > 0);
    CU_ASSERT_EQUAL(atol(text), 3000000);
    CU_ASSERT_EQUAL(sr_child_wait(&c, -1, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(status, 0);
    sr_child_done(&c);
}

static void write_to_one_that_is_gone_or_asleep(void)
{
    struct sr_error err = SR_ERROR_INIT;
    static char data[300000];
    int status = 0, wake = eventfd(0, EFD_CLOEXEC);
    struct sr_child c = start_cat("exit 0", 0);
    CU_ASSERT_EQUAL(sr_child_wait(&c, -1, &status, &err), SR_OK);
    /* No SIGPIPE: this program would not live to tell. */
    CU_ASSERT_EQUAL(sr_child_write(&c, data, sizeof data, wake, 10000, &err), SR_E_CHILD);
    sr_child_done(&c);
    c = start_cat("sleep 1000", 0);
    CU_ASSERT_EQUAL(sr_child_write(&c, data, sizeof data, wake, 30, &err), SR_E_TIMEOUT);
    uint64_t one = 1;
    CU_ASSERT_EQUAL(write(wake, &one, sizeof one), (ssize_t)sizeof one);
    CU_ASSERT_EQUAL(sr_child_write(&c, data, sizeof data, wake, -1, &err), SR_E_CANCELLED);
    sr_child_done(&c);
    close(wake);
}

/* Whether the process is stopped; looked at for up to ten seconds. */
static int is_stopped(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    for (int i = 0; i < 1000; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        const char *state = strrchr(text, ')');
        if (state && state[2] == 'T')
            return 1;
        (void)poll(NULL, 0, 10);
    }
    return 0;
}

/* A process that starts a child, waits until it says "up", and is then killed with -9: the child
 * must go with it. Child and grandchildren alone hold the write end of a pipe, so that the end of
 * all of them is seen without asking for it. Gives what they still wrote. */
enum stop {
    STOP_NOT,
    STOP_BEFORE,  /* the child's group; the kernel wakes it, as the kill makes it an orphan */
    STOP_ADOPTED, /* likewise, but the group gets a new parent in its session: nobody wakes it */
};
static void dies_with_its_parent(const char *script, int watch, enum stop stop, char *said,
                                 size_t cap)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        close(ends[0]);
        struct sr_child_options o = {.argv = SH(script),
                                     .in = SR_CHILD_NULL,
                                     .out = SR_CHILD_INHERIT,
                                     .err = SR_CHILD_INHERIT,
                                     .watch = watch};
        struct sr_child c = SR_CHILD_INIT;
        dup2(ends[1], STDOUT_FILENO);
        close(ends[1]);
        if (sr_child_spawn(&o, &c, NULL) != SR_OK)
            _exit(1);
        dprintf(STDOUT_FILENO, "%10ld\n", (long)c.pid);
        close(STDOUT_FILENO);
        for (;;)
            pause();
    }
    close(ends[1]);
    /* "up" of the script and the child's pid, in either order. */
    char up[15] = "", *number = up;
    CU_ASSERT_EQUAL(sr_read_full(ends[0], up, 14), 14);
    if (up[0] == 'u')
        number += 3;
    pid_t child = (pid_t)strtol(number, NULL, 10);
    CU_ASSERT_FATAL(child > 1);
    CU_ASSERT_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, stop == STOP_ADOPTED), 0);
    if (stop != STOP_NOT) {
        kill(-child, SIGSTOP);
        CU_ASSERT(is_stopped(child));
    }
    kill(parent, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(parent, NULL, 0), parent);
    for (size_t n = 0;;) {
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        CU_ASSERT_EQUAL(poll(&p, 1, 15000), 1);
        ssize_t got = p.revents ? read(ends[0], said + n, cap - 1 - n) : 0;
        n += got > 0 ? (size_t)got : 0;
        said[n] = '\0';
        if (got <= 0)
            break;
    }
    close(ends[0]);
    if (stop == STOP_ADOPTED) {
        CU_ASSERT_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
        kill(-child, SIGKILL);
        while (waitpid(-child, NULL, 0) > 0)
            continue;
    }
}

static void child_dies_with_its_parent(void)
{
    char said[64];
    dies_with_its_parent("echo up; exec sleep 1000", 0, STOP_NOT, said, sizeof said);
    dies_with_its_parent("echo up; exec sleep 1000", 1, STOP_NOT, said, sizeof said);
}

#define BESIDE "(trap '' TERM; exec sleep 1000) & (exec sleep 1000) & "

static void group_dies_with_its_parent(void)
{
    char said[64];
    dies_with_its_parent(BESIDE "echo up; wait", 1, STOP_NOT, said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, "");
    /* Asked first: pg_restore then cancels what its backends do. */
    dies_with_its_parent("trap 'echo asked; exit 1' TERM;" BESIDE "echo up; wait", 1, STOP_NOT,
                         said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, "asked\n");
    dies_with_its_parent("trap '' TERM;" BESIDE "echo up; wait", 1, STOP_NOT, said, sizeof said);
    /* The first child is gone before, its own children are ours. */
    dies_with_its_parent("(" BESIDE "echo up; kill -9 $$; wait)", 1, STOP_NOT, said, sizeof said);
    dies_with_its_parent(BESIDE "echo up; wait", 1, STOP_BEFORE, said, sizeof said);
    dies_with_its_parent(BESIDE "echo up; wait", 1, STOP_ADOPTED, said, sizeof said);
}

/* However early the parent dies, nothing is left that holds the pipe. */
static void group_dies_at_any_moment(void)
{
    for (int i = 0; i < 40; i++) {
        int ends[2];
        CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
        pid_t parent = fork();
        if (parent == 0) {
            struct sr_child_options o = {.argv = SH("sleep 1000 & sleep 1000"),
                                         .in = SR_CHILD_NULL,
                                         .out = SR_CHILD_INHERIT,
                                         .err = SR_CHILD_INHERIT,
                                         .watch = 1};
            struct sr_child c = SR_CHILD_INIT;
            close(ends[0]);
            dup2(ends[1], STDOUT_FILENO);
            close(ends[1]);
            (void)sr_child_spawn(&o, &c, NULL);
            for (;;)
                pause();
        }
        close(ends[1]);
        struct timespec moment = {0, i * 150000L};
        (void)nanosleep(&moment, NULL);
        kill(parent, SIGKILL);
        CU_ASSERT_EQUAL(waitpid(parent, NULL, 0), parent);
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        char x;
        CU_ASSERT_EQUAL(poll(&p, 1, 15000), 1);
        CU_ASSERT_EQUAL(p.revents ? read(ends[0], &x, 1) : -1, 0);
        close(ends[0]);
    }
}

static struct sr_child start_watched(const char *script)
{
    struct sr_child_options o = {.argv = SH(script),
                                 .in = SR_CHILD_PIPE,
                                 .out = SR_CHILD_PIPE,
                                 .err = SR_CHILD_INHERIT,
                                 .watch = 1};
    struct sr_child c = SR_CHILD_INIT;
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(sr_child_spawn(&o, &c, &err), SR_OK);
    return c;
}

static void watching_changes_no_status(void)
{
    static const char *const scripts[] = {"exit 0",       "exit 3",        "exit 127",
                                          "exit 255",     "kill -TERM $$", "kill -KILL $$",
                                          "kill -INT $$", "kill -SEGV $$", "kill -USR1 $$"};
    static const int want[] = {0, 3, 127, 255, -SIGTERM, -SIGKILL, -SIGINT, -SIGSEGV, -SIGUSR1};
    struct sr_error err = SR_ERROR_INIT;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct sr_child c = start_watched(scripts[i]);
        int status = 0;
        CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
#ifdef SR_SANITIZED
        /* A sanitizer in the watcher takes this one for itself. */
        if (want[i] == -SIGSEGV) {
            sr_child_done(&c);
            continue;
        }
#endif
        CU_ASSERT_EQUAL(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), want[i]);
        sr_child_done(&c);
    }
    struct sr_child c = SR_CHILD_INIT;
    struct sr_child_options o = {.argv = ARGV((char *)"/etc/passwd"), .watch = 1};
    CU_ASSERT_EQUAL(sr_child_spawn(&o, &c, &err), SR_E_DENIED);
}

static void watching_takes_nothing_from_the_program(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    char x[4096] = "", path[64];
    int status = 0;
    struct sr_child c = start_watched("sed -n 's/SigBlk://p' /proc/self/status; ls /proc/self/fd; "
                                      "exec >&-; read x; exit 4");
    /* Its end of the pipe is the only one: what it closes is closed. */
    CU_ASSERT(sr_read_full(c.out, x, sizeof x - 1) > 0);
    char *rest = x;
    CU_ASSERT_EQUAL(strtoull(x, &rest, 16), 0);
    CU_ASSERT_STRING_EQUAL(rest, "\n0\n1\n2\n3\n");
    /* The one that watches has nothing open, and is not what `pkill strongroom` looks for. */
    sr_buf_init(&out, 4096);
    snprintf(path, sizeof path, "ls /proc/%ld/fd; cat /proc/%ld/comm", (long)c.pid, (long)c.pid);
    CU_ASSERT_EQUAL(sr_child_run(SH(path), NULL, 10000, &out, &err), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&out), "sr-watch\n");
    sr_buf_done(&out);
    sr_child_close_in(&c);
    CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 4);
    sr_child_done(&c);
}

/* The end of the pipe, whose other end what is to be gone has, within 15 seconds. */
static int at_end(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char x;
    return poll(&p, 1, 15000) == 1 && read(fd, &x, 1) == 0;
}

static void watched_group_ends_with_its_program(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char x;
    int status = 0;
    struct sr_child c = start_watched(BESIDE "exit 5");
    /* Although nobody has waited for it yet. */
    CU_ASSERT(at_end(c.out));
    CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 5);
    sr_child_done(&c);
    /* Killed alone, it takes the program along, and the rest goes when it is waited for. */
    c = start_watched(BESIDE "echo; wait");
    CU_ASSERT_EQUAL(read(c.out, &x, 1), 1);
    kill(c.pid, SIGKILL);
    CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(WTERMSIG(status), SIGKILL);
    CU_ASSERT(at_end(c.out));
    sr_child_done(&c);
    c = start_watched("trap '' TERM;" BESIDE "echo; wait");
    CU_ASSERT_EQUAL(read(c.out, &x, 1), 1);
    sr_child_kill(&c, 50);
    CU_ASSERT(at_end(c.out));
    sr_child_done(&c);
    /* What has left the group is nobody's to wait for. */
    c = start_watched("exec 3<&0; setsid cat <&3 >/dev/null & exit 6");
    CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 6);
    sr_child_done(&c);
}

static void *spawn_and_leave(void *ctx)
{
    *(struct sr_child *)ctx = start_watched("cat");
    return NULL;
}

static void watched_outlives_the_thread_that_spawned(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_child c = SR_CHILD_INIT;
    pthread_t t;
    int status = -1;
    char x[2];
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, spawn_and_leave, &c), 0);
    pthread_join(t, NULL);
    CU_ASSERT_EQUAL(sr_child_wait(&c, 50, &status, &err), SR_E_AGAIN);
    CU_ASSERT_EQUAL(sr_child_write(&c, "x\n", 2, -1, 10000, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_read_full(c.out, x, 2), 2);
    sr_child_close_in(&c);
    CU_ASSERT_EQUAL(sr_child_wait(&c, 10000, &status, &err), SR_OK);
    CU_ASSERT_EQUAL(status, 0);
    sr_child_done(&c);
}

static void helper_refuses_what_is_not_for_it(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char *self = NULL, *helper = NULL;
    CU_ASSERT_EQUAL_FATAL(sr_program_self(&self, &err), SR_OK);
    CU_ASSERT_EQUAL_FATAL(sr_program_child_helper(self, &helper, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_child_run(ARGV(helper), NULL, 10000, NULL, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "exit status 2"));
    /* Told another parent than it has: does not run anything. */
    struct sr_buf out;
    sr_buf_init(&out, 100);
    char mode[] = "exec", zero[] = "1", fd[] = "9", none[] = "-", echo[] = "/bin/echo", x[] = "x";
    CU_ASSERT_EQUAL(
        sr_child_run(ARGV(helper, mode, zero, fd, none, echo, echo, x), NULL, 10000, &out, &err),
        SR_E_CHILD);
    CU_ASSERT_EQUAL(out.len, 0);
    char many[] = "4,x";
    char parent[32];
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    CU_ASSERT_EQUAL(
        sr_child_run(ARGV(helper, mode, parent, fd, many, echo, echo, x), NULL, 10000, &out, &err),
        SR_E_CHILD);
    CU_ASSERT_EQUAL(out.len, 0);
    sr_buf_done(&out);
    free(self);
    free(helper);
}

static void standard_streams_may_be_closed(void)
{
    /* A daemon without 0, 1, 2: its pipes get these numbers unless care is taken. */
    pid_t pid = fork();
    if (pid == 0) {
        close(0);
        close(1);
        close(2);
        struct sr_buf out;
        sr_buf_init(&out, 100);
        int rc = sr_child_run(SH("echo fine"), NULL, 10000, &out, NULL);
        _exit(rc == SR_OK && strcmp(sr_buf_str(&out), "fine\n") == 0 ? 0 : 1);
    }
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
}

static void *spawn_many(void *ctx)
{
    int *bad = ctx;
    for (int i = 0; i < 20; i++) {
        struct sr_buf out;
        sr_buf_init(&out, 100);
        *bad += sr_child_run(SH("cat; echo $$"), NULL, 20000, &out, NULL) != SR_OK || out.len == 0;
        sr_buf_done(&out);
    }
    return NULL;
}

static void threads_spawn_side_by_side(void)
{
    pthread_t t[4];
    int bad[4] = {0};
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, spawn_many, &bad[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        CU_ASSERT_EQUAL(bad[i], 0);
    }
}

static void excerpt_keeps_both_ends(void)
{
    static const size_t sizes[] = {1, 7, 1000, 5000, 100000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        static struct sr_excerpt e;
        static char all[100000];
        memset(&e, 0, sizeof e);
        for (size_t i = 0; i < sizeof all; i++)
            all[i] = (char)('a' + i * i % 23);
        for (size_t i = 0; i < sizeof all; i += sizes[k])
            sr_excerpt_add(&e, all + i, sizeof all - i < sizes[k] ? sizeof all - i : sizes[k]);
        struct sr_buf b;
        sr_buf_init(&b, 10000);
        CU_ASSERT_EQUAL(sr_excerpt_text(&e, &b), SR_OK);
        CU_ASSERT_EQUAL(memcmp(b.data, all, SR_EXCERPT_HEAD), 0);
        CU_ASSERT_EQUAL(memcmp(b.data + b.len - SR_EXCERPT_TAIL, all + sizeof all - SR_EXCERPT_TAIL,
                               SR_EXCERPT_TAIL),
                        0);
        CU_ASSERT_PTR_NOT_NULL(strstr(b.data, "[... 93856 bytes left out ...]"));
        sr_buf_done(&b);
    }
}

static void excerpt_gives_last_lines(void)
{
    static struct sr_excerpt e;
    struct sr_buf b;
    sr_buf_init(&b, 10000);
    CU_ASSERT_EQUAL(sr_excerpt_last_lines(&e, 3, &b), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "");
    sr_excerpt_add(&e, "a\nb\tc\n\n  \nd\033e", 14);
    CU_ASSERT_EQUAL(sr_excerpt_last_lines(&e, 2, &b), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "b c; d e");
    sr_buf_reset(&b);
    CU_ASSERT_EQUAL(sr_excerpt_last_lines(&e, 9, &b), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "a; b c; d e");
    sr_buf_done(&b);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"run gives output and environment", run_gives_output_and_environment},
        {"failure tells status and last words", failure_tells_status_and_last_words},
        {"program that is not there", program_that_is_not_there},
        {"PATH never means the working folder", path_never_means_the_working_folder},
        {"helper is found by the running program alone",
         helper_is_found_by_the_running_program_alone},
        {"child has a clean start", child_has_a_clean_start},
        {"kept descriptors stay", kept_descriptors_stay},
        {"wait and kill with a bound", wait_and_kill_with_a_bound},
        {"run has bounds", run_has_bounds},
        {"write feeds a child", write_feeds_a_child},
        {"write to one that is gone or asleep", write_to_one_that_is_gone_or_asleep},
        {"child dies with its parent", child_dies_with_its_parent},
        {"group dies with its parent", group_dies_with_its_parent},
        {"group dies at any moment", group_dies_at_any_moment},
        {"watching changes no status", watching_changes_no_status},
        {"watching takes nothing from the program", watching_takes_nothing_from_the_program},
        {"watched group ends with its program", watched_group_ends_with_its_program},
        {"watched outlives the thread that spawned", watched_outlives_the_thread_that_spawned},
        {"helper refuses what is not for it", helper_refuses_what_is_not_for_it},
        {"standard streams may be closed", standard_streams_may_be_closed},
        {"threads spawn side by side", threads_spawn_side_by_side},
        {"excerpt keeps both ends", excerpt_keeps_both_ends},
        {"excerpt gives last lines", excerpt_gives_last_lines},
        {NULL, NULL}};
    return unit_main("subprocess", tests);
}
