/* A guest's view of its files and of the host directories that are mounted for it. */
#ifndef AARD_GUEST_BRIDGE_DIRECTORIES_H
#define AARD_GUEST_BRIDGE_DIRECTORIES_H

#include "guest/guest.h"

/* What it may do to its files: the host's rules, tightened by its bundle's. */
aard__file_rules aard__guest_file_rules(const aard__guest *guest);

#endif
