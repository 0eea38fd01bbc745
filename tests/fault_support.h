/* Letting the nth allocation, file operation, mapping or thread of the library fail.  A program that uses this is linked so
 * that the library's own calls come here (FAULTS in the Makefile). */
#ifndef AARD_TESTS_FAULT_SUPPORT_H
#define AARD_TESTS_FAULT_SUPPORT_H

#include <stdbool.h>

#include <aardvark.h>

typedef enum fault { ALLOCATION, FILE_OPERATION, MAPPING, THREAD, FAULTS } fault;
extern const char *const fault_names[FAULTS];

/* From now on the nth of that kind (from 0) fails, and, with `ever`, all that follow. */
void fault_arm(fault kind, long n, bool ever);
bool fault_disarm(void); /* whether anything has failed */

/* In between nothing fails. */
int fault_pause(void);
void fault_resume(int paused);

/* Threads for which `spared` answers yes are none of the library's; NULL = there are none. */
void fault_spare(bool (*spared)(void));

void fault_start(void); /* first, and last */
void fault_stop(void);

/* Frees an error, which must be in good form; whether there was none. */
bool fault_is_clean(aard_error *error);

/* Descriptors that this process has. */
int fault_open_files(void);

#endif
