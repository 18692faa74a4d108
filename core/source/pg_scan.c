#include "config.h"
#include "core/source/pg_scan.h"
#include "core/source/pg_lex.h"
#include "core/source/pg_marker.h"
#include "core/source/pg_tables.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX 1024
#define COMMAND_MAX 256 /* a backslash command's line */

/* Where in a line of COPY data the next byte stands; "\." alone on it ends the block. */
enum copy_at {
    COPY_START,
    COPY_MIDDLE,
    COPY_BACKSLASH,
    COPY_DOT,
    COPY_DOT_CR,
};

enum mode {
    MODE_SQL,
    MODE_COPY_WAIT, /* between the ; of a COPY and the end of its line */
    MODE_COPY,
    MODE_COMMAND, /* in the line of a backslash command */
    MODE_FAILED,
};

struct sr_pg_scan {
    unsigned flags;
    enum mode mode;
    enum copy_at copy_at;
    struct sr_pg_lex lex;
    struct sr_pg_marker marker;
    char head[HEAD_MAX];
    size_t head_len;
    char command[COMMAND_MAX];
    size_t command_len;
    size_t bom;            /* how much of a byte order mark the input began with; 3: past that */
    enum copy_at dot_line; /* guard: whether this line, wherever it stands, reads "\." */
    struct sr_pg_tables tables;
    size_t current;      /* table of the open COPY block; SIZE_MAX: not counted */
    struct sr_error why; /* of MODE_FAILED */
};

int sr_pg_scan_new(unsigned flags, struct sr_pg_scan **ret, struct sr_error *err)
{
    struct sr_pg_scan *s = calloc(1, sizeof *s);
    if (!s)
        return sr_fail(err, SR_E_NO_MEMORY, "reading a dump: out of memory");
    s->flags = flags;
    s->current = SIZE_MAX;
    sr_pg_lex_init(&s->lex, !(flags & SR_SCAN_GUARD)   ? SR_LEX_PLAIN
                            : (flags & SR_SCAN_STRICT) ? SR_LEX_STRICT
                                                       : SR_LEX_CAREFUL);
    *ret = s;
    return SR_OK;
}

void sr_pg_scan_free(struct sr_pg_scan *s)
{
    if (!s)
        return;
    sr_pg_tables_done(&s->tables);
    free(s);
}

size_t sr_pg_scan_tables(const struct sr_pg_scan *s)
{
    return s->tables.len;
}

const char *sr_pg_scan_table(const struct sr_pg_scan *s, size_t i, uint64_t *ret_rows)
{
    if (ret_rows)
        *ret_rows = s->tables.items[i].rows;
    return s->tables.items[i].name;
}

int sr_pg_scan_cut(const struct sr_pg_scan *s)
{
    return s->tables.cut;
}

/* --- failing --- */

static int guarded(const struct sr_pg_scan *s)
{
    return (s->flags & SR_SCAN_GUARD) != 0;
}

static int refuse(struct sr_pg_scan *s, uint64_t line, const char *what, struct sr_error *err)
{
    s->mode = MODE_FAILED;
    sr_fail(&s->why, SR_E_CORRUPT,
            "line %llu of the dump holds %s; it was not made by pg_dump as it is, and is not "
            "restored",
            (unsigned long long)line, what);
    return sr_error_copy(err, &s->why);
}

/* What an honest dump may hold, and only this psql cannot be trusted with. It cannot be told from
 * an attack: a function that the dump calls, or a trigger, can set standard_conforming_strings or
 * client_encoding where no text shows it, and psql then reads on by what the server says. */
static int refuse_strict(struct sr_pg_scan *s, uint64_t line, const char *what,
                         struct sr_error *err)
{
    s->mode = MODE_FAILED;
    sr_fail(&s->why, SR_E_REFUSED,
            "line %llu of the dump holds %s; a psql without \\restrict could be led by it to run "
            "commands, so it is not restored with this one: take psql 13.22, 14.19, 15.14, 16.10, "
            "17.6 or newer (BACKUP_PSQL_PATH), or a custom dump",
            (unsigned long long)line, what);
    return sr_error_copy(err, &s->why);
}

static int no_memory(struct sr_pg_scan *s, struct sr_error *err)
{
    s->mode = MODE_FAILED;
    sr_fail(&s->why, SR_E_NO_MEMORY, "reading a dump: out of memory");
    return sr_error_copy(err, &s->why);
}

