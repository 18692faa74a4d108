#include "config.h"
#include "core/cli/exit.h"
#include "core/cli/help.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/progress.h"
#include "core/cli/screen.h"
#include "core/cli/table.h"
#include "core/util/cleanup.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- a program of its own to read command lines for --- */

static const struct sr_option backup_options[] = {
    {.name = "label",
     .kind = SR_OPTION_VALUE,
     .arg = "L",
     .help = "a label",
     .not_with = "scheduled"},
    {.name = "scheduled", .help = "as scheduled"},
    {.name = "database", .kind = SR_OPTION_LIST, .arg = "DB", .help = "a database"},
    {.name = "format",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_CHOICE,
     .choices = "plain|custom|plain,custom",
     .arg = "FORMAT",
     .setting = "BACKUP_FORMAT",
     .help = "a format"},
    {.name = "jobs", .kind = SR_OPTION_VALUE, .type = SR_VALUE_NUMBER, .arg = "N", .help = "jobs"},
    {.name = "older-than",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_DURATION,
     .arg = "T",
     .help = "age"},
    {.name = "at", .kind = SR_OPTION_VALUE, .type = SR_VALUE_TIME, .arg = "DATE", .help = "when"},
    {.name = "if-exists", .help = "with clean", .needs = "clean"},
    {.name = "clean", .help = "clean", .setting = "CLEAN", .stands = "on"},
    {.name = "secret-door", .help = "for tests", .hidden = 1},
    {.name = NULL},
};
static const struct sr_option show_options[] = {
    {.name = "store", .kind = SR_OPTION_VALUE, .arg = "STORE", .help = "a store"},
    {.name = NULL},
};
static const struct sr_verb backup = {.name = "backup",
                                      .summary = "make one",
                                      .synopsis = "[--label L]\n[--scheduled]",
                                      .about = "Makes a backup.",
                                      .examples = "strongroom backup",
                                      .options = backup_options,
                                      .tail = "pg_dump options"};
static const struct sr_verb show = {.name = "show",
                                    .summary = "show one",
                                    .synopsis = "BACKUP",
                                    .about = "Shows.",
                                    .options = show_options,
                                    .operand = "BACKUP",
                                    .operands_min = 1,
                                    .operands_max = 1};
static const struct sr_verb adopt = {.name = "adopt",
                                     .summary = "adopt some",
                                     .synopsis = "FILE...",
                                     .about = "Adopts.",
                                     .operand = "FILE",
                                     .operands_min = 1,
                                     .operands_max = -1};
static const struct sr_verb *const verbs[] = {&backup, &show, &adopt, NULL};
static const struct sr_option common[] = {
    {.name = "json", .help = "JSON"},
    {.name = "quiet", .letter = 'q', .not_with = "verbose", .help = "less"},
    {.name = "verbose", .letter = 'v', .help = "more"},
    {.name = "config", .kind = SR_OPTION_VALUE, .arg = "FILE", .help = "a file"},
    {.name = "help", .letter = 'h', .help = "help"},
    {.name = "version", .help = "version"},
    {.name = NULL},
};

#define PARSE(a, err, ...) parse((a), (err), (const char *[]){"strongroom", __VA_ARGS__, NULL})

static int parse(struct sr_args *a, struct sr_error *err, const char *const *argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    memset(a, 0, sizeof *a);
    sr_error_clear(err);
    return sr_args_parse(verbs, common, argc, (char *const *)argv, a, err);
}

#define REJECTED(want_, ...)                                                              \
    do {                                                                                  \
        struct sr_args a_;                                                                \
        struct sr_error e_ = SR_ERROR_INIT;                                               \
        CU_ASSERT_EQUAL(PARSE(&a_, &e_, __VA_ARGS__), SR_E_USAGE);                        \
        CU_ASSERT_EQUAL(e_.code, SR_E_USAGE);                                             \
        if (!strstr(e_.text, (want_)))                                                    \
            (void)fprintf(stderr, "%s:%d: '%s' not in '%s'\n", __FILE__, __LINE__, want_, \
                          e_.text);                                                       \
        CU_ASSERT_PTR_NOT_NULL(strstr(e_.text, (want_)));                                 \
        sr_args_done(&a_);                                                                \
    } while (0)

