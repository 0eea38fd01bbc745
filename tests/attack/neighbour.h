/* The neighbour of hostile guests, on a thread of its own: an isolate with a call each 10 ms, some of them of work that needs
 * what all isolates of a process share (neighbour.js), made anew now and then. */
#ifndef AARD_TESTS_ATTACK_NEIGHBOUR_H
#define AARD_TESTS_ATTACK_NEIGHBOUR_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct neighbour {
    void (*doing)(const char *stage); /* what it begins; NULL when it is done with it */
    void (*did)(double ms);           /* a call, from when it was due */
    bool (*works)(void);              /* whether its calls may work yet; else they only echo */
    void (*hurt)(const char *text);   /* an answer was wrong, or did not come; must not return */
    atomic_bool over;                 /* set it, and the thread ends */
} neighbour;

/* The thread's function; `n` is a neighbour. */
void *neighbour_live(void *n);

double neighbour_clock_ms(void);

#endif
