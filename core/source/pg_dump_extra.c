/* Which of pg_dump's own options may be handed on. */
#include "config.h"
#include "core/source/pg_dump.h"

#include <string.h>

struct refusal {
    char letter; /* 0: none */
    const char *word;
    int takes_value;
    const char *instead;
};

static const struct refusal refused[] = {
    {'f', "file", 1, "the dump goes to the stores; see --to and fetch --output"},
    {'F', "format", 1, "use --format of strongroom backup"},
    {'j', "jobs", 1, "the directory format cannot be streamed"},
    {'Z', "compress", 1, "use BACKUP_COMPRESSION and BACKUP_COMPRESSION_LEVEL"},
    {'d', "dbname", 1, "use --database or DATABASE_URL"},
    {'h', "host", 1, "use DATABASE_URL or DB_HOST"},
    {'p', "port", 1, "use DATABASE_URL or DB_PORT"},
    {'U', "username", 1, "use DATABASE_URL or POSTGRES_USER"},
    {'w', "no-password", 0, "it is always given"},
    {'W', "password", 0, "use DATABASE_URL, POSTGRES_PASSWORD or .pgpass"},
    {'C', "create", 0, "use --create of strongroom restore"},
    {0, "snapshot", 1, "strongroom exports the snapshot itself"},
    {0, "lock-wait-timeout", 1, "use BACKUP_LOCK_WAIT"},
    {0, "binary-upgrade", 0, "it is for pg_upgrade alone"},
    {'V', "version", 0, "see strongroom doctor"},
    {'?', "help", 0, "see the manual of pg_dump"},
};

/* Options that are fine and take their value in the next argument. */
static const char valued_letters[] = "EnNStTe";
static const char *const valued_words[] = {"encoding",
                                           "schema",
                                           "exclude-schema",
                                           "superuser",
                                           "table",
                                           "table-and-children",
                                           "exclude-table",
                                           "exclude-table-and-children",
                                           "exclude-table-data",
                                           "exclude-table-data-and-children",
                                           "extension",
                                           "exclude-extension",
                                           "extra-float-digits",
                                           "rows-per-insert",
                                           "section",
                                           "role",
                                           "include-foreign-data",
                                           "filter",
                                           "restrict-key",
                                           NULL};

static int refuse(const char *arg, const struct refusal *r, struct sr_error *err)
{
    return sr_fail(err, SR_E_USAGE, "pg_dump's option %.60s cannot be handed on: %s", arg,
                   r->instead);
}

/* Nonzero when the first n bytes of text are word or, as getopt allows, the beginning of it. */
static int begins(const char *word, const char *text, size_t n)
{
    return n <= strlen(word) && memcmp(word, text, n) == 0;
}

/* "--word", "--word=value"; *ret_next: the value is the next argument. */
static int check_word(const char *arg, int *ret_next, struct sr_error *err)
{
    const char *word = arg + 2;
    size_t n = strcspn(word, "=");
    *ret_next = 0;
    for (size_t i = 0; valued_words[i]; i++)
        if (strlen(valued_words[i]) == n && memcmp(valued_words[i], word, n) == 0) {
            *ret_next = word[n] == '\0';
            return SR_OK;
        }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (begins(refused[i].word, word, n))
            return refuse(arg, &refused[i], err);
    /* A shortened valued option: which argument is its value could only be guessed. */
    for (size_t i = 0; valued_words[i]; i++)
        if (begins(valued_words[i], word, n) && word[n] == '\0')
            return sr_fail(err, SR_E_USAGE,
                           "pg_dump's option %.60s is shortened; write it out (--%s=...)", arg,
                           valued_words[i]);
    return SR_OK;
}

/* "-x", "-xO", "-nname". */
static int check_letters(const char *arg, int *ret_next, struct sr_error *err)
{
    *ret_next = 0;
    for (const char *p = arg + 1; *p; p++) {
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
            if (refused[i].letter == *p)
                return refuse(arg, &refused[i], err);
        if (strchr(valued_letters, *p)) {
            *ret_next = p[1] == '\0';
            return SR_OK;
        }
    }
    return SR_OK;
}

int sr_pg_dump_check_extra(const struct sr_strlist *extra, struct sr_error *err)
{
    for (size_t i = 0; extra && i < extra->len; i++) {
        const char *arg = extra->items[i];
        int next = 0, rc;
        if (arg[0] != '-' || arg[1] == '\0' || strcmp(arg, "--") == 0)
            return sr_fail(err, SR_E_USAGE,
                           "\"%.60s\" among pg_dump's options is no option; which database is "
                           "dumped is said with --database or DATABASE_URL",
                           arg);
        rc = arg[1] == '-' ? check_word(arg, &next, err) : check_letters(arg, &next, err);
        if (rc != SR_OK)
            return rc;
        if (next && i + 1 == extra->len)
            return sr_fail(err, SR_E_USAGE, "pg_dump's option %.60s lacks its value", arg);
        i += next ? 1 : 0;
    }
    return SR_OK;
}
