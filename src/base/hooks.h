/* The host's hooks, as the files that call them have them. */
#ifndef AARD_BASE_HOOKS_H
#define AARD_BASE_HOOKS_H

#include <aardvark/hooks.h>

/* Written once, before there is a second thread; members that are not set are NULL. */
extern aard_hooks aard__hooks;

#endif
