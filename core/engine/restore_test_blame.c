/* Why a restore failed: by the words of PostgreSQL's programs, as they tell nothing else. Another
 * language of the server, which LC_ALL of the children does not change, makes it the backup's
 * fault, never a success. */
#include "config.h"
#include "core/engine/restore_test.h"

#include <stdio.h>
#include <string.h>

struct saying {
    const char *before, *after; /* around a quoted name; after NULL: no name */
    const char *what;           /* "extension %s" */
};

static const struct saying missing[] = {
    {"extension \"", "\" is not available", "extension %s is missing"},
    {"extension \"", "\" has no installation script", "extension %s is missing in that version"},
    {"could not open extension control file", NULL, "an extension is missing"},
    {"role \"", "\" does not exist", "role %s is missing"},
    {"tablespace \"", "\" does not exist", "tablespace %s is missing"},
    {"invalid value for parameter \"default_tablespace\": \"", "\"", "tablespace %s is missing"},
    {"language \"", "\" does not exist", "language %s is missing"},
    {"access method \"", "\" does not exist", "access method %s is missing"},
    {"collation \"", "\" for encoding", "collation %s is missing"},
    {"could not create locale \"", "\"", "locale %s is missing"},
    {"could not access file \"", "\"", "library %s is missing"},
    {"unrecognized configuration parameter \"", "\"",
     "setting %s is not known: the dump is of a newer PostgreSQL"},
    {"permission denied to create extension \"", "\"",
     "the role may not create extension %s; use a superuser"},
    {"permission denied to set parameter \"", "\"", "the role may not set %s; use a superuser"},
    {"must be superuser", NULL, "the dump needs a superuser"},
    {"Must be superuser", NULL, "the dump needs a superuser"},
    {"must be owner of ", NULL, "the dump needs a superuser"},
    {"permission denied", NULL, "the dump needs rights that the role has not; use a superuser"},
    {"must have CREATEROLE", NULL, "the dump needs a superuser"},
    {"unsupported version (", ")", "pg_restore is too old for archive version %s"},
};

static const char *const server[] = {"No space left on device",
                                     "could not extend file",
                                     "out of memory",
                                     "out of shared memory",
                                     "could not resize shared memory segment",
                                     "terminating connection",
                                     "server closed the connection",
                                     "connection to server",
                                     "could not connect",
                                     "the database system is",
                                     "canceling statement due to",
                                     "too many clients",
                                     "remaining connection slots",
                                     "Cannot allocate memory",
                                     "killed by signal"};

static int says(const char *said, const struct saying *s, char what[SR_BLAME_TEXT])
{
    for (const char *at = said; (at = strstr(at, s->before)); at++) {
        const char *name = at + strlen(s->before);
        const char *end = s->after ? strstr(name, s->after) : name;
        size_t len = end ? (size_t)(end - name) : 0;
        /* The nearest name before the words that follow it: no quote in between. */
        if (!end || len > 63 || memchr(name, '"', len))
            continue;
        const char *slot = strstr(s->what, "%s");
        (void)snprintf(what, SR_BLAME_TEXT, "%.*s%.*s%s",
                       slot ? (int)(slot - s->what) : (int)strlen(s->what), s->what,
                       slot ? (int)len : 0, name, slot ? slot + 2 : "");
        return 1;
    }
    return 0;
}

enum sr_test_blame sr_restore_test_blame(const char *said, char what[SR_BLAME_TEXT])
{
    what[0] = '\0';
    for (size_t i = 0; i < sizeof server / sizeof *server; i++)
        if (strstr(said, server[i]))
            return SR_BLAME_SERVER;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (says(said, &missing[i], what))
            return SR_BLAME_MISSING;
    return SR_BLAME_BACKUP;
}
