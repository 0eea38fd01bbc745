/* Lines of a person: edited where stdin is a terminal and libedit is there, else as they come. */
#ifndef AARD_CLI_LINES_H
#define AARD_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_lines_state cli_lines_state;

/* Gives the words that the word may become: each on a line, in memory for free(); NULL = none. */
typedef char *(*cli_complete)(void *user, const char *word, size_t len);

typedef enum cli_line { CLI_LINE, CLI_LINE_END, CLI_LINE_INTERRUPTED } cli_line;

cli_lines_state *cli_lines_start(cli_complete complete, void *user);
void cli_lines_end(cli_lines_state *lines);
/* The next line, with its end if it has one, valid until the next call.  SIGINT, which the caller has
 * blocked, interrupts it. */
cli_line cli_lines_next(cli_lines_state *lines, const char *prompt, const char **line, size_t *len);
/* Remembers what was entered, in this session and the file of the one before. */
void cli_lines_remember(cli_lines_state *lines, const char *entry);
/* Whether a person is there. */
bool cli_lines_edited(const cli_lines_state *lines);

#endif