static void options_values(void)
{
    struct sr_args a;
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(PARSE(&a, &err, "backup", "--label", "x y", "--format=plain,custom", "--jobs", "4"),
              err);
    CU_ASSERT_PTR_EQUAL(a.verb, &backup);
    CU_ASSERT_STRING_EQUAL(sr_args_str(&a, "label"), "x y");
    CU_ASSERT_STRING_EQUAL(sr_args_str(&a, "format"), "plain,custom");
    CU_ASSERT_EQUAL(sr_args_number(&a, "jobs", 1), 4);
    CU_ASSERT_EQUAL(sr_args_number(&a, "older-than", 77), 77);
    CU_ASSERT_PTR_NULL(sr_args_str(&a, "at"));
    CU_ASSERT_EQUAL(sr_args_flag(&a, "scheduled"), 0);
    sr_args_done(&a);

    ASSERT_OK(PARSE(&a, &err, "backup", "--older-than", "2h", "--label=a=b", "-vv"), err);
    CU_ASSERT_EQUAL(sr_args_number(&a, "older-than", 0), 7200);
    CU_ASSERT_STRING_EQUAL(sr_args_str(&a, "label"), "a=b");
    CU_ASSERT_EQUAL(sr_args_flag(&a, "verbose"), 2);
    sr_args_done(&a);
}

static void options_lists(void)
{
    struct sr_args a;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_strlist l = {0};
    ASSERT_OK(PARSE(&a, &err, "backup", "--database", "a", "--json", "--database=b"), err);
    CU_ASSERT_EQUAL(sr_args_list(&a, "database", &l), SR_OK);
    CU_ASSERT_EQUAL_FATAL(l.len, 2);
    CU_ASSERT_STRING_EQUAL(l.items[0], "a");
    CU_ASSERT_STRING_EQUAL(l.items[1], "b");
    sr_strlist_done(&l);
    sr_args_done(&a);
}

static void options_mix(void)
{
    struct sr_args a;
    struct sr_error err = SR_ERROR_INIT;
    /* Options before the verb, also the verb's own, and their values are not taken for the verb. */
    ASSERT_OK(PARSE(&a, &err, "--config", "show", "--label", "adopt", "-q", "backup"), err);
    CU_ASSERT_PTR_EQUAL(a.verb, &backup);
    CU_ASSERT_STRING_EQUAL(sr_args_str(&a, "config"), "show");
    CU_ASSERT_STRING_EQUAL(sr_args_str(&a, "label"), "adopt");
    sr_args_done(&a);
    ASSERT_OK(PARSE(&a, &err, "adopt", "one", "--json", "two", "-", "--", "--three", "-q"), err);
    CU_ASSERT_EQUAL_FATAL(a.operands.len, 5);
    CU_ASSERT_STRING_EQUAL(a.operands.items[2], "-");
    CU_ASSERT_STRING_EQUAL(a.operands.items[3], "--three");
    CU_ASSERT_EQUAL(sr_args_flag(&a, "quiet"), 0);
    CU_ASSERT_EQUAL(a.tail.len, 0);
    sr_args_done(&a);
    /* What follows -- of backup is pg_dump's, and a second -- is pg_dump's too. */
    ASSERT_OK(PARSE(&a, &err, "backup", "--json", "--", "--no-comments", "--", "x"), err);
    CU_ASSERT_EQUAL_FATAL(a.tail.len, 3);
    CU_ASSERT_STRING_EQUAL(a.tail.items[0], "--no-comments");
    CU_ASSERT_STRING_EQUAL(a.tail.items[1], "--");
    CU_ASSERT_EQUAL(a.operands.len, 0);
    sr_args_done(&a);
    /* No verb, and a verb only after --. */
    ASSERT_OK(PARSE(&a, &err, "--json"), err);
    CU_ASSERT_PTR_NULL(a.verb);
    sr_args_done(&a);
    ASSERT_OK(PARSE(&a, &err, "--", "backup"), err);
    CU_ASSERT_PTR_NULL(a.verb);
    sr_args_done(&a);
    ASSERT_OK(PARSE(&a, &err, "show", "--store=-x", "one"), err);
    CU_ASSERT_STRING_EQUAL(sr_args_str(&a, "store"), "-x");
    sr_args_done(&a);
}

