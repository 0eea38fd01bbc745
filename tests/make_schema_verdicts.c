/* Runs files of JSON Schema's test suite on the subset that callbacks have:  make_schema_verdicts FILE…
 * Prints "FILE RUN OUTSIDE" for each: how many tests were run, and how many are of schemas that are refused, as they must be where
 * a keyword is outside of the subset; and a line for each verdict that is wrong.  tests/test_schema_suite.sh */
#include <stdio.h>
#include <string.h>

#include <aardvark/error.h>

#include "base/alloc.h"
#include "callbacks/schema.h"

typedef struct tally {
    unsigned run, outside, wrong;
} tally;

/* Refused for what is not in the subset, and not because it was misread. */
static bool is_outside(const aard_error *error)
{
    static const char *const reasons[] = {"keyword outside",  "not a reference to a part",
                                          "at the root only", "draft that is not supported",
                                          "for a tuple",      "that is supported"};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(aard_error_message(error), reasons[i])) return true;
    return false;
}

static void complain(tally *t, const json_t *group, const json_t *test, const char *what)
{
    const char *of = json_string_value(json_object_get(group, "description"));
    const char *case_of = json_string_value(json_object_get(test, "description"));
    printf("WRONG %s: %s: %s\n", of, case_of ? case_of : "-", what);
    t->wrong++;
}

static void run_test(tally *t, const aard__schema *schema, const json_t *group, const json_t *test)
{
    aard__buf why = AARD__BUF_INIT;
    char *text = json_dumps(json_object_get(test, "data"), JSON_ENCODE_ANY);
    json_t *value = text ? aard__schema_value(text, strlen(text)) : NULL;
    bool accepted = value && aard__schema_accepts(schema, value, &why);
    aard__buf_putc(&why, '\0');
    if (accepted != json_is_true(json_object_get(test, "valid")))
        complain(t, group, test, why.len > 1 ? why.data : "accepted");
    if (!accepted && why.len < 2) complain(t, group, test, "refused without a reason");
    aard__buf_free(&why);
    json_decref(value);
    free(text);
    t->run++;
}

static void run_group(tally *t, const json_t *group)
{
    aard__schema *schema = NULL;
    size_t i;
    const json_t *test, *tests = json_object_get(group, "tests");
    char *text = json_dumps(json_object_get(group, "schema"), JSON_ENCODE_ANY);
    aard_error *error = aard__schema_new(text, strlen(text), &schema);
    if (error && !is_outside(error)) complain(t, group, NULL, aard_error_message(error));
    if (error) t->outside += (unsigned)json_array_size(tests);
    json_array_foreach(tests, i, test) if (!error) run_test(t, schema, group, test);
    aard_error_free(error);
    aard__schema_free(schema);
    free(text);
}

int main(int argc, char **argv)
{
    bool wrong = false;
    for (int i = 1; i < argc; i++) {
        tally t = {0};
        size_t at;
        const json_t *group;
        json_t *groups = json_load_file(argv[i], JSON_ALLOW_NUL, NULL);
        if (!groups) printf("WRONG %s can't be read\n", argv[i]);
        json_array_foreach(groups, at, group) run_group(&t, group);
        printf("%s %u %u\n", argv[i], t.run, t.outside);
        wrong = wrong || t.wrong || !groups;
        json_decref(groups);
    }
    return wrong;
}
