#include "config.h"
#include "core/util/buf.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/fs.h"
#include "core/util/strlist.h"
#include "core/util/text.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void error_wraps_and_appends(void)
{
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(sr_fail_errno(&err, ENOSPC, "writing %s", "x"), SR_E_NO_SPACE);
    CU_ASSERT_STRING_EQUAL(err.text, "writing x: No space left on device");
    CU_ASSERT_EQUAL(sr_error_wrap(&err, "saving %d", 7), SR_E_NO_SPACE);
    CU_ASSERT_STRING_EQUAL(err.text, "saving 7: writing x: No space left on device");
    sr_error_append(&err, "; free some");
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "device; free some"));
    sr_error_clear(&err);
    CU_ASSERT_EQUAL(err.code, SR_OK);
}

static void error_text_is_cut_at_a_character(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char longish[SR_ERROR_TEXT_MAX * 2];
    for (size_t i = 0; i + 2 < sizeof longish; i += 2)
        memcpy(longish + i, "\xc3\xa9", 2);
    longish[sizeof longish - 2] = '\0';
    sr_fail(&err, SR_E_IO, "x%s", longish);
    size_t n = strlen(err.text);
    CU_ASSERT(n < SR_ERROR_TEXT_MAX && n > SR_ERROR_TEXT_MAX - 8);
    CU_ASSERT_EQUAL((unsigned char)err.text[n - 1], 0xa9);
    CU_ASSERT_EQUAL((unsigned char)err.text[n - 2], 0xc3);
}

static void buf_keeps_its_ceiling(void)
{
    struct sr_buf b;
    sr_buf_init(&b, 10);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "");
    CU_ASSERT_EQUAL(sr_buf_adds(&b, "12345"), SR_OK);
    CU_ASSERT_EQUAL(sr_buf_printf(&b, "%d", 67890), SR_OK);
    CU_ASSERT_EQUAL(sr_buf_addc(&b, 'x'), SR_E_NO_SPACE);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "1234567890");
    sr_buf_wipe(&b);
    CU_ASSERT_EQUAL(b.len, 0);
}

static void strlist_splits_and_sorts(void)
{
    struct sr_strlist l = {0};
    CU_ASSERT_EQUAL(sr_strlist_split(&l, " b, a ,, c ", ','), SR_OK);
    sr_strlist_sort(&l);
    CU_ASSERT_EQUAL_FATAL(l.len, 3);
    CU_ASSERT_STRING_EQUAL(l.items[0], "a");
    CU_ASSERT_PTR_NULL(l.items[3]);
    sr_strlist_remove(&l, 1);
    CU_ASSERT(!sr_strlist_has(&l, "b") && sr_strlist_has(&l, "c"));
    sr_strlist_done(&l);
}

