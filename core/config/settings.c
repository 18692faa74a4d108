#include <config.h> /* not the one of this folder */
#include "core/config/config.h"

#define DAYS_MAX 36500

#define SETTING(n, t, d, h) .name = (n), .type = SR_TYPE_##t, .fallback = (d), .help = (h)

const struct sr_setting sr_settings[] = {
    /* The database. */
    {SETTING(
        "DATABASE_URL", URL, NULL,
        "what to dump; driver suffixes as in `postgresql+asyncpg://` are accepted; beats `DB_*`, "
        "`POSTGRES_*` and `PG*`")},
    {SETTING("DB_HOST", STRING, NULL, "server name, address or socket folder")},
    {SETTING("DB_PORT", INT, NULL, "server port"), .min = 1, .max = 65535},
    {SETTING("DB_NAME", STRING, NULL, "database; beats POSTGRES_DB")},
    {SETTING("DB_USER", STRING, NULL, "role to connect as; beats POSTGRES_USER")},
    {SETTING("DB_PASSWORD", STRING, NULL, "its password; beats POSTGRES_PASSWORD"), .secret = 1},
    {SETTING("POSTGRES_DB", STRING, NULL, "database")},
    {SETTING("POSTGRES_USER", STRING, NULL, "role to connect as")},
    {SETTING("POSTGRES_PASSWORD", STRING, NULL, "its password"), .secret = 1},
    {SETTING("BACKUP_DATABASES", LIST, NULL, "several databases of that server, in one set")},
    {SETTING("BACKUP_ALL_DATABASES", BOOL, "off", "every database that allows connections")},
    {SETTING("TEST_DB_NAME", STRING, NULL,
             "scratch database of restore-test; default: a name that cannot collide")},
    {SETTING("BACKUP_RESTORE_TEST_URL", URL, NULL,
             "the server that restore-test restores to; default: the one of the settings")},

    /* What is dumped, and how. */
    {SETTING("BACKUP_FORMAT", CHOICE, "plain",
             "SQL text, pg_dump's custom archive, or both of one snapshot"),
     .choices = "plain|custom|plain,custom"},
    {SETTING("BACKUP_GLOBALS", BOOL, "on", "roles and tablespaces beside the dump")},
    {SETTING("BACKUP_SCHEMA", LIST, NULL, "only these schemas (pg_dump patterns)")},
    {SETTING("BACKUP_EXCLUDE_TABLE", LIST, NULL, "tables left out (pg_dump patterns)")},
    {SETTING("BACKUP_EXCLUDE_TABLE_DATA", LIST, NULL,
             "tables of which only the definition is kept")},
    {SETTING("BACKUP_PGDUMP_PATH", STRING, "pg_dump",
             "when set it is used or refused, never replaced by another version")},
    {SETTING("BACKUP_PGRESTORE_PATH", STRING, "pg_restore", "likewise")},
    {SETTING("BACKUP_PSQL_PATH", STRING, "psql", "likewise")},
    {SETTING("BACKUP_LOCK_WAIT", DURATION, "60s",
             "longest wait for the lock on a table; then the dump fails")},
    {SETTING("BACKUP_STALL_TIMEOUT", DURATION, "15m",
             "a dump that sends nothing for so long is ended; there is no total limit")},
    {SETTING("BACKUP_MIN_SIZE", SIZE, "1", "a compressed dump smaller than this is a failure")},

    /* Compression and encryption. */
    {SETTING("BACKUP_COMPRESSION", CHOICE, "gzip", "how dumps are compressed"),
     .choices = "gzip|zstd|none"},
    {SETTING("BACKUP_COMPRESSION_LEVEL", INT, "0", "0: the method's own default"), .max = 22},
    {SETTING("BACKUP_COMPRESSION_THREADS", INT, "0", "0: as many as there is use for"), .max = 64},
    {SETTING("BACKUP_ENCRYPTION_ENABLED", BOOL, "off",
             "needs GPG_RECIPIENT_KEY_ID or BACKUP_ENCRYPTION_PASSPHRASE")},
    {SETTING("GPG_RECIPIENT_KEY_ID", LIST, NULL,
             "who can decrypt: fingerprints, key ids or e-mail addresses")},
    {SETTING("BACKUP_ENCRYPTION_PASSPHRASE", STRING, NULL,
             "symmetric AES256, where there are no recipients"),
     .secret = 1},

    /* Who made it. */
    {SETTING("BACKUP_SIGN_KEY_FILE", PATH, NULL,
             "a file with at least 32 random bytes: backups are signed and checked with it "
             "(HMAC-SHA256)")},
    {SETTING("BACKUP_SIGN_GPG_KEY", STRING, NULL,
             "fingerprint of the GPG key that signs backups, and that they are checked with")},
    {SETTING("BACKUP_SIGN_GPG_PASSPHRASE", STRING, NULL,
             "unlocks that key; nobody is ever asked for it"),
     .secret = 1},
    {SETTING("BACKUP_SIGN_ACCEPT", LIST, NULL,
             "more keys whose signatures count: files (absolute paths) and fingerprints")},
    {SETTING("BACKUP_REQUIRE_SIGNATURE", BOOL, "off",
             "refuse to restore, fetch, verify or sync what is not signed")},
    {SETTING("BACKUP_SIGN_NOT_BEFORE", STRING, NULL,
             "`latest` may not be older than this time (2026-11-20, 2026-11-20T13:05:01Z)")},
    {SETTING("BACKUP_SIGN_LIST", INT, "20",
             "`list` checks the signatures of so many newest backups; 0: of all"),
     .max = 1000000},

    /* Where it goes. */
    {SETTING("BACKUP_DIR", PATH, "backups",
             "the local store; spool, locks and audit log are in it")},
    {SETTING("BACKUP_STORAGE_ADAPTER", LIST, "local",
             "stores, each a plugin's name or NAME=PLUGIN; the settings of a store are "
             "`BACKUP_NAME_*`")},
    {SETTING("BACKUP_MIN_STORES", INT, "1",
             "so many stores must hold a set, or the run has failed"),
     .min = 1, .max = 100},
    {SETTING("BACKUP_PLUGIN_PATH", STRING, NULL,
             "more folders with plugins: absolute, ':' between them")},
    {SETTING("BACKUP_SPOOL_DIR", PATH, NULL,
             "spool of what a slow store, or one that cannot name late, is yet to get; default: in "
             "BACKUP_DIR")},
    {SETTING("BACKUP_SWEEP_AGE", DURATION, "24h",
             "unfinished objects younger than this are never swept")},

    /* Proofs. */
    {SETTING("BACKUP_PROOFS", BOOL, "on",
             "record what verify and restore-test find, as objects beside the backup")},
    {SETTING("BACKUP_RESTORE_TEST_ACCEPT", LIST, NULL,
             "findings that fail no restore test: index, foreign-key, constraint, sequence")},
    {SETTING("BACKUP_VERIFY_SAMPLE", INT, "0",
             "`verify --all` reads no more than so many backups, those that need it most; 0: all"),
     .max = 1000000},
    {SETTING("BACKUP_VERIFY_TIME", DURATION, "0s",
             "`verify --all` begins with no other backup after so long; 0s: no limit")},

    /* Names. */
    {SETTING("BACKUP_LABEL_TIMESTAMP", BOOL, "on",
             "append the UTC time to labels; off: a label can be used once")},
    {SETTING(
        "BACKUP_SOURCE_NAME", STRING, NULL,
        "what sets are grouped by; default: the database, or the host when there are several")},

    /* Retention and schedule. */
    {SETTING("BACKUP_RETENTION_DAYS", INT, "7", "age at which a set may go; 0: keep for ever"),
     .alias = "RETENTION_DAYS", .max = DAYS_MAX},
    {SETTING("BACKUP_RETENTION_LAST", INT, "0",
             "so many newest sets of a source stay as well, however old"),
     .max = 1000000},
    {SETTING("BACKUP_RETENTION_DAILY", INT, "0",
             "the first set of a day stays for so many days; 0: no such rule"),
     .max = DAYS_MAX},
    {SETTING("BACKUP_RETENTION_WEEKLY", INT, "0",
             "the first set from Sunday on stays for so many weeks"),
     .max = DAYS_MAX},
    {SETTING("BACKUP_RETENTION_MONTHLY", INT, "0",
             "the first set of a month stays for so many months"),
     .max = DAYS_MAX},
    {SETTING("BACKUP_RETENTION_YEARLY", INT, "0",
             "the first set of a year stays for so many years"),
     .max = DAYS_MAX},
    {SETTING("BACKUP_RETENTION_TIMEZONE", STRING, "UTC",
             "where these days, weeks, months and years begin, as in Europe/Berlin")},
    {SETTING(
        "BACKUP_RETENTION_SIZE", SIZE, "0",
        "the oldest sets of a source go while all of them in a store are larger; 0: unbounded")},
    {SETTING("BACKUP_RETENTION_MIN_KEEP", INT, "1",
             "so many good sets of a source stay, whatever their age and size"),
     .min = 1, .max = 1000000},
    {SETTING("BACKUP_RETENTION_CRITICAL_LABELS", LIST,
             "pre-migration*,pre_migration*,pre-release*,pre_release*,pre-major-release*",
             "labels (patterns) that are kept longer; `-` for none")},
    {SETTING("BACKUP_RETENTION_CRITICAL_DAYS", DAYS, "forever", "how long those are kept"),
     .max = DAYS_MAX},
    {SETTING("BACKUP_RETENTION_TRUST_CLOCK", BOOL, "off",
             "delete by age also where the clock is far ahead of a store's or of its sets")},
    {SETTING("BACKUP_SYNC_JOBS", INT, "2", "so many sets are synced at a time"), .min = 1,
     .max = 16},
    {SETTING("BACKUP_SYNC_DELETE", BOOL, "off",
             "sync deletes what is no longer in the store that it reads, as far as retention "
             "allows")},
    {SETTING("BACKUP_SYNC_MAX_DELETE", INT, "50",
             "a sync that would delete more percent of a store's sets than this deletes nothing"),
     .max = 100},
    {SETTING("BACKUP_SCHEDULE_CRON", STRING, "0 2 * * *", "when scheduled runs are due, UTC")},

    /* Safety, and what is told. */
    {SETTING("ENV", STRING, NULL, "production arms the guard of restore"), .alias = "ENVIRONMENT"},
    {SETTING("BACKUP_PRODUCTION_TARGETS", LIST, NULL,
             "host/database patterns that arm it whatever ENV says")},
    {SETTING("LOG_LEVEL", CHOICE, "info", "how much is logged"),
     .choices = "error|warn|warning|info|verbose|debug"},
    {SETTING("LOG_FORMAT", CHOICE, "text", "how it is written on standard error"),
     .choices = "text|json"},
    {SETTING("VERBOSE", BOOL, "off", "as `--verbose`")},
    {SETTING(
        "BACKUP_AUDIT_LOG", STRING, NULL,
        "a file, `-` for standard error, or `off`; default: audit.log in BACKUP_DIR/.strongroom")},
    {SETTING("BACKUP_USER_ID", STRING, NULL, "who asked, for the audit log")},
    {SETTING("BACKUP_IP_ADDRESS", STRING, NULL, "from where, for the audit log")},
    {SETTING("BACKUP_TRACE_ID", STRING, NULL, "the request it belongs to, for the audit log")},
    {.name = NULL},
};