static void options_rejected(void)
{
    REJECTED("unknown verb 'bakcup'; did you mean backup?", "bakcup");
    REJECTED("unknown verb ''", "");
    REJECTED("unknown option --lable of backup; did you mean --label?", "backup", "--lable", "x");
    REJECTED("help backup", "backup", "--lable=x");
    REJECTED("unknown option --jsn; did you mean --json?", "--jsn");
    REJECTED("unknown option -x", "backup", "-x");
    REJECTED("did you mean --label?", "backup", "-label");
    REJECTED("unknown option --label of show", "show", "--label", "x");
    REJECTED("needs a value: --label L", "backup", "--label");
    REJECTED("--label=--json", "backup", "--label", "--json");
    REJECTED("empty value", "backup", "--label=");
    REJECTED("empty value", "backup", "--database", "");
    REJECTED("takes no value", "backup", "--scheduled=yes");
    REJECTED("given twice ('a' and 'b')", "backup", "--label", "a", "--label", "b");
    REJECTED("one of plain|custom|plain,custom, not 'plai'", "backup", "--format", "plai");
    REJECTED("not 'plain|custom'", "backup", "--format", "plain|custom");
    REJECTED("whole number from 1", "backup", "--jobs", "0");
    REJECTED("whole number from 1", "backup", "--jobs", "1025");
    REJECTED("whole number from 1", "backup", "--jobs=-1");
    REJECTED("whole number from 1", "backup", "--jobs", "99999999999999999999999");
    REJECTED("time span", "backup", "--older-than", "soon");
    REJECTED("UTC date", "backup", "--at", "2026-02-31");
    REJECTED("exclude each other", "backup", "--label", "x", "--scheduled");
    REJECTED("exclude each other", "backup", "--scheduled", "--label", "x");
    REJECTED("exclude each other", "backup", "-qv");
    REJECTED("only together with --clean", "backup", "--if-exists");
    REJECTED("show needs BACKUP", "show");
    REJECTED("takes one BACKUP, 'b' is one too many", "show", "a", "b");
    REJECTED("takes no operands, 'x' is one too many (pg_dump options come after --)", "backup",
             "x");
    REJECTED("adopt needs FILE", "adopt", "--json");
    /* The hidden option is no suggestion. */
    struct sr_args a;
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(PARSE(&a, &err, "backup", "--secret-dor"), SR_E_USAGE);
    CU_ASSERT_PTR_NULL(strstr(err.text, "secret-door"));
    sr_args_done(&a);
}

static void options_long_words(void)
{
    char word[3000], option[3010];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    (void)snprintf(option, sizeof option, "--%s", word);
    REJECTED("unknown verb", word);
    REJECTED("unknown option", "backup", option);
    REJECTED("one of plain", "backup", "--format", word);
    (void)snprintf(option, sizeof option, "--format=%s", word);
    REJECTED("one of plain", "backup", option);
}