static void time_reads_what_it_writes(void)
{
    static const int64_t moments[] = {0, 951782400, 1795179901, 4102444799};
    for (size_t i = 0; i < 4; i++) {
        char stamp[SR_TIME_STAMP_SIZE], iso[SR_TIME_ISO_SIZE];
        int64_t t = -1;
        sr_time_stamp(moments[i], stamp);
        sr_time_iso(moments[i], iso);
        CU_ASSERT_EQUAL(sr_time_parse_stamp(stamp, 14, &t), SR_OK);
        CU_ASSERT_EQUAL(t, moments[i]);
        CU_ASSERT_EQUAL(sr_time_parse(iso, &t), SR_OK);
        CU_ASSERT_EQUAL(t, moments[i]);
    }
    int64_t t = 0;
    static const char *const wrong[] = {"20260231000000",
                                        "20261301000000",
                                        "20260101240000",
                                        "2026010100000",
                                        "2026-1-1",
                                        "2026-01-01T1:00:00Z",
                                        "",
                                        "2026-01-01x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_NOT_EQUAL(sr_time_parse(wrong[i], &t), SR_OK);
    CU_ASSERT_EQUAL(sr_time_parse("2024-02-29", &t), SR_OK);
}

static void numbers_with_units(void)
{
    uint64_t v = 0;
    CU_ASSERT_EQUAL(sr_parse_size("8MiB", &v), SR_OK);
    CU_ASSERT_EQUAL(v, 8u << 20);
    CU_ASSERT_EQUAL(sr_parse_size("2 GB", &v), SR_OK);
    CU_ASSERT_EQUAL(v, 2000000000u);
    CU_ASSERT_NOT_EQUAL(sr_parse_size("99999999T", &v), SR_OK);
    CU_ASSERT_NOT_EQUAL(sr_parse_size("-1", &v), SR_OK);
    CU_ASSERT_EQUAL(sr_parse_duration("7d", &v), SR_OK);
    CU_ASSERT_EQUAL(v, 604800u);
    CU_ASSERT_NOT_EQUAL(sr_parse_u64("18446744073709551616", &v), SR_OK);
    CU_ASSERT_EQUAL(sr_parse_u64("18446744073709551615", &v), SR_OK);
    CU_ASSERT_NOT_EQUAL(sr_parse_u64("", &v), SR_OK);
    int on = 0;
    CU_ASSERT_EQUAL(sr_parse_bool("TRUE", &on), SR_OK);
    CU_ASSERT_EQUAL(on, 1);
    CU_ASSERT_NOT_EQUAL(sr_parse_bool("maybe", &on), SR_OK);
}

static void nearest_word(void)
{
    static const char *const words[] = {"backup", "restore", "list", "prune", NULL};
    CU_ASSERT_STRING_EQUAL(sr_nearest("bakcup", words), "backup");
    CU_ASSERT_STRING_EQUAL(sr_nearest("lst", words), "list");
    CU_ASSERT_PTR_NULL(sr_nearest("quux", words));
    CU_ASSERT_PTR_NULL(sr_nearest("", words));
}

static void size_for_people(void)
{
    char t[SR_SIZE_TEXT];
    sr_format_size(512, t);
    CU_ASSERT_STRING_EQUAL(t, "512 B");
    sr_format_size(1536, t);
    CU_ASSERT_STRING_EQUAL(t, "1.50 KiB");
    sr_format_size(UINT64_MAX, t);
    CU_ASSERT_STRING_EQUAL(t, "16.0 EiB");
}

static void file_is_read_within_its_bound(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    sr_buf_init(&b, 16);
    CU_ASSERT_EQUAL(sr_fs_read_file("/nonexistent/x", &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/x"));
    CU_ASSERT_EQUAL(sr_fs_read_file("/", &b, &err), SR_E_IO);
    CU_ASSERT_EQUAL(sr_fs_read_file("/proc/self/status", &b, &err), SR_E_NO_SPACE);
    sr_buf_done(&b);
}

static void *write_late(void *arg)
{
    const struct timespec pause = {0, 30000000};
    int fd = *(const int *)arg;
    (void)sr_write_full(fd, "correct ", 8);
    /* Right without it too; with it, the reader finds the pipe empty. */
    nanosleep(&pause, NULL);
    (void)sr_write_full(fd, "horse\n", 6);
    close(fd);
    return NULL;
}

static void pipe_is_read_to_its_end(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    pthread_t writer;
    int ends[2];
    char path[64];
    sr_buf_init(&b, 64);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&writer, NULL, write_late, &ends[1]), 0);
    CU_ASSERT_EQUAL(sr_fs_read_file(path, &b, &err), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "correct horse\n");
    pthread_join(writer, NULL);
    close(ends[0]);
    sr_buf_done(&b);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"error wraps and appends", error_wraps_and_appends},
        {"error text is cut at a character", error_text_is_cut_at_a_character},
        {"buf keeps its ceiling", buf_keeps_its_ceiling},
        {"strlist splits and sorts", strlist_splits_and_sorts},
        {"time reads what it writes", time_reads_what_it_writes},
        {"numbers with units", numbers_with_units},
        {"nearest word", nearest_word},
        {"size for people", size_for_people},
        {"file is read within its bound", file_is_read_within_its_bound},
        {"pipe is read to its end", pipe_is_read_to_its_end},
        {NULL, NULL}};
    return unit_main("util", tests);
}
