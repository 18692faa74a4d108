/* How fast the pipeline is, and what it costs, by configuration.
 *
 *     bench_pipeline [-s MIB] [-f FILE] [-c CHUNK_KIB] [-q QUEUE] [-n RUNS] [CASE]...
 *
 * Without FILE it feeds text that compresses about as well as a dump (8 MiB of it, again and
 * again). A case is one of: none sha gzip gzip6 zstd encrypt backup restore; default: backup, which
 * is count, gzip, count, SHA-256, encrypt, count, SHA-256. Prints for each: MB/s of the dump,
 * seconds, seconds of processor (with gpg's), context switches, peak resident memory of this
 * process. A throw-away key is made; nothing is written but in its temporary GNUPGHOME.
 */
#include "config.h"
#include "core/pipeline/keys.h"
#include "core/util/clock.h"
#include "tests/unit/gpg_util.h"
#include "tests/unit/pipeline_util.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

struct options {
    uint64_t bytes;
    const char *file;
    size_t chunk;
    unsigned queue;
    int runs;
};

/* The source: a block again and again, or a file. */
struct source {
    const unsigned char *block;
    size_t block_len;
    uint64_t left, at;
    int fd;
};

static int source_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct source *s = ctx;
    if (s->fd >= 0) {
        ssize_t n = read(s->fd, buf, cap);
        if (n < 0)
            return sr_fail_errno(err, errno, "reading the file");
        *ret_len = (size_t)n;
        return SR_OK;
    }
    /* as from a pipe: at most 64 KiB at once */
    size_t at = (size_t)(s->at % s->block_len), n = s->block_len - at;
    n = n < cap ? n : cap;
    n = n < 65536 ? n : 65536;
    n = n < s->left ? n : (size_t)s->left;
    memcpy(buf, s->block + at, n);
    s->at += n;
    s->left -= n;
    *ret_len = n;
    return SR_OK;
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double processor(long *switches)
{
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    *switches = self.ru_nvcsw + self.ru_nivcsw + children.ru_nvcsw + children.ru_nivcsw;
    return seconds_of(&self.ru_utime) + seconds_of(&self.ru_stime) +
           seconds_of(&children.ru_utime) + seconds_of(&children.ru_stime);
}

/* Adds the steps of the named case; 0 when there is no such case. */
static int add_case(struct sr_pipeline *p, const char *name, const struct sr_recipients *r)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_compress_options o = {.kind = SR_COMPRESS_NONE};
    int backup = strcmp(name, "backup") == 0;
    int crypt = backup || strcmp(name, "encrypt") == 0;
    if (strcmp(name, "gzip") == 0 || backup)
        o.kind = SR_COMPRESS_GZIP;
    else if (strcmp(name, "gzip6") == 0)
        o = (struct sr_compress_options){.kind = SR_COMPRESS_GZIP, .level = 6};
    else if (strcmp(name, "zstd") == 0)
        o.kind = SR_COMPRESS_ZSTD;
    else if (!crypt && strcmp(name, "none") != 0 && strcmp(name, "sha") != 0)
        return 0;
    int rc = sr_pipeline_add(p, sr_step_count_new(SR_PHASE_RAW), &err);
    if (rc == SR_OK && o.kind != SR_COMPRESS_NONE)
        rc = sr_pipeline_add(p, sr_step_compress_new(&o), &err);
    if (rc == SR_OK && (backup || strcmp(name, "sha") == 0))
        rc = sr_pipeline_add(p, sr_step_sha256_new(SR_PHASE_PLAIN), &err);
    if (rc == SR_OK && crypt)
        rc = sr_pipeline_add(p, sr_step_encrypt_new(r, NULL), &err);
    if (rc == SR_OK && backup)
        rc = sr_pipeline_add(p, sr_step_count_new(SR_PHASE_STORED), &err);
    if (rc == SR_OK && backup)
        rc = sr_pipeline_add(p, sr_step_sha256_new(SR_PHASE_STORED), &err);
    return rc == SR_OK;
}

static int add_restore(struct sr_pipeline *p)
{
    struct sr_error err = SR_ERROR_INIT;
    int rc = sr_pipeline_add(p, sr_step_sha256_new(SR_PHASE_BACK_STORED), &err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, sr_step_decrypt_new(NULL), &err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, sr_step_sha256_new(SR_PHASE_BACK_PLAIN), &err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, sr_step_decompress_new(), &err);
    return rc == SR_OK;
}