static void options_help_wins(void)
{
    struct sr_args a;
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(PARSE(&a, &err, "show", "--help"), err);
    CU_ASSERT_EQUAL(sr_args_flag(&a, "help"), 1);
    sr_args_done(&a);
    ASSERT_OK(PARSE(&a, &err, "backup", "-h", "--if-exists"), err);
    sr_args_done(&a);
    ASSERT_OK(PARSE(&a, &err, "--version"), err);
    sr_args_done(&a);
    CU_ASSERT_EQUAL(
        sr_args_wants_json(3, (char *const *)(const char *[]){"strongroom", "x", "--json"}), 1);
    CU_ASSERT_EQUAL(
        sr_args_wants_json(4, (char *const *)(const char *[]){"strongroom", "x", "--", "--json"}),
        0);
    CU_ASSERT_EQUAL(sr_args_wants_json(1, (char *const *)(const char *[]){"strongroom"}), 0);
}

static void options_settings(void)
{
    struct sr_args a;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_strlist l = {0};
    ASSERT_OK(PARSE(&a, &err, "backup", "--label", "x", "--format", "custom", "--clean"), err);
    CU_ASSERT_EQUAL(sr_args_settings(&a, &l), SR_OK);
    CU_ASSERT_EQUAL_FATAL(l.len, 2);
    CU_ASSERT_STRING_EQUAL(l.items[0], "BACKUP_FORMAT=custom");
    CU_ASSERT_STRING_EQUAL(l.items[1], "CLEAN=on");
    sr_strlist_done(&l);
    sr_args_done(&a);
}

static void exit_codes(void)
{
    CU_ASSERT_EQUAL(sr_exit_code(SR_OK, 0, 0), 0);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_IO, 1, 0), 1);
    CU_ASSERT_EQUAL(sr_exit_code(12345, 1, 0), 1);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_USAGE, 0, 0), 2);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_CONFIG, 1, 0), 2);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_PARTIAL, 0, 0), 3);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_REFUSED, 0, 0), 4);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_NOT_FOUND, 1, 0), 10);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_NOT_FOUND, 0, 0), 1);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_BUSY, 0, 0), 11);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_KEY, 0, 0), 12);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_CORRUPT, 0, 0), 13);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_EXISTS, 0, 0), 14);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_UNTESTABLE, 0, 0), 15);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_CANCELLED, 0, 2), 130);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_CHILD, 0, 15), 143);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_CANCELLED, 0, 0), 1);
    /* What was completed all the same is told as it is. */
    CU_ASSERT_EQUAL(sr_exit_code(SR_OK, 0, 15), 0);
    CU_ASSERT_EQUAL(sr_exit_code(SR_E_PARTIAL, 0, 2), 3);
}

#define CLEANED(in, out)                               \
    do {                                               \
        _cleanup_free_ char *c_ = sr_screen_clean(in); \
        CU_ASSERT_PTR_NOT_NULL_FATAL(c_);              \
        CU_ASSERT_STRING_EQUAL(c_, out);               \
    } while (0)

static void screen_clean(void)
{
    CLEANED("plain", "plain");
    CLEANED("", "");
    CLEANED(NULL, "");
    CLEANED("a\nb\tc", "a\\nb\\tc");
    CLEANED("\033[31mred", "\\x1B[31mred");
    CLEANED("\x7f", "\\x7F");
    CLEANED("gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F");
    CLEANED("\xC2\x9B"
            "31m",
            "\\x9B31m");                        /* C1: a terminal's other way to begin a sequence */
    CLEANED("a\xFFz", "a\\xFFz");               /* no UTF-8 */
    CLEANED("\xC0\xAF", "\\xC0\\xAF");          /* overlong */
    CLEANED("\xED\xA0\x80", "\\xED\\xA0\\x80"); /* surrogate */
    CLEANED("\xE2\x82", "\\xE2\\x82");          /* cut short */
    CLEANED("\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"); /* past the last character */
    CLEANED("x\xE2\x80\xAEy", "x\\u{202E}y");            /* turns the line around */
    struct sr_buf b;
    sr_buf_init(&b, 64);
    CU_ASSERT_EQUAL(sr_screen_add(&b, "a\n\tb\r", 1), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "a\n\tb\\x0D");
    sr_buf_done(&b);
    sr_buf_init(&b, 3);
    CU_ASSERT_EQUAL(sr_screen_add(&b, "\x01", 0), SR_E_NO_SPACE);
    sr_buf_done(&b);
}

