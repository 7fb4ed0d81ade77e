/*
 * wiping: Jansson overwrites what it frees, since secrets come as JSON.
 */
#ifndef BTP_WIPING_H
#define BTP_WIPING_H

/* From now on, in the whole process. May be called again. */
void wiping_begin(void);

#endif
