#include "config.h"
#include "core/cli/output.h"
#include "core/cli/progress.h"
#include "core/util/log.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define NSEC INT64_C(1000000000)

static int64_t fake_now;

static int64_t fake_clock(void *ctx)
{
    (void)ctx;
    return fake_now;
}

static const struct sr_clock fake = {fake_clock, fake_clock, NULL};

/* Both ends of a terminal that is width columns wide. */
static void terminal_open(int *master, int *slave, unsigned short width)
{
    struct winsize ws = {.ws_row = 24, .ws_col = width};
    struct termios t;
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    CU_ASSERT_FATAL(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    *slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    CU_ASSERT_FATAL(*slave >= 0);
    CU_ASSERT_EQUAL(tcgetattr(*slave, &t), 0);
    cfmakeraw(&t);
    CU_ASSERT_EQUAL(tcsetattr(*slave, TCSANOW, &t), 0);
    CU_ASSERT_EQUAL(ioctl(*slave, TIOCSWINSZ, &ws), 0);
}

/* What is there to read now, as text. */
static const char *drain(int fd)
{
    static char text[4096];
    size_t len = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (len + 1 < sizeof text && poll(&p, 1, 0) == 1) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return text;
}

static void on_a_terminal(void)
{
    int master, slave;
    struct sr_progress p;
    (void)setenv("TERM", "xterm", 1);
    terminal_open(&master, &slave, 41);
    fake_now = 100 * NSEC;
    sr_progress_init(&p, slave, &fake, 1);
    CU_ASSERT(p.terminal);
    sr_progress_show(&p, "app", 0, 1 << 20);
    CU_ASSERT_STRING_EQUAL(drain(master), "\r\033[Kapp: 0 B of 1.00 MiB");
    /* Not more often than is of use. */
    fake_now += NSEC / 10;
    sr_progress_show(&p, "app", 1 << 10, 1 << 20);
    CU_ASSERT_STRING_EQUAL(drain(master), "");
    fake_now += 2 * NSEC - NSEC / 10;
    sr_progress_show(&p, "app", 1 << 19, 1 << 20);
    CU_ASSERT_STRING_EQUAL(drain(master), "\r\033[Kapp: 512 KiB of 1.00 MiB, 256 KiB/s, 0:0");
    /* Something else begins: at once, with a rate of its own. */
    sr_progress_show(&p, "globals\033[0m", 1 << 19, UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(drain(master), "\r\033[Kglobals\\x1B[0m: 512 KiB");
    sr_progress_done(&p);
    CU_ASSERT_STRING_EQUAL(drain(master), "\r\033[K");
    sr_progress_show(&p, "late", 1, 2);
    CU_ASSERT_STRING_EQUAL(drain(master), "");
    (void)close(slave);
    (void)close(master);
}

static void cleared_for_the_log(void)
{
    int master, slave, saved = dup(STDERR_FILENO);
    struct sr_progress p;
    (void)setenv("TERM", "xterm", 1);
    terminal_open(&master, &slave, 80);
    sr_progress_init(&p, slave, &fake, 1);
    sr_progress_show(&p, "app", 0, UINT64_MAX);
    (void)drain(master);
    (void)dup2(slave, STDERR_FILENO);
    sr_log(SR_LOG_ERROR, "line");
    (void)dup2(saved, STDERR_FILENO);
    const char *text = drain(master);
    CU_ASSERT_EQUAL(strncmp(text, "\r\033[K20", 6), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "line"));
    sr_progress_done(&p);
    CU_ASSERT_STRING_EQUAL(drain(master), ""); /* it was cleared already */
    (void)close(saved);
    (void)close(slave);
    (void)close(master);
}

static void cleared_for_results(void)
{
    int master, slave;
    char *text = NULL;
    size_t len = 0;
    struct sr_progress p;
    struct sr_output o;
    struct sr_error err = SR_ERROR_INIT;
    (void)setenv("TERM", "xterm", 1);
    terminal_open(&master, &slave, 80);
    sr_progress_init(&p, slave, &fake, 1);
    sr_output_init(&o, open_memstream(&text, &len), 0, 0);
    sr_progress_show(&p, "app", 0, UINT64_MAX);
    (void)drain(master);
    sr_output_line(&o, "%s", "result");
    CU_ASSERT_STRING_EQUAL(drain(master), "\r\033[K");
    ASSERT_OK(sr_output_finish(&o, NULL, 0, &err), err);
    free(text);
    sr_progress_done(&p);
    (void)close(slave);
    (void)close(master);
}

static void in_a_log(void)
{
    int ends[2], saved = dup(STDERR_FILENO);
    struct sr_progress p;
    CU_ASSERT_FATAL(pipe(ends) == 0);
    fake_now = 0;
    sr_log_setup(SR_LOG_INFO, SR_LOG_TEXT);
    sr_progress_init(&p, ends[1], &fake, 1);
    CU_ASSERT_FALSE(p.terminal);
    (void)dup2(ends[1], STDERR_FILENO);
    int lines = 0;
    for (int second = 0; second <= 185; second++) {
        fake_now = second * NSEC;
        sr_progress_show(&p, "app", (uint64_t)second << 20, UINT64_MAX);
    }
    (void)dup2(saved, STDERR_FILENO);
    const char *text = drain(ends[0]);
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    CU_ASSERT_EQUAL(lines, 3); /* after 60, 120 and 180 seconds */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "app: 60.0 MiB, 1.00 MiB/s"));
    CU_ASSERT_PTR_NULL(strchr(text, '\r'));
    sr_progress_done(&p);
    (void)close(saved);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void not_wanted(void)
{
    int master, slave;
    struct sr_progress p;
    (void)setenv("TERM", "xterm", 1);
    terminal_open(&master, &slave, 80);
    sr_progress_init(&p, slave, &fake, 0);
    sr_progress_show(&p, "app", 0, UINT64_MAX);
    sr_progress_done(&p);
    CU_ASSERT_STRING_EQUAL(drain(master), "");
    (void)setenv("TERM", "dumb", 1);
    sr_progress_init(&p, slave, &fake, 1);
    CU_ASSERT_FALSE(p.terminal);
    sr_progress_done(&p);
    (void)close(slave);
    (void)close(master);
}

static const struct unit_test tests[] = {
    {"on a terminal", on_a_terminal},
    {"cleared for the log", cleared_for_the_log},
    {"cleared for results", cleared_for_results},
    {"in a log", in_a_log},
    {"not wanted", not_wanted},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("progress", tests);
}