static void screen_width(void)
{
    CU_ASSERT_EQUAL(sr_screen_width(""), 0);
    CU_ASSERT_EQUAL(sr_screen_width("abc"), 3);
    CU_ASSERT_EQUAL(sr_screen_width("gr\xC3\xBC\xC3\x9F"), 4);
    CU_ASSERT_EQUAL(sr_screen_width("\xE8\xA1\xA8"), 2); /* a CJK character */
    CU_ASSERT_EQUAL(sr_screen_width("e\xCC\x81"), 1);    /* with a combining accent */
    CU_ASSERT_EQUAL(sr_screen_width("\xFF\xFE"), 2);
    CU_ASSERT_EQUAL(sr_screen_cut("\xE8\xA1\xA8\xE8\xA1\xA8", 3), 3);
    CU_ASSERT_EQUAL(sr_screen_cut("abc", 2), 2);
    CU_ASSERT_EQUAL(sr_screen_cut("abc", 9), 3);
}

static void screen_wrap(void)
{
    struct sr_buf b;
    sr_buf_init(&b, 4096);
    CU_ASSERT_EQUAL(
        sr_screen_wrap(&b, "one two three four\n\n  kept   as it is and not wrapped\nend", 2, 12),
        SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "  one two\n  three four\n\n    kept   as it is and not "
                                           "wrapped\n  end\n");
    sr_buf_reset(&b);
    CU_ASSERT_EQUAL(sr_screen_wrap(&b, "averyverylongword x", 0, 5), SR_OK);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "averyverylongword\nx\n");
    sr_buf_done(&b);
}

/* --- output --- */

struct capture {
    char *text;
    size_t len;
    struct sr_output out;
};

static void capture_begin(struct capture *c, int json, int quiet)
{
    c->text = NULL;
    FILE *f = open_memstream(&c->text, &c->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    sr_output_init(&c->out, f, json, quiet);
}

static void output_lines(void)
{
    struct capture c;
    struct sr_error err = SR_ERROR_INIT;
    capture_begin(&c, 0, 0);
    sr_output_line(&c.out, "set %s", "a\nb");
    sr_output_line(&c.out, "%s", "");
    sr_output_text(&c.out, "help\ntext\n");
    sr_output_document(&c.out, json_object()); /* not asked for: not printed */
    ASSERT_OK(sr_output_finish(&c.out, NULL, 0, &err), err);
    CU_ASSERT_STRING_EQUAL(c.text, "set a\\nb\n\nhelp\ntext\n");
    free(c.text);
    capture_begin(&c, 0, 1);
    sr_output_line(&c.out, "not a word");
    sr_output_text(&c.out, "nor this");
    ASSERT_OK(sr_output_finish(&c.out, NULL, 0, &err), err);
    CU_ASSERT_STRING_EQUAL(c.text, "");
    free(c.text);
}

static void output_json(void)
{
    struct capture c;
    struct sr_error err = SR_ERROR_INIT, why = SR_ERROR_INIT;
    capture_begin(&c, 1, 1);
    sr_output_line(&c.out, "for people");
    sr_output_document(&c.out, json_pack("{s:i}", "lost", 1));
    sr_output_document(&c.out, json_pack("{s:o}", "set", sr_json_text_or_null("a\xFF\"")));
    ASSERT_OK(sr_output_finish(&c.out, NULL, 0, &err), err);
    CU_ASSERT_STRING_EQUAL(c.text, "{\n  \"schema\": 1,\n  \"set\": \"a\\\\xFF\\\"\"\n}\n");
    free(c.text);

    /* A failure with and without a document of the verb's. */
    (void)sr_fail(&why, SR_E_CORRUPT, "digest differs");
    capture_begin(&c, 1, 0);
    sr_output_document(&c.out, json_pack("{s:i}", "x", 1));
    ASSERT_OK(sr_output_finish(&c.out, &why, 13, &err), err);
    json_t *j = json_loads(c.text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "x")), 1);
    json_t *e = json_object_get(j, "error");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(e, "code")), "corrupt");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(e, "message")), "digest differs");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(e, "exit")), 13);
    json_decref(j);
    free(c.text);
    capture_begin(&c, 1, 0);
    ASSERT_OK(sr_output_finish(&c.out, &why, 13, &err), err);
    CU_ASSERT_PTR_NOT_NULL(strstr(c.text, "\"exit\": 13"));
    free(c.text);

    capture_begin(&c, 1, 0);
    sr_output_document(&c.out, NULL);
    CU_ASSERT_EQUAL(sr_output_finish(&c.out, NULL, 0, &err), SR_E_NO_MEMORY);
    free(c.text);
}