/* --- statements --- */

/* The table in "COPY schema.table (columns) FROM stdin": up to a blank or parenthesis outside
 * quotes. */
static size_t copy_name(const char *text, const char **ret)
{
    const char *p = text + strlen("copy");
    while (isspace((unsigned char)*p))
        p++;
    const char *start = p;
    int quoted = 0;
    for (; *p && (quoted || (!isspace((unsigned char)*p) && *p != '(')); p++)
        quoted ^= *p == '"';
    *ret = start;
    return (size_t)(p - start);
}

static int text_has(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

/* Nonzero when "SET name = value" or "TO value" gives one of values. */
static int set_is(const char *text, const char *name, const char *const *values)
{
    const char *p = strcasestr(text, name);
    if (!p)
        return 0;
    p += strlen(name);
    while (*p && (isspace((unsigned char)*p) || *p == '=' || *p == '\''))
        p++;
    if (strncasecmp(p, "to", 2) == 0 && isspace((unsigned char)p[2]))
        p += 2;
    while (*p && (isspace((unsigned char)*p) || *p == '\''))
        p++;
    for (; *values; values++) {
        size_t n = strlen(*values);
        if (strncasecmp(p, *values, n) == 0 && !isalnum((unsigned char)p[n]) && p[n] != '_')
            return 1;
    }
    return 0;
}

static int check_set(struct sr_pg_scan *s, struct sr_error *err)
{
    static const char *const on[] = {"on", "true", "yes", "1", NULL};
    /* A byte of theirs that is no character of its own can look like a backslash. */
    static const char *const unsafe[] = {"sjis",    "shift",  "mskanji",  "big5",   "gbk",
                                         "gb18030", "uhc",    "johab",    "win932", "win936",
                                         "win949",  "win950", "windows9", NULL};
    const char *text = s->lex.text;
    if (text_has(text, "standard_conforming_strings") &&
        !set_is(text, "standard_conforming_strings", on))
        return refuse(s, s->lex.line, "a SET of standard_conforming_strings to other than on", err);
    if (!(s->flags & SR_SCAN_STRICT) ||
        (!text_has(text, "client_encoding") && !text_has(text, "names")))
        return SR_OK;
    for (size_t i = 0; unsafe[i]; i++)
        if (text_has(text, unsafe[i]))
            return refuse_strict(s, s->lex.line,
                                 "a client_encoding in which quotes cannot be told apart safely",
                                 err);
    return SR_OK;
}

/* The two that pg_dump puts around large objects, letter for letter and at the beginning of a line,
 * which is how pg_filter knows them; with a comment or a blank in it, psql would still get it. */
static int is_dumps_own(const struct sr_pg_lex *x)
{
    return x->at_line_start &&
           (strcasecmp(x->text, "BEGIN;") == 0 || strcasecmp(x->text, "COMMIT;") == 0);
}

/* A plain dump is restored in one transaction that is not the dump's to end: else a part of it
 * would stay although the rest fails. */
static int check_transaction(struct sr_pg_scan *s, struct sr_error *err)
{
    static const char *const words[] = {"BEGIN", "START",    "COMMIT", "END",
                                        "ABORT", "ROLLBACK", "PREPARE"};
    char what[96];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(s->lex.first, words[i]) == 0 &&
            ((s->flags & SR_SCAN_WHOLE) || !is_dumps_own(&s->lex))) {
            (void)snprintf(what, sizeof what,
                           "%s, which could end the one transaction of the restore", words[i]);
            return refuse(s, s->lex.line, what, err);
        }
    return SR_OK;
}

static int statement_end(struct sr_pg_scan *s, struct sr_error *err)
{
    const struct sr_pg_lex *x = &s->lex;
    int rc = guarded(s) ? check_transaction(s, err) : SR_OK;
    if (rc == SR_OK && guarded(s) && strcmp(x->first, "set") == 0)
        rc = check_set(s, err);
    if (rc == SR_OK && guarded(s) && strcmp(x->first, "copy") == 0 && x->had_stdin &&
        !x->from_stdin)
        return refuse(s, x->line, "a COPY FROM STDIN with more behind it", err);
    if (rc == SR_OK && strcmp(x->first, "copy") == 0 && x->from_stdin) {
        if (guarded(s) && !x->at_line_start)
            return refuse(s, x->line, "a COPY that does not begin its line", err);
        s->current = SIZE_MAX;
        const char *name = NULL;
        size_t n = copy_name(x->text, &name);
        /* A name that did not fit what is kept of a statement is not pg_dump's. */
        if ((s->flags & SR_SCAN_ROWS) && n > 0 && name[n] != '\0' &&
            sr_pg_tables_at(&s->tables, name, n, &s->current) != SR_OK)
            return no_memory(s, err);
        s->mode = MODE_COPY_WAIT;
    }
    sr_pg_lex_statement_new(&s->lex);
    return rc;
}

