/* What all parts of the loader use: notes for whoever uses the configuration. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "config/load_parts.h"

void load_note(struct config *c, enum log_level level, char *sentence)
{
    c->notes = mem_grow(c->notes, (c->nnotes + 1) * sizeof(c->notes[0]));
    c->notes[c->nnotes++] = (struct config_note){level, utf8_escape(sentence)};
    free(sentence);
}

void load_look_again(struct config *c, int64_t when)
{
    if (when != 0 && (c->look_again == 0 || when < c->look_again))
        c->look_again = when;
}

bool load_is_open_to_others(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0;
}
