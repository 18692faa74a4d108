#include "config.h"
#include "core/engine/recover_text.h"
#include "core/util/log.h"

#include <string.h>

static const char text[] =
    "HOW TO GET THE DATA BACK WITHOUT STRONGROOM\n"
    "===========================================\n"
    "\n"
    "Needed: these files, the key (or passphrase), and the programs gpg, gunzip (or zstd), psql "
    "and\n"
    "pg_restore. Nothing else.\n"
    "\n"
    "A backup is a group of files whose names begin alike, for example\n"
    "\n"
    "  app-20261120130501-<sha256>.sql.gz.gpg            the database\n"
    "  app-20261120130501-<sha256>.globals.sql.gz.gpg    roles and tablespaces\n"
    "  app-20261120130501.app.sha256                     checksums of the files as they lie here\n"
    "  app-20261120130501.app.detail.json.gz.gpg         host, tables, rows (only where "
    "encrypted)\n"
    "  app-20261120130501.app.manifest.json              what belongs to the backup; written last\n"
    "\n"
    "The time in the name is UTC. A group WITHOUT a manifest.json is not a whole backup.\n"
    "\n"
    "1. Check that the files are unharmed:\n"
    "     sha256sum -c app-20261120130501.app.sha256\n"
    "2. Undo the encryption (names that end in .gpg):\n"
    "     gpg --decrypt --output app.sql.gz app-20261120130501-<sha256>.sql.gz.gpg\n"
    "   The SHA-256 in the name is that of the decrypted, still compressed file:\n"
    "     sha256sum app.sql.gz\n"
    "3. Roles first, on a new server (as its superuser):\n"
    "     gunzip -c app.globals.sql.gz | psql -X -d postgres\n"
    "4. The database:\n"
    "     createdb app\n"
    "   .sql.gz      gunzip -c app.sql.gz | psql -X -v ON_ERROR_STOP=1 --single-transaction -d "
    "app\n"
    "   .sql.zst     zstd -dc app.sql.zst | psql ... as above\n"
    "   .dump.gz     gunzip -c app.dump.gz > app.dump; pg_restore -j 4 -d app app.dump\n"
    "5. Run your application's migrations if its code is newer than the backup.\n"
    "\n"
    "In names, a character outside A-Z a-z 0-9 . - _ is written _xHH (its byte in hexadecimal).\n";

static const char key[] = "RECOVER.txt";

void sr_recover_text_save(struct sr_store_rw *store)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_store_save_small(store, key, text, strlen(text), &e);
    if (rc != SR_OK && rc != SR_E_EXISTS)
        sr_log(SR_LOG_WARN, "RECOVER.txt was not written: %s", e.text);
}

int sr_recover_text_check(struct sr_store *store, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_store_stat(store, key, NULL, NULL, &e);
    if (rc != SR_E_NOT_FOUND)
        return rc == SR_OK ? rc : sr_error_copy(err, &e);
    return sr_fail(err, SR_E_NOT_FOUND,
                   "store %s (%s) holds nothing that strongroom wrote, not even the %s that every "
                   "store gets with its first backup: is its disk mounted, is it the right bucket, "
                   "prefix or folder? A new store needs a backup first",
                   sr_store_name(store), sr_store_place(store), key);
}