/* --- backslash commands --- */

static int all_of(const char *s, size_t len, const char *more)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)s[i]) && (!s[i] || !strchr(more, s[i])))
            return 0;
    return len > 0;
}

/* "NAME", or the way pg_dump writes a name that is no plain word. Nothing psql would expand. */
static int connect_is_plain(const char *arg, size_t len)
{
    static const char reuse[] = "-reuse-previous=on \"dbname='";
    if (all_of(arg, len, "_") && !isdigit((unsigned char)*arg))
        return 1;
    size_t n = sizeof reuse - 1;
    if (len < n + 3 || memcmp(arg, reuse, n) != 0 || memcmp(arg + len - 2, "'\"", 2) != 0)
        return 0;
    for (size_t i = n; i < len - 2; i++)
        if (strchr("'\"\\`:", arg[i]) || (unsigned char)arg[i] < 0x20)
            return 0;
    return 1;
}

/* Judges the line after its backslash. */
static int command_end(struct sr_pg_scan *s, struct sr_error *err)
{
    const char *c = s->command;
    size_t n = s->command_len;
    uint64_t line = s->lex.line - 1;
    s->mode = MODE_SQL;
    if (n > 0 && c[n - 1] == '\r')
        n--;
    s->command_len = 0;
    if (!guarded(s))
        return SR_OK;
    if (n == 1 && c[0] == '.')
        return SR_OK;
    if (n > 9 && memcmp(c, "restrict ", 9) == 0 && all_of(c + 9, n - 9, ""))
        return SR_OK;
    if (n > 11 && memcmp(c, "unrestrict ", 11) == 0 && all_of(c + 11, n - 11, ""))
        return SR_OK;
    if (n > 8 && memcmp(c, "connect ", 8) == 0) {
        if (!(s->flags & SR_SCAN_CONNECT))
            return refuse(
                s, line,
                "\\connect, as pg_dump -C and pg_dumpall write it: it leaves the database "
                "chosen as target",
                err);
        if (connect_is_plain(c + 8, n - 8))
            return SR_OK;
    }
    char word[32], what[96];
    size_t len = 0;
    while (len < n && len + 1 < sizeof word && isgraph((unsigned char)c[len])) {
        word[len] = c[len];
        len++;
    }
    word[len] = '\0';
    (void)snprintf(what, sizeof what, "a command to psql (\\%s)", word);
    return refuse(s, line, what, err);
}

static int command_begin(struct sr_pg_scan *s, struct sr_error *err)
{
    const struct sr_pg_lex *x = &s->lex;
    s->mode = MODE_COMMAND;
    s->command_len = 0;
    /* s->dot_line stands past the backslash only when that was the first of its line. */
    if (guarded(s) && (!x->empty || s->dot_line != COPY_BACKSLASH))
        return refuse(s, x->line, "a backslash outside quotes, which psql takes for a command",
                      err);
    return SR_OK;
}

/* The rest of a command's line; how much was taken. */
static size_t feed_command(struct sr_pg_scan *s, const char *p, size_t len, struct sr_error *err,
                           int *rc)
{
    const char *nl = memchr(p, '\n', len);
    size_t n = nl ? (size_t)(nl - p) : len;
    size_t room = sizeof s->command - s->command_len;
    if (n > room && guarded(s)) {
        *rc = refuse(s, s->lex.line, "an overlong command to psql", err);
        return n;
    }
    memcpy(s->command + s->command_len, p, n < room ? n : room);
    s->command_len += n < room ? n : room;
    if (guarded(s) && memchr(p, '\0', n)) {
        *rc = refuse(s, s->lex.line, "a NUL byte", err);
        return n;
    }
    if (!nl)
        return n;
    s->lex.line++;
    s->lex.column_zero = 1;
    s->dot_line = COPY_START;
    *rc = command_end(s, err);
    return n + 1;
}

/* --- COPY data --- */

