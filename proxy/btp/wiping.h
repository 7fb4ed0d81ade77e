/*
 * wiping: makes Jansson overwrite the memory that it frees, because secrets
 * come as JSON.
 */
#ifndef BTP_WIPING_H
#define BTP_WIPING_H

/* For the whole process, from now on. May be called again. */
void wiping_begin(void);

#endif
