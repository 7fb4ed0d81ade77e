#include "config/config.h"

void config_each_file(const struct config *c, config_file_hook *f, void *ctx)
{
    f(ctx, c->file);
    f(ctx, c->token_file);
    for (size_t i = 0; i < c->ntenants; i++) {
        const struct tenant *t = c->tenants[i];
        for (int k = 0; k < IDENTITIES; k++) {
            f(ctx, t->identities[k].certificate);
            f(ctx, t->identities[k].private_key);
            f(ctx, t->identities[k].passphrase_file);
        }
        f(ctx, t->ca_file);
        f(ctx, t->callers_file);
    }
    for (int i = 0; i < LOCAL_CA_FILES; i++)
        f(ctx, c->local_ca_files[i]);
}
