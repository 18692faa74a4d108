/* measure REPORT COMMAND...: runs COMMAND and writes one line into the file REPORT: seconds of wall
 * time, the peak resident memory in KiB of COMMAND's own process, without its children, and the
 * seconds of processor time, with those children that it waited for.
 *
 * ru_maxrss of wait4 would count what the command's own children needed, and what this process
 * needed before exec; the high-water mark in /proc/PID/status counts neither. It goes when the
 * process goes, so it is read every few milliseconds. Exit status: COMMAND's, 128 + signal, or 125
 * when it could not be measured. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The high-water mark in KiB, or 0 when the process is gone or not there yet. */
static long peak_of(pid_t pid)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *at = strstr(text, "\nVmHWM:");
    return at ? strtol(at + 7, NULL, 10) : 0;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Nonzero once exec has replaced the forked copy of this program, whose memory is not the
 * command's. */
static int has_execed(int fd)
{
    char c;
    return read(fd, &c, 1) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: measure REPORT COMMAND...\n");
        return 125;
    }
    int gate[2];
    if (pipe2(gate, O_CLOEXEC | O_NONBLOCK) != 0)
        return 125;
    double began = now();
    pid_t pid = fork();
    if (pid < 0)
        return 125;
    if (pid == 0) {
        (void)execvp(argv[2], argv + 2);
        (void)fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    (void)close(gate[1]);
    long peak = 0;
    int status = 0, running = 0;
    struct rusage used = {0};
    for (;;) {
        pid_t done = wait4(pid, &status, WNOHANG, &used);
        if (done == pid)
            break;
        if (done < 0)
            return 125;
        running = running || has_execed(gate[0]);
        long seen = running ? peak_of(pid) : 0;
        if (seen > peak)
            peak = seen;
        (void)nanosleep(&(struct timespec){.tv_nsec = 4000000}, NULL);
    }
    double took = now() - began;
    FILE *f = fopen(argv[1], "w");
    double cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
    if (!f || fprintf(f, "%.3f %ld %.3f\n", took, peak, cpu) < 0 || fclose(f) != 0)
        return 125;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