static void output_full(void)
{
    struct sr_output out;
    struct sr_error err = SR_ERROR_INIT;
    FILE *f = fopen("/dev/full", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    sr_output_init(&out, f, 0, 0);
    sr_output_line(&out, "hello");
    CU_ASSERT_EQUAL(sr_output_finish(&out, NULL, 0, &err), SR_E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, strerror(ENOSPC)));
    f = fopen("/dev/full", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    sr_error_clear(&err);
    sr_output_init(&out, f, 1, 0);
    sr_output_document(&out, json_object());
    CU_ASSERT_EQUAL(sr_output_finish(&out, NULL, 0, &err), SR_E_IO);
}

static void json_values(void)
{
    json_t *j = sr_json_time(1700000000);
    CU_ASSERT_STRING_EQUAL(json_string_value(j), "2023-11-14T22:13:20Z");
    json_decref(j);
    j = sr_json_size(UINT64_MAX);
    CU_ASSERT(json_is_null(j));
    json_decref(j);
    j = sr_json_size(5);
    CU_ASSERT_EQUAL(json_integer_value(j), 5);
    json_decref(j);
    j = sr_json_text_or_null(NULL);
    CU_ASSERT(json_is_null(j));
    json_decref(j);
    j = sr_json_seconds(1.23456);
    CU_ASSERT(json_real_value(j) > 1.2349 && json_real_value(j) < 1.2351);
    json_decref(j);
    struct capture c;
    struct sr_error err = SR_ERROR_INIT;
    capture_begin(&c, 1, 0);
    sr_output_document(&c.out, json_pack("{s:o}", "s", sr_json_seconds(0.544)));
    ASSERT_OK(sr_output_finish(&c.out, NULL, 0, &err), err);
    CU_ASSERT_PTR_NOT_NULL(strstr(c.text, "0.544\n"));
    free(c.text);
    j = sr_json_seconds(-1);
    CU_ASSERT(json_real_value(j) == 0);
    json_decref(j);
    struct sr_strlist l = {0};
    CU_ASSERT_EQUAL(sr_strlist_add(&l, "one"), SR_OK);
    j = sr_json_strings(&l);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(j, 0)), "one");
    json_decref(j);
    sr_strlist_done(&l);
}

static void table_shape(void)
{
    static const struct sr_column columns[] = {{"NAME", 0}, {"SIZE", 1}, {"NOTE", 0}};
    struct sr_table t;
    struct capture c;
    struct sr_error err = SR_ERROR_INIT;
    capture_begin(&c, 0, 0);
    sr_table_init(&t, columns, 3);
    sr_table_print(&t, &c.out); /* nothing without rows */
    sr_table_cell(&t, "gr\xC3\xBC\xC3\x9F");
    sr_table_cellf(&t, "%d", 7);
    sr_table_cell(&t, NULL);
    sr_table_cell(&t, "longer\n");
    sr_table_cellf(&t, "%s", "");
    sr_table_cell(&t, "end");
    sr_table_cell(&t, "x");
    sr_table_print(&t, &c.out);
    sr_table_done(&t);
    ASSERT_OK(sr_output_finish(&c.out, NULL, 0, &err), err);
    CU_ASSERT_STRING_EQUAL(c.text, "NAME      SIZE  NOTE\n"
                                   "gr\xC3\xBC\xC3\x9F         7  -\n"
                                   "longer\\n     -  end\n"
                                   "x            -  -\n");
    free(c.text);
}

