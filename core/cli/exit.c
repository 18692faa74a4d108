#include "config.h"
#include "core/cli/exit.h"
#include "core/util/error.h"

#include <stddef.h>

static const struct {
    int code;
    int exit;
} table[] = {
    {SR_OK, SR_EXIT_DONE},           {SR_E_USAGE, SR_EXIT_USAGE},
    {SR_E_CONFIG, SR_EXIT_USAGE},    {SR_E_PARTIAL, SR_EXIT_PARTLY},
    {SR_E_REFUSED, SR_EXIT_REFUSED}, {SR_E_BUSY, SR_EXIT_BUSY},
    {SR_E_KEY, SR_EXIT_KEY},         {SR_E_CORRUPT, SR_EXIT_CORRUPT},
    {SR_E_EXISTS, SR_EXIT_EXISTS},   {SR_E_UNTESTABLE, SR_EXIT_UNTESTABLE},
};

int sr_exit_code(int code, int looks_up, int signo)
{
    if (signo > 0 && code != SR_OK && code != SR_E_PARTIAL)
        return SR_EXIT_SIGNAL + signo;
    if (code == SR_E_NOT_FOUND && looks_up)
        return SR_EXIT_NO_BACKUP;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].exit;
    return SR_EXIT_FAILED;
}

const struct sr_exit_text sr_exit_texts[] = {
    {SR_EXIT_DONE, "done"},
    {SR_EXIT_FAILED, "failed"},
    {SR_EXIT_USAGE, "wrong usage or configuration"},
    {SR_EXIT_PARTLY, "partly done: enough stores hold the backup, another failed"},
    {SR_EXIT_REFUSED, "refused by a guard, or not confirmed"},
    {SR_EXIT_NO_BACKUP, "no such backup"},
    {SR_EXIT_BUSY, "another run holds the lock"},
    {SR_EXIT_KEY, "a key is missing or unusable, or decryption failed"},
    {SR_EXIT_CORRUPT, "corrupt: a check failed"},
    {SR_EXIT_EXISTS, "exists already"},
    {SR_EXIT_UNTESTABLE, "cannot be tested here"},
    {SR_EXIT_SIGNAL + 2, "ended by SIGINT"},
    {SR_EXIT_SIGNAL + 15, "ended by SIGTERM"},
    {0, NULL},
};