/* Reads the only outlet to its end; what comes is kept when keep is not NULL. */
static int read_all(struct sr_pipeline *p, uint64_t *ret_out, struct sr_buf *keep,
                    struct sr_error *err)
{
    static unsigned char buf[65536];
    for (;;) {
        size_t n = 0;
        int rc = sr_pipeline_read(p, 0, buf, sizeof buf, -1, &n, err);
        if (rc != SR_OK || n == 0)
            return rc;
        *ret_out += n;
        if (keep && sr_buf_add(keep, buf, n) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
}

static int run_once(const char *name, const struct options *o, const struct source *source,
                    const struct sr_recipients *r, struct sr_buf *keep)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pipeline_options po = {.chunk_size = o->chunk, .queue_len = o->queue, .outlets = 1};
    struct sr_pipeline *p = NULL;
    struct source s = *source;
    struct sr_input input = {.read = source_read, .ctx = &s};
    long switches_before = 0, switches = 0;
    uint64_t out = 0;
    int rc = sr_pipeline_new(&po, &p, &err);
    int known =
        rc == SR_OK && (strcmp(name, "restore") == 0 ? add_restore(p) : add_case(p, name, r));
    if (rc == SR_OK && !known)
        rc = sr_fail(&err, SR_E_USAGE, "no such case: %s", name);
    double cpu = processor(&switches_before);
    int64_t start = sr_clock_monotonic(&sr_clock_system);
    if (rc == SR_OK)
        rc = sr_pipeline_start(p, &input, &err);
    if (rc == SR_OK) {
        (void)read_all(p, &out, keep, &err);
        rc = sr_pipeline_finish(p, &err);
    }
    double wall = (double)(sr_clock_monotonic(&sr_clock_system) - start) / 1e9;
    cpu = processor(&switches) - cpu;
    uint64_t dump = strcmp(name, "restore") == 0 ? out : p ? sr_pipeline_taken(p) : 0;
    sr_pipeline_free(p);
    if (rc != SR_OK) {
        (void)fprintf(stderr, "%s: %s\n", name, err.text);
        return 1;
    }
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    (void)printf("%-8s chunk %5zu KiB queue %2u  %7.1f MB/s  %6.2f s  %6.2f s cpu  %8ld switches  "
                 "%5.1f MiB peak  %.3f of the size\n",
                 name, o->chunk >> 10, o->queue, (double)dump / wall / 1e6, wall, cpu,
                 switches - switches_before, (double)u.ru_maxrss / 1024,
                 dump ? (double)out / (double)dump : 0.0);
    return 0;
}

/* A restore needs a backup first, which is kept in memory: its peak says nothing. */
static int run_case(const char *name, const struct options *o, const struct source *source,
                    const struct sr_recipients *r)
{
    struct sr_buf stored;
    sr_buf_init(&stored, SIZE_MAX / 2);
    struct source s = *source;
    if (s.fd >= 0)
        (void)lseek(s.fd, 0, SEEK_SET);
    int restore = strcmp(name, "restore") == 0;
    int rc = restore ? run_once("backup", o, &s, r, &stored) : 0;
    if (restore)
        s = (struct source){.block = (unsigned char *)stored.data,
                            .block_len = stored.len,
                            .left = stored.len,
                            .fd = -1};
    if (rc == 0)
        rc = run_once(name, o, &s, r, NULL);
    sr_buf_done(&stored);
    return rc;
}

static int run_all(const struct options *o, char **cases, int n)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_recipients *r = NULL;
    struct source s = {.block_len = 8 << 20, .left = o->bytes, .fd = -1};
    unsigned char *block = dump_like(s.block_len, 1);
    s.block = block;
    if (o->file)
        s.fd = open(o->file, O_RDONLY | O_CLOEXEC);
    gpg_home_make();
    gpg_run("--passphrase", "", "--quick-generate-key", "bench@example.org", "default", "default",
            "never", NULL);
    int rc = sr_recipients_resolve("bench@example.org", (int64_t)time(NULL), &r, &err);
    if (rc != SR_OK || (o->file && s.fd < 0)) {
        (void)fprintf(stderr, "%s\n", rc != SR_OK ? err.text : "cannot open the file");
        rc = 1;
    }
    for (int run = 0; rc == 0 && run < o->runs; run++)
        for (int i = 0; rc == 0 && i < n; i++)
            rc = run_case(cases[i], o, &s, r);
    sr_recipients_free(r);
    gpg_home_remove();
    if (s.fd >= 0)
        (void)close(s.fd);
    free(block);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {.bytes = (uint64_t)768 << 20, .runs = 1};
    char *standard[] = {(char *)"backup"};
    for (int c; (c = getopt(argc, argv, "s:f:c:q:n:")) != -1;) {
        switch (c) {
        case 's':
            o.bytes = strtoull(optarg, NULL, 10) << 20;
            break;
        case 'f':
            o.file = optarg;
            break;
        case 'c':
            o.chunk = (size_t)strtoull(optarg, NULL, 10) << 10;
            break;
        case 'q':
            o.queue = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            o.runs = atoi(optarg);
            break;
        default:
            return 2;
        }
    }
    return optind < argc ? run_all(&o, argv + optind, argc - optind) : run_all(&o, standard, 1);
}