static void progress_line(void)
{
    char line[256];
    sr_progress_text("dumping app", 0, UINT64_MAX, 0, 0, 0, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "dumping app");
    sr_progress_text("dumping app", 1 << 20, UINT64_MAX, 1 << 20, 2, 0, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "dumping app: 1.00 MiB, 512 KiB/s");
    sr_progress_text("app", 1 << 20, 3 << 20, 1 << 20, 10, 0, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "app: 1.00 MiB of 3.00 MiB, 102 KiB/s, 0:20 left");
    sr_progress_text("app", 1 << 20, (uint64_t)1 << 30, 1 << 20, 10, 0, line, sizeof line);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "2:50:30 left"));
    sr_progress_text("app", 5, 3, 5, 1, 0, line, sizeof line); /* more than was foretold */
    CU_ASSERT_PTR_NULL(strstr(line, "left"));
    sr_progress_text("a\033b", 0, 0, 0, 0, 4, line, sizeof line);
    CU_ASSERT_STRING_EQUAL(line, "a\\x1");
    sr_progress_text("a long text that does not fit", 9, 10, 9, 9, 0, line, 8);
    CU_ASSERT_STRING_EQUAL(line, "a long ");
}

static void help_texts(void)
{
    struct sr_buf b;
    sr_buf_init(&b, 65536);
    CU_ASSERT_EQUAL(sr_help_general(verbs, common, &b), SR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "  backup  make one\n  show    show one\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "-q, --quiet"));
    sr_buf_reset(&b);
    CU_ASSERT_EQUAL(sr_help_verb(&backup, common, &b), SR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "Usage: strongroom backup [--label L]\n"
                                                  "                         [--scheduled]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "one of: plain  custom  plain,custom\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "  143  ended by SIGTERM\n"));
    CU_ASSERT_PTR_NULL(strstr(sr_buf_str(&b), "secret-door"));
    sr_buf_reset(&b);
    CU_ASSERT_EQUAL(sr_help_dump(verbs, common, &b), SR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "*\t--config\tFILE\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "backup\t--label\tL\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "show\t\tBACKUP\n"));
    CU_ASSERT_PTR_NULL(strstr(sr_buf_str(&b), "secret-door"));
    sr_buf_done(&b);
    sr_buf_init(&b, 100);
    CU_ASSERT_EQUAL(sr_help_verb(&backup, common, &b), SR_E_NO_SPACE);
    sr_buf_done(&b);

    json_t *j = sr_help_json(verbs, common);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    json_t *first = json_array_get(json_object_get(j, "verbs"), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(first, "name")), "backup");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(first, "options")), 9);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "options")), 6);
    json_decref(j);
}

static const struct unit_test tests[] = {
    {"options: values", options_values},
    {"options: lists", options_lists},
    {"options: mixed with operands", options_mix},
    {"options: rejected", options_rejected},
    {"options: long words", options_long_words},
    {"options: help wins", options_help_wins},
    {"options: settings", options_settings},
    {"exit codes", exit_codes},
    {"screen: clean", screen_clean},
    {"screen: width", screen_width},
    {"screen: wrap", screen_wrap},
    {"output: lines", output_lines},
    {"output: JSON", output_json},
    {"output: a full device", output_full},
    {"JSON values", json_values},
    {"table", table_shape},
    {"progress line", progress_line},
    {"help", help_texts},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("cli", tests);
}