static void row_end(struct sr_pg_scan *s)
{
    s->lex.line++;
    if (s->current != SIZE_MAX)
        s->tables.items[s->current].rows++;
}

static void copy_end(struct sr_pg_scan *s)
{
    s->lex.line++;
    s->lex.column_zero = 1;
    s->dot_line = COPY_START;
    s->mode = MODE_SQL;
    s->current = SIZE_MAX;
}

/* Whole lines go by at the speed of memchr; only those that begin with a backslash are looked at
 * byte by byte. How much was taken: all, or up to the end of the block. */
static size_t feed_copy(struct sr_pg_scan *s, const char *p, size_t len)
{
    const char *at = p, *end = p + len;
    while (at < end) {
        if (s->copy_at == COPY_START && *at != '\\')
            s->copy_at = COPY_MIDDLE;
        if (s->copy_at == COPY_MIDDLE) {
            uint64_t rows = 0;
            const char *nl;
            while ((nl = memchr(at, '\n', (size_t)(end - at))) != NULL) {
                rows++;
                at = nl + 1;
                if (at < end && *at == '\\')
                    break;
            }
            s->lex.line += rows;
            if (s->current != SIZE_MAX)
                s->tables.items[s->current].rows += rows;
            if (!nl)
                s->copy_at = at == end ? COPY_START : COPY_MIDDLE;
            else
                s->copy_at = COPY_START;
            if (!nl)
                return len;
            continue;
        }
        char c = *at++;
        if (c == '\n') {
            int last = s->copy_at == COPY_DOT || s->copy_at == COPY_DOT_CR;
            s->copy_at = COPY_START;
            if (last) {
                copy_end(s);
                return (size_t)(at - p);
            }
            row_end(s);
        } else if (s->copy_at == COPY_START) {
            s->copy_at = COPY_BACKSLASH;
        } else if (s->copy_at == COPY_BACKSLASH && c == '.') {
            s->copy_at = COPY_DOT;
        } else if (s->copy_at == COPY_DOT && c == '\r') {
            s->copy_at = COPY_DOT_CR;
        } else {
            s->copy_at = COPY_MIDDLE;
        }
    }
    return len;
}

/* --- SQL --- */

static enum copy_at dot_line_step(enum copy_at at, char c)
{
    if (at == COPY_START && c == '\\')
        return COPY_BACKSLASH;
    if (at == COPY_BACKSLASH && c == '.')
        return COPY_DOT;
    return at == COPY_DOT && c == '\r' ? COPY_DOT_CR : COPY_MIDDLE;
}

/* Follows lines that read "\." : within a quote they may tell that psql and we have parted ways,
 * one of us reading COPY data where the other reads SQL. Texts about psql have them too, so that
 * they are refused only where no \restrict would stop psql. Nonzero at the end of such a line where
 * that is so; *line is the first byte's, and becomes the last's. */
static int dot_lines(struct sr_pg_scan *s, const char *p, size_t len, uint64_t *line)
{
    const char *end = p + len;
    while (p < end) {
        if (s->dot_line == COPY_MIDDLE && !(p = memchr(p, '\n', (size_t)(end - p))))
            return 0;
        char c = *p++;
        if (c != '\n') {
            s->dot_line = dot_line_step(s->dot_line, c);
            continue;
        }
        int dot = s->dot_line == COPY_DOT || s->dot_line == COPY_DOT_CR;
        s->dot_line = COPY_START;
        if (dot && (s->flags & SR_SCAN_STRICT))
            return 1;
        ++*line;
    }
    return 0;
}

static int feed_sql(struct sr_pg_scan *s, const char *p, size_t len, size_t *ret_taken,
                    struct sr_error *err)
{
    enum sr_pg_lex_event event;
    uint64_t line = s->lex.line;
    size_t n = sr_pg_lex_feed(&s->lex, p, len, &event);
    *ret_taken = n;
    if (guarded(s) && dot_lines(s, p, n, &line))
        return refuse_strict(s, line, "\\. on a line of its own within a quote or comment", err);
    switch (event) {
    case SR_LEX_NONE:
        return SR_OK;
    case SR_LEX_STATEMENT:
        return statement_end(s, err);
    case SR_LEX_BACKSLASH:
        return command_begin(s, err);
    case SR_LEX_SUSPECT:
        return (s->lex.suspect_is_strict ? refuse_strict : refuse)(s, s->lex.line, s->lex.suspect,
                                                                   err);
    }
    return SR_OK;
}

