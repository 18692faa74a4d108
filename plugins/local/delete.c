#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int32_t remove_leaf(const struct local *l, const char *key, int folder, const char *leaf)
{
    struct stat st;
    if (fstatat(folder, leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? SR_STORAGE_OK
                               : local_fail_errno(l, errno, "looking at %s in %s", key, l->dir);
    /* A folder or a link is no object; there is nothing of that key to delete. */
    if (!S_ISREG(st.st_mode))
        return SR_STORAGE_OK;
    if (unlinkat(folder, leaf, 0) != 0 && errno != ENOENT)
        return local_fail_errno(l, errno, "deleting %s in %s", key, l->dir);
    if (fsync(folder) != 0)
        return local_fail_errno(l, errno, "making the deletion of %s last in %s", key, l->dir);
    return SR_STORAGE_OK;
}

int32_t local_delete(void *handle, const struct sr_storage_delete_options *options,
                     struct sr_storage_deletion *ret_deletion)
{
    const struct local *l = handle;
    const char *leaf = NULL;
    int folder = -1;
    int32_t rc = SR_STORAGE_OK;
    if (!options->version || !*options->version) {
        rc = local_parent(l, options->key, 0, &folder, &leaf);
        if (rc == SR_STORAGE_OK)
            rc = remove_leaf(l, options->key, folder, leaf);
        else if (rc == SR_STORAGE_E_NOT_FOUND)
            rc = SR_STORAGE_OK;
    }
    if (folder >= 0)
        (void)close(folder);
    if (rc == SR_STORAGE_OK)
        ret_deletion->outcome = SR_STORAGE_DELETED;
    return rc;
}