/* The rest of the line after "COPY ... FROM stdin;": psql reads it as SQL only after the data. */
static size_t feed_wait(struct sr_pg_scan *s, const char *p, size_t len, struct sr_error *err,
                        int *rc)
{
    size_t i = 0;
    while (i < len) {
        char c = p[i++];
        if (c == '\n') {
            s->lex.line++;
            s->lex.column_zero = 1;
            s->mode = MODE_COPY;
            s->copy_at = COPY_START;
            break;
        }
        if (c != '\r' && guarded(s)) {
            *rc = refuse(s, s->lex.line, "more on the line of a COPY", err);
            break;
        }
    }
    return i;
}

/* A byte order mark, which an editor may have put there, is no word of the first statement. How
 * much of p belongs to it. */
static size_t bom_step(struct sr_pg_scan *s, const char *p, size_t len)
{
    static const char bom[] = "\xef\xbb\xbf";
    size_t n = 0;
    while (s->bom < 3 && n < len) {
        if (p[n] != bom[s->bom]) {
            s->bom = 3;
            break;
        }
        s->bom++;
        n++;
    }
    return n;
}

int sr_pg_scan_feed(struct sr_pg_scan *s, const void *data, size_t len, struct sr_error *err)
{
    const char *p = data;
    size_t mark = bom_step(s, p, len);
    p += mark;
    len -= mark;
    if (s->head_len < sizeof s->head && len > 0) {
        size_t room = sizeof s->head - s->head_len;
        memcpy(s->head + s->head_len, p, len < room ? len : room);
        s->head_len += len < room ? len : room;
    }
    sr_pg_marker_feed(&s->marker, p, len);
    while (len > 0) {
        size_t n = 0;
        int rc = SR_OK;
        switch (s->mode) {
        case MODE_SQL:
            rc = feed_sql(s, p, len, &n, err);
            break;
        case MODE_COPY_WAIT:
            n = feed_wait(s, p, len, err, &rc);
            break;
        case MODE_COPY:
            n = feed_copy(s, p, len);
            /* psql's older versions end a line at a NUL. */
            if (guarded(s) && memchr(p, '\0', n))
                rc = refuse(s, s->lex.line, "a NUL byte in COPY data", err);
            break;
        case MODE_COMMAND:
            n = feed_command(s, p, len, err, &rc);
            break;
        case MODE_FAILED:
            return sr_error_copy(err, &s->why);
        }
        if (rc != SR_OK)
            return rc;
        p += n;
        len -= n;
    }
    return SR_OK;
}

int sr_pg_scan_end(struct sr_pg_scan *s, struct sr_error *err)
{
    if (s->mode == MODE_FAILED)
        return sr_error_copy(err, &s->why);
    if (s->mode == MODE_COMMAND) {
        /* psql runs a last line without its end, too. */
        s->lex.line++;
        return command_end(s, err);
    }
    const struct sr_pg_lex *x = &s->lex;
    int open = guarded(s) && (x->paren_depth > 0 || x->begin_depth > 0);
    const char *within = s->mode == MODE_COPY || s->mode == MODE_COPY_WAIT ? "the rows of a table"
                         : !sr_pg_lex_outside(x) ? "a quoted text or comment"
                         : open                  ? "a statement"
                                                 : NULL;
    if (within)
        return sr_fail(err, SR_E_CORRUPT, "the dump ends within %s, at line %llu: it is cut off",
                       within, (unsigned long long)x->line);
    /* psql runs a last statement without its semicolon, too. */
    sr_pg_lex_end(&s->lex);
    return guarded(s) ? check_transaction(s, err) : SR_OK;
}

int sr_pg_scan_complete(const struct sr_pg_scan *s)
{
    return s->mode == MODE_SQL && s->lex.empty && sr_pg_lex_outside(&s->lex) &&
           sr_pg_marker_seen(&s->marker);
}

int sr_pg_scan_is_dump(const struct sr_pg_scan *s)
{
    static const char *const titles[] = {
        "-- PostgreSQL database dump\n", "-- PostgreSQL database dump\r\n",
        "-- PostgreSQL database cluster dump\n", "-- PostgreSQL database cluster dump\r\n"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (memmem(s->head, s->head_len, titles[i], strlen(titles[i])))
            return 1;
    return 0;
}
